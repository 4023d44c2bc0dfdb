/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address translation. core/nat.h tells of a connection's three views; a packet is found in the state table by
 * what it shows at the place where it is:
 *
 *	arrives (PREROUTING, made here: LOCAL_OUT)   destination's translation, then it shows the real end points
 *	is judged (LOCAL_IN, FORWARD, LOCAL_OUT)
 *	leaves (POSTROUTING, to this machine: LOCAL_IN)   source's translation
 *
 * What goes over a loopback device leaves before it arrives: both are done on the way out.
 */
#ifndef IPFI_NAT_H
#define IPFI_NAT_H

#include "module/core/flow.h"
#include "module/packet/context.h"
#include "module/table/state.h"

/*
 * @p arrives: shows the real end points from now on, in the packet and in p->packet; makes an unjudged state
 * where a new connection's destination is translated. Returns NF_ACCEPT, or NF_DROP when it has been counted.
 */
unsigned int ipfi_nat_arrive(struct ipfi_pkt *p);

/*
 * @p, which shows the real end points, leaves. @marked: the filter has accepted it as one of a translated connection
 * (hooks.h). Returns NF_ACCEPT, or NF_DROP when it has been counted.
 */
unsigned int ipfi_nat_leave(struct ipfi_pkt *p, bool marked);

/* The same for one that cannot be read. */
unsigned int ipfi_nat_leave_unread(struct ipfi_pkt *p, bool marked);

/*
 * @p, a packet of the translated connection @wide, which is locked, is for this machine: here it leaves. False if it
 * cannot be written.
 */
bool ipfi_nat_enter(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction);

#endif /* IPFI_NAT_H */
