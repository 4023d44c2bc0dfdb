// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tcp.h"
#include "module/core/tuple.h"
#include "module/nat/view.h"
#include "module/nat/xfrm.h"
#include "module/packet/context.h"
#include "module/packet/rewrite.h"
#include "module/packet/skb.h"
#include "module/table/state.h"

void ipfi_nat_reverse(const struct ipfi_tuple *tuple, struct ipfi_tuple *reversed)
{
	struct ipfi_tuple from = *tuple;

	*reversed = from;
	reversed->src = from.dst;
	reversed->dst = from.src;
	reversed->sport = from.dport;
	reversed->dport = from.sport;
	reversed->src_vrf = from.dst_vrf;
	reversed->dst_vrf = from.src_vrf;
}

void ipfi_nat_view(const struct ipfi_state_ext *ext, enum ipfi_view view, enum ipfi_direction direction,
		   struct ipfi_tuple *tuple)
{
	/* A reply arrives where the original direction leaves. */
	if (direction == IPFI_REPLY && view != IPFI_VIEW_REAL)
		view = view == IPFI_VIEW_ARRIVING ? IPFI_VIEW_LEAVING : IPFI_VIEW_ARRIVING;
	if (view == IPFI_VIEW_ARRIVING)
		*tuple = ext->arriving;
	else if (view == IPFI_VIEW_LEAVING)
		*tuple = ext->leaving;
	else
		ipfi_flow_tuple(&ext->state.flow, tuple);
	if (direction == IPFI_REPLY)
		ipfi_nat_reverse(tuple, tuple);
}

enum ipfi_direction ipfi_nat_arriving_direction(const struct ipfi_state_ext *ext, const struct ipfi_tuple *tuple)
{
	return ipfi_tuple_equal(tuple, &ext->arriving) ? IPFI_ORIGINAL : IPFI_REPLY;
}

bool ipfi_nat_show(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_view view,
		   enum ipfi_direction direction)
{
	struct ipfi_tuple to;

	ipfi_nat_view(ext, view, direction, &to);
	return ipfi_tuple_equal(&p->packet.tuple, &to) || ipfi_rewrite(p->skb, &p->packet, &to);
}

u8 ipfi_nat_show_arriving(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction)
{
	struct ipfi_tuple to;

	ipfi_nat_view(ext, IPFI_VIEW_REAL, direction, &to);
	if (ipfi_tuple_equal(&p->packet.tuple, &to))
		return 0;
	if (!ipfi_xfrm_may_arrive(p, &to.dst))
		return IPFI_REASON_IPSEC_POLICY;
	return ipfi_rewrite(p->skb, &p->packet, &to) ? 0 : IPFI_REASON_NAT_FAILED;
}

bool ipfi_nat_is_over(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction)
{
	const struct ipfi_flow *flow = &ext->state.flow;

	if (p->packet.tuple.proto != IPFI_PROTO_TCP ||
	    (p->packet.tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_ACK | IPFI_TCP_RST)) != IPFI_TCP_SYN)
		return false;
	return (flow->table & IPFI_TABLE_KILLED || ipfi_tcp_reopens(flow, &p->packet, direction)) &&
	       !ipfi_skb_checksum_bad(p->skb, &p->packet);
}

bool ipfi_nat_leaving_direction(const struct ipfi_pkt *p, const struct ipfi_state_ext *ext,
				   const struct ipfi_tuple *tuple, enum ipfi_direction *direction)
{
	struct ipfi_tuple back;

	if (likely(!(ext->state.flow.flags & IPFI_FLOW_F_UNCONFIRMED))) {
		*direction = ipfi_flow_direction(&ext->state.flow, p->higher);
		return true;
	}
	/* The key would not say so if both ends are the same. */
	*direction = IPFI_REPLY;
	ipfi_nat_view(ext, IPFI_VIEW_REAL, IPFI_REPLY, &back);
	return ipfi_tuple_equal(tuple, &back);
}
