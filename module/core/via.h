/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interfaces that the packets of a flow use.
 *
 * Rules speak of a connection: who asks whom, by which interface it comes in and by which it leaves. So the packets of
 * both directions are seen as the connection's: a reply that comes in by wan1 and leaves by lan0 is one of a connection
 * that comes in by lan0 and leaves by wan1. Where both directions take the same route, and that is nearly always, they
 * ask the rules the same, and need not ask them twice.
 *
 * A flow keeps for each direction the interfaces of its last packet, and one more pair of those that the rules have
 * allowed: a connection that alternates between two routes does not search the rules again and again.
 */
#ifndef IPFI_CORE_VIA_H
#define IPFI_CORE_VIA_H

#include "module/core/flow.h"

/* By what the rules are asked about a flow, beside its tuple, mark and user. */
struct ipfi_via {
	struct ipfi_interfaces interfaces;
	u8 list;       /* enum ipfi_list of the original direction */
	bool loopback; /* a loopback device is both interfaces */
};

static inline bool ipfi_interfaces_equal(const struct ipfi_interfaces *a, const struct ipfi_interfaces *b)
{
	return !((a->iif ^ b->iif) | (a->oif ^ b->oif));
}

/* How @packet of @direction goes, seen as one of @flow's original direction. */
static __always_inline void ipfi_via_of_packet(const struct ipfi_flow *flow, const struct ipfi_packet *packet,
					       enum ipfi_direction direction, struct ipfi_via *via)
{
	const bool reply = direction == IPFI_REPLY;

	via->interfaces.iif = reply ? packet->oif : packet->iif;
	via->interfaces.oif = reply ? packet->iif : packet->oif;
	/* What is answered from here came in, and the other way round. */
	via->list = packet->list ^ (reply & (packet->list != IPFI_LIST_FORWARD));
	via->loopback = packet->loopback;
	/* Over a loopback device both directions pass both lists: the flow belongs to one of them. */
	if (unlikely(packet->loopback))
		via->list = flow->flags & IPFI_FLOW_F_LOOPBACK ? flow->list : packet->list;
	/* The room of an interface that there is none of has the user. */
	if (via->list == IPFI_LIST_OUT)
		via->interfaces.user = flow->list == IPFI_LIST_OUT ? flow->traffic[IPFI_ORIGINAL].last.user : ~0U;
}

static_assert((IPFI_LIST_IN ^ 1) == IPFI_LIST_OUT, "one bit tells what comes in from what goes out");

/* How the last packet of @flow's original direction went. */
static inline void ipfi_via_of_flow(const struct ipfi_flow *flow, struct ipfi_via *via)
{
	via->interfaces = flow->traffic[IPFI_ORIGINAL].last;
	via->list = flow->list;
	via->loopback = !!(flow->flags & IPFI_FLOW_F_LOOPBACK);
}

/* Does @packet use other interfaces than the last one of its direction? For every packet. */
static __always_inline bool ipfi_via_differs(const struct ipfi_flow *flow, const struct ipfi_packet *packet,
					     enum ipfi_direction direction)
{
	const struct ipfi_interfaces *last = &flow->traffic[direction].last;
	struct ipfi_via via;

	ipfi_via_of_packet(flow, packet, direction, &via);
	return (via.interfaces.iif ^ last->iif) | (via.interfaces.oif ^ last->oif) | (u32)(via.list ^ flow->list);
}

/* Can a flow remember that its packets go so? Not as one of another list than that which made it. */
static inline bool ipfi_via_fits(const struct ipfi_flow *flow, const struct ipfi_via *via)
{
	return via->list == flow->list && via->loopback == !!(flow->flags & IPFI_FLOW_F_LOOPBACK);
}

/*
 * Have the rules in force allowed @flow's packets of @direction to go so? @one_way: what is known of replies does not
 * count for the original direction, which may be translated by the interface that it leaves by.
 */
static inline bool ipfi_via_known(const struct ipfi_flow *flow, enum ipfi_direction direction,
				  const struct ipfi_via *via, bool one_way)
{
	if (!ipfi_via_fits(flow, via))
		return false;
	return ipfi_interfaces_equal(&flow->traffic[direction].last, &via->interfaces) ||
	       ipfi_interfaces_equal(&flow->other, &via->interfaces) ||
	       ((direction == IPFI_REPLY || !one_way) &&
		ipfi_interfaces_equal(&flow->traffic[!direction].last, &via->interfaces));
}

/* They may, and a packet does: @via is the last of @direction now. @one_way as above. */
static inline void ipfi_via_remember(struct ipfi_flow *flow, enum ipfi_direction direction,
				     const struct ipfi_via *via, bool one_way)
{
	if (!ipfi_via_fits(flow, via))
		return;
	if (direction == IPFI_ORIGINAL || !one_way)
		flow->other = flow->traffic[direction].last;
	flow->traffic[direction].last = via->interfaces;
}

/* Other rules have been asked about @via alone: nothing else is known any more. */
static inline void ipfi_via_forget(struct ipfi_flow *flow, const struct ipfi_via *via)
{
	if (!ipfi_via_fits(flow, via))
		return;
	flow->traffic[IPFI_ORIGINAL].last = via->interfaces;
	flow->traffic[IPFI_REPLY].last = via->interfaces;
	flow->other = via->interfaces;
}

/* The indexes of the interfaces of the last packet of @flow's original direction, 0 for none. */
static inline u32 ipfi_flow_iif(const struct ipfi_flow *flow)
{
	return flow->list == IPFI_LIST_OUT ? 0 : flow->traffic[IPFI_ORIGINAL].last.iif;
}

static inline u32 ipfi_flow_oif(const struct ipfi_flow *flow)
{
	return flow->list == IPFI_LIST_IN ? 0 : flow->traffic[IPFI_ORIGINAL].last.oif;
}

#endif /* IPFI_CORE_VIA_H */
