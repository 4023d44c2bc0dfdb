// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/nat/icmp_error.h"
#include "module/nat/view.h"
#include "module/nat/xfrm.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/packet/rewrite.h"
#include "module/packet/skb.h"
#include "module/packet/vrf.h"
#include "module/table/expect.h"
#include "module/table/state.h"

/*
 * ICMP errors. They go the way of the packets that answer the quoted one, so the quoted tuple reversed is
 * theirs, and the quoted packet itself shows what it showed where the error was made (RFC 5508 REQ-4, REQ-5).
 */

/* The translated state that @tuple, of an error's way, belongs to as @found says; locked. */
static struct ipfi_state_ext *find_of_error(struct ipfi_pkt *p, const struct ipfi_tuple *tuple, bool real)
{
	bool known;

	p->higher = ipfi_key_from_tuple(&p->key, tuple);
	return ipfi_pkt_find_translated(p, real ? IPFI_TABLE_REAL : ipfi_table_arrives(p->higher),
					  &known);
}

/* Lets the quoted packet show @view, of a state whose packets on the error's way have @direction. */
static bool show_quoted(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_view view,
			enum ipfi_direction direction)
{
	struct ipfi_tuple to;

	ipfi_nat_view(ext, view, direction, &to);
	ipfi_nat_reverse(&to, &to);
	return ipfi_tuple_equal(&p->packet.inner, &to) || ipfi_rewrite_inner(p->skb, &p->packet, &to);
}

/* Lets the quoted segment, of @wide's @direction, have the number that its sender knows it by. */
static bool show_quoted_seq(struct ipfi_pkt *p, const struct ipfi_state_ext *ext, enum ipfi_direction direction)
{
	u32 seq;

	if (likely(!ext->control) || p->packet.inner.proto != IPFI_PROTO_TCP)
		return true;
	seq = ipfi_control_quoted_seq(ext->control, direction, p->packet.inner_seq);
	return seq == p->packet.inner_seq || ipfi_rewrite_inner_seq(p->skb, &p->packet, seq);
}

u8 ipfi_nat_turn_arriving_error(struct ipfi_pkt *p)
{
	struct ipfi_tuple way, arriving, real;
	struct ipfi_state_ext *ext;
	enum ipfi_direction direction;
	bool done;

	if (!p->packet.inner.family || ipfi_skb_checksum_bad(p->skb, &p->packet))
		return 0;
	ipfi_nat_reverse(&p->packet.inner, &way);
	if (p->packet.list == IPFI_LIST_OUT) {
		/* This machine's own, most often made where the real end points are shown. */
		ext = find_of_error(p, &way, true);
		if (ext) {
			spin_unlock(&ext->state.lock);
			return 0;
		}
	}
	ext = find_of_error(p, &way, false);
	if (!ext)
		return 0;
	/* What arrives here quotes nothing of a connection that has not passed. */
	if (ext->state.flow.flags & IPFI_FLOW_F_UNCONFIRMED) {
		spin_unlock(&ext->state.lock);
		return 0;
	}
	direction = ipfi_nat_arriving_direction(ext, &way);
	ipfi_nat_view(ext, IPFI_VIEW_ARRIVING, direction, &arriving);
	ipfi_nat_view(ext, IPFI_VIEW_REAL, direction, &real);
	if (ipfi_addr_equal(&p->packet.tuple.dst, &arriving.dst) && !ipfi_addr_equal(&arriving.dst, &real.dst) &&
	    !ipfi_xfrm_may_arrive(p, &real.dst)) {
		spin_unlock(&ext->state.lock);
		return IPFI_REASON_IPSEC_POLICY;
	}
	done = show_quoted(p, ext, IPFI_VIEW_REAL, direction) && show_quoted_seq(p, ext, !direction);
	if (done && ipfi_addr_equal(&p->packet.tuple.dst, &arriving.dst) &&
	    !ipfi_addr_equal(&arriving.dst, &real.dst))
		done = ipfi_rewrite_outer(p->skb, &p->packet, NULL, &real.dst);
	spin_unlock(&ext->state.lock);
	return done ? 0 : IPFI_REASON_NAT_FAILED;
}

u8 ipfi_nat_turn_leaving_error(struct ipfi_pkt *p, bool *known)
{
	const struct ipfi_addr *src = NULL, *dst = NULL;
	struct ipfi_tuple way, leaving, real;
	struct ipfi_state_ext *ext;
	enum ipfi_direction direction;
	bool done;

	*known = false;
	if (!p->packet.inner.family)
		return 0;
	ipfi_nat_reverse(&p->packet.inner, &way);
	ext = find_of_error(p, &way, true);
	if (!ext)
		return 0;
	if (!ipfi_nat_leaving_direction(p, ext, &way, &direction)) {
		spin_unlock(&ext->state.lock);
		return 0;
	}
	*known = true;
	ipfi_nat_view(ext, IPFI_VIEW_LEAVING, direction, &leaving);
	ipfi_nat_view(ext, IPFI_VIEW_REAL, direction, &real);
	/* Whoever behind the translation speaks, the other side knows only its outer address. */
	if (!ipfi_addr_equal(&leaving.src, &real.src) &&
	    !ipfi_addr_is_own(p->in->net, ipfi_vrf_of_packet(p->in, &p->packet), p->packet.tuple.family,
			      &p->packet.tuple.src))
		src = &leaving.src;
	if (ipfi_addr_equal(&p->packet.tuple.dst, &real.dst))
		dst = &leaving.dst;
	done = show_quoted(p, ext, IPFI_VIEW_LEAVING, direction) &&
	       ipfi_rewrite_outer(p->skb, &p->packet, src, dst);
	spin_unlock(&ext->state.lock);
	return done ? 0 : IPFI_REASON_NAT_FAILED;
}
