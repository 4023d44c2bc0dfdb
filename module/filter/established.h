/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of live states. */
#ifndef IPFI_ESTABLISHED_H
#define IPFI_ESTABLISHED_H

#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/packet/context.h"
#include "module/table/state.h"

/* The packet of @state, which is locked and comes back unlocked. Returns the verdict, or IPFI_LOOK_AGAIN. */
unsigned int ipfi_judge_live(struct ipfi_passage *p, struct ipfi_state *state);

/*
 * What the hooks decide by, shared with who asks what they would do (explain.c).
 */

/* What could change a state for good must be what its receiver will believe: its checksum is right. */
static inline bool ipfi_must_be_believed(const struct ipfi_packet *packet)
{
	return packet->tuple.proto == IPFI_PROTO_TCP &&
	       packet->tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_FIN | IPFI_TCP_RST);
}

/*
 * A segment of a TCP connection whose state was deleted: the reason to count. Resets pass, so that both ends hear
 * of it; whoever goes on is told that it is over (KILLED). NONE: a SYN begins anew.
 */
static inline u8 ipfi_killed_reason(const struct ipfi_packet *packet)
{
	u8 flags = packet->tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_ACK | IPFI_TCP_RST);

	if (flags == IPFI_TCP_SYN)
		return IPFI_REASON_NONE;
	return flags & IPFI_TCP_RST ? IPFI_REASON_STATE : IPFI_REASON_KILLED;
}

/* Has list "in" its say over a packet of @flow that enters by a loopback device? @announced: another one has it. */
static inline bool ipfi_loopback_opens(const struct ipfi_flow *flow, bool announced, enum ipfi_direction direction)
{
	return flow->list == IPFI_LIST_OUT && direction == IPFI_ORIGINAL &&
	       !(flow->flags & IPFI_STATE_F_REPLY_SEEN) && !announced;
}

/*
 * The state that @p's packet belongs to, locked, or NULL. What was translated on its way out by a loopback device
 * shows its real end points from then on in p->packet, though not itself. Under RCU, BHs off.
 */
struct ipfi_state *ipfi_find_state(struct ipfi_passage *p);

/*
 * ipfi_find_state() has found nothing for @p: does its packet, which comes in by a loopback device, show the real end
 * points of a translated connection? None that left by that device shows them any more, so it is forged, and no
 * state could be made for it. Under RCU.
 */
bool ipfi_is_astray(const struct ipfi_passage *p);

#endif /* IPFI_ESTABLISHED_H */
