/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The netfilter hooks: where packets come in. */
#ifndef IPFI_HOOK_H
#define IPFI_HOOK_H

#include <linux/ipv6.h>
#include "module/packet/context.h"

/* Registers the hooks of a namespace, after the kernel's defragmentation; -errno leaves none. Sleeps. */
int ipfi_hooks_register(struct net *net);

/*
 * How many of @count hooks, the first half of them IPv4's and the second the same of IPv6, are registered: where IPv6 is
 * off (ipv6.disable=1) it has no addresses and no routes to look for, and the kernel's IPv6 receives nothing.
 */
static inline unsigned int ipfi_hooks_count(unsigned int count)
{
	return ipv6_mod_enabled() ? count : count / 2;
}

/* Unregisters them. A packet may be inside a hook until a grace period has passed. */
void ipfi_hooks_unregister(struct net *net);

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

#endif /* IPFI_HOOK_H */
