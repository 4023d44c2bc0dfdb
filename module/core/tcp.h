/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP: the life of a connection (RFC 9293) seen from a third party between the end points, and the
 * windows that tell a segment of it from a forged one (Guido van Rooij, "Real Stateful TCP Packet
 * Filtering in IP Filter", 2001; RFC 5961 for RST and SYN; RFC 7323 for window scale; RFC 2018 for
 * SACK).
 */
#ifndef IPFI_CORE_TCP_H
#define IPFI_CORE_TCP_H

#include "module/core/platform.h"

struct ipfi_packet;
struct ipfi_flow;
struct ipfi_limits;

/* What is known of one end, by enum ipfi_direction of what it sends. Sequence numbers are modulo
 * 2^32. */
struct ipfi_tcp_end {
	u32 end;   /* highest sequence number sent, + 1 */
	u32 acked; /* the next that the other end waits for, as it says; its SYN's own until then */
	u32 max_end; /* highest sequence number that the other end's windows let it send, + 1 */
	u16 window;  /* largest window it has offered, in units of 1 << scale; never 0 once known */
	u8 scale : 4;   /* window scale shift in force, 0 to 14 */
	u8 offered : 4; /* shift in its SYN, IPFI_TCP_UNSCALED for none */
	u8 flags;       /* IPFI_TCP_END_* of tcp_window.h */
};

#define IPFI_TCP_UNSCALED 15

/* A SYN that passed without effect and may be answered yet: tcp_resync.h. */
struct ipfi_tcp_syn {
	u32 seq;
	u16 window;
	u16 payload : 10; /* bytes of data; 0 also for more than IPFI_TCP_KEPT_PAYLOAD */
	u16 scale : 4;	  /* IPFI_TCP_UNSCALED for none */
	u16 sack : 1;
	u16 denied : 1; /* the rules do not allow it to open anything */
};

#define IPFI_TCP_KEPT_PAYLOAD 0x3ff

struct ipfi_tcp {
	struct ipfi_tcp_end ends[2];
	struct ipfi_tcp_syn kept; /* of the end that has IPFI_TCP_END_KEPT */
};

static_assert(sizeof(struct ipfi_tcp) == 40, "ipfi_tcp keeps to its share of an entry");

/* The largest window, in bytes, that the end has offered. */
static inline u32 ipfi_tcp_window(const struct ipfi_tcp_end *end)
{
	return (u32)end->window << end->scale;
}

/*
 * First segment of a connection that the rules allow. Sets flow->state, flow->tcp and
 * IPFI_STATE_F_MIDSTREAM. Returns 0, or -IPFI_REASON_TCP_NOT_SYN (no SYN and tcp_loose off), or
 * -IPFI_REASON_TCP_STATE (RST or SYN+ACK that belongs to nothing).
 */
int ipfi_tcp_open(struct ipfi_flow *flow, const struct ipfi_packet *packet,
		  const struct ipfi_limits *limits);

/* As ipfi_flow_advance(), for TCP; counters and reply flag are the caller's. Returns enum
 * ipfi_advance. */
int ipfi_tcp_advance(struct ipfi_flow *flow, const struct ipfi_packet *packet,
		     unsigned int direction, u8 *reason);

/*
 * Can a segment that begins at @seq be one that the end of @direction has sent and may still have
 * to send again? Of a guess, by what was seen. For ICMP errors, which quote it (RFC 5927
 * section 4.1).
 */
bool ipfi_tcp_has_sent(const struct ipfi_tcp *tcp, unsigned int direction, u32 seq);

/* Is this combination of TCP flags one that no standard sender makes? */
bool ipfi_tcp_flags_bad(u8 flags);

/* Does this SYN open a new connection where that of @flow has ended, so that it would be answered REOPEN? */
bool ipfi_tcp_reopens(const struct ipfi_flow *flow, const struct ipfi_packet *packet, unsigned int direction);

#endif /* IPFI_CORE_TCP_H */
