// SPDX-License-Identifier: GPL-2.0-or-later
#include <net/tcp.h>
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/nat/destination.h"
#include "module/nat/icmp_error.h"
#include "module/nat/reroute.h"
#include "module/nat/translate.h"
#include "module/nat/view.h"
#include "module/nat/xfrm.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/packet/verdict.h"
#include "module/table/state.h"

/* A packet of the translated connection @wide, which is locked and comes back unlocked. */
static unsigned int arrive_known(struct ipfi_pkt *p, struct ipfi_state_ext *ext)
{
	enum ipfi_direction direction = ipfi_nat_arriving_direction(ext, &p->packet.tuple);
	const struct ipfi_addr before = p->packet.tuple.dst;
	u8 reason;

	if (unlikely(ipfi_nat_is_over(p, ext, direction))) {
		ipfi_pkt_remove(p, &ext->state, IPFI_CAUSE_REPLACED);
		return IPFI_LOOK_AGAIN;
	}
	reason = ipfi_nat_show_arriving(p, ext, direction);
	spin_unlock(&ext->state.lock);
	if (!reason && !ipfi_nat_reroute(p, &before))
		reason = IPFI_REASON_NAT_FAILED;
	return reason ? ipfi_pkt_count(p, reason, NF_DROP) : NF_ACCEPT;
}

static unsigned int arrive_once(struct ipfi_pkt *p)
{
	struct ipfi_state_ext *ext;
	struct ipfi_addr before;
	unsigned int verdict;
	bool known;

	ext = ipfi_pkt_find_translated(p, ipfi_table_arrives(p->higher), &known);
	if (ext)
		return arrive_known(p, ext);
	if (likely(known))
		return NF_ACCEPT;
	before = p->packet.tuple.dst;
	verdict = ipfi_nat_arrive_first(p);
	if (verdict == NF_ACCEPT && !ipfi_nat_reroute(p, &before))
		return ipfi_pkt_count(p, IPFI_REASON_NAT_FAILED, NF_DROP);
	return verdict;
}

static unsigned int arrive(struct ipfi_pkt *p)
{
	unsigned int lookups, verdict;

	ipfi_pkt_key(p);
	for (lookups = 0; lookups < IPFI_LOOKUPS_MAX; lookups++) {
		verdict = arrive_once(p);
		if (likely(verdict != IPFI_LOOK_AGAIN))
			return verdict;
	}
	return ipfi_pkt_give_up(p);
}

static unsigned int arrive_error(struct ipfi_pkt *p)
{
	const struct ipfi_addr before = p->packet.tuple.dst;
	u8 reason = ipfi_nat_turn_arriving_error(p);

	if (!reason && !ipfi_nat_reroute(p, &before))
		reason = IPFI_REASON_NAT_FAILED;
	return reason ? ipfi_pkt_count(p, reason, NF_DROP) : NF_ACCEPT;
}

unsigned int ipfi_nat_arrive(struct ipfi_pkt *p)
{
	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_ERROR))
		return arrive_error(p);
	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_SIGNAL))
		return NF_ACCEPT;
	return arrive(p);
}

bool ipfi_nat_enter(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction)
{
	const struct ipfi_tuple before = p->packet.tuple;
	struct ipfi_tuple arrived, to;

	ipfi_nat_view(ext, IPFI_VIEW_ARRIVING, direction, &arrived);
	ipfi_nat_view(ext, IPFI_VIEW_LEAVING, direction, &to);
	/* What has been translated before was checked then. */
	if (ipfi_tuple_equal(&p->packet.tuple, &arrived) && !ipfi_tuple_equal(&arrived, &to) &&
	    !ipfi_xfrm_may_arrive(p, &to.dst))
		return false;
	if (!ipfi_nat_show(p, ext, IPFI_VIEW_LEAVING, direction))
		return false;
	/* The socket was found early by what the packet showed: it may be another connection's. */
	if (p->skb->sk && !inet_sk_transparent(p->skb->sk) && !ipfi_tuple_equal(&before, &p->packet.tuple))
		skb_orphan(p->skb);
	return true;
}

unsigned int ipfi_nat_leave_unread(struct ipfi_pkt *p, bool marked)
{
	return marked ? ipfi_pkt_count(p, IPFI_REASON_NAT_GONE, NF_DROP) : NF_ACCEPT;
}

static unsigned int leave_error(struct ipfi_pkt *p, bool marked)
{
	const struct ipfi_addr before = p->packet.tuple.src;
	bool known;
	u8 reason = ipfi_nat_turn_leaving_error(p, &known);

	if (!reason && !ipfi_nat_find_policy(p, &before))
		reason = IPFI_REASON_IPSEC_POLICY;
	if (reason)
		return ipfi_pkt_count(p, reason, NF_DROP);
	return known ? NF_ACCEPT : ipfi_nat_leave_unread(p, marked);
}

unsigned int ipfi_nat_leave(struct ipfi_pkt *p, bool marked)
{
	enum ipfi_direction direction;
	struct ipfi_state_ext *ext;
	struct ipfi_tuple before;
	bool known, leaves, shown;
	bool again;

	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_ERROR))
		return leave_error(p, marked);
	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_SIGNAL))
		return ipfi_nat_leave_unread(p, marked);
	ipfi_pkt_key(p);
	ext = ipfi_pkt_find_translated(p, IPFI_TABLE_REAL, &known);
	if (!ext)
		return ipfi_nat_leave_unread(p, marked);
	leaves = ipfi_nat_leaving_direction(p, ext, &p->packet.tuple, &direction);
	before = p->packet.tuple;
	shown = leaves && ipfi_nat_show(p, ext, IPFI_VIEW_LEAVING, direction);
	again = !ipfi_addr_equal(&before.src, &p->packet.tuple.src) || before.sport != p->packet.tuple.sport;
	spin_unlock(&ext->state.lock);
	if (shown && again && p->packet.list == IPFI_LIST_OUT && !ipfi_xfrm_find_again(p))
		return ipfi_pkt_count(p, IPFI_REASON_IPSEC_POLICY, NF_DROP);
	if (!leaves)
		return ipfi_pkt_count(p, IPFI_REASON_NAT_GONE, NF_DROP);
	return shown ? NF_ACCEPT : ipfi_pkt_count(p, IPFI_REASON_NAT_FAILED, NF_DROP);
}
