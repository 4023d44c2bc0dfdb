/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP: the life of a connection (RFC 9293) seen from a third party between the end points, and the windows
 * that tell a segment of it from a forged one (Guido van Rooij, "Real Stateful TCP Packet Filtering in IP
 * Filter", 2001; RFC 5961 for RST and SYN; RFC 7323 for window scale; RFC 2018 for SACK).
 */
#ifndef IPFI_CORE_TCP_H
#define IPFI_CORE_TCP_H

#include "platform.h"

struct ipfi_packet;
struct ipfi_flow;
struct ipfi_limits;

/* What one end has sent, by enum ipfi_direction. */
struct ipfi_tcp_end {
	u32 end;        /* highest sequence number sent, + 1 */
	u32 max_end;    /* highest sequence number that the other end's windows let it send */
	u32 max_window; /* largest window it has offered, scaled */
};

struct ipfi_tcp {
	struct ipfi_tcp_end ends[2];
	u8 scale[2]; /* window scale shift, 0 to 14 */
	u8 flags[2]; /* tcp.c's own: option seen, FIN sent, window unknown … */
	u32 fin_end; /* tcp.c's own */
};

static_assert(sizeof(struct ipfi_tcp) == 32, "ipfi_tcp keeps to its share of an entry");

/*
 * First segment of a connection that the rules allow. Sets flow->state, flow->tcp and IPFI_STATE_F_GUESSED.
 * Returns 0, or -IPFI_REASON_TCP_NOT_SYN (no SYN and tcp_loose off), or -IPFI_REASON_TCP_STATE (RST or
 * SYN+ACK that belongs to nothing).
 */
int ipfi_tcp_open(struct ipfi_flow *flow, const struct ipfi_packet *packet,
		  const struct ipfi_limits *limits);

/* As ipfi_flow_advance(), for TCP; counters and reply flag are the caller's. Returns enum ipfi_advance. */
int ipfi_tcp_advance(struct ipfi_flow *flow, const struct ipfi_packet *packet, unsigned int direction,
		     u8 *reason);

/* Is this combination of TCP flags one that no standard sender makes? */
bool ipfi_tcp_flags_bad(u8 flags);

#endif /* IPFI_CORE_TCP_H */
