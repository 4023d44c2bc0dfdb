/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sequence numbers and windows of a TCP connection, as somebody between its ends can know them.
 *
 * Guido van Rooij's argument: what one end has seen of the other is bounded by what went by here.
 * So a segment that an end can have sent I.   begins where the other end's windows let it
 * (max_end), II.  ends no further back than a window of the other end, for the rest has been
 * acknowledged, III. acknowledges nothing that the other end has not sent, IV.  acknowledges no
 * less than the other end can still have waited for.
 *
 * What breaks I or III is forged or of another connection. What breaks II or IV alone is old, or
 * only seems so: an end that sends more than it was allowed has a part of that thrown away by the
 * receiver, and goes on from there, behind what went by here.
 */
#ifndef IPFI_CORE_TCP_WINDOW_H
#define IPFI_CORE_TCP_WINDOW_H

#include "module/core/packet.h"
#include "module/core/tcp.h"

/* ipfi_tcp_end.flags */
#define IPFI_TCP_END_KNOWN (1 << 0)   /* its sequence numbers are known */
#define IPFI_TCP_END_SACK (1 << 1)    /* its SYN permits SACK */
#define IPFI_TCP_END_UNACKED (1 << 2) /* its SYN or FIN waits for the acknowledgement */
#define IPFI_TCP_END_FIN (1 << 3)     /* it has sent its FIN; end is behind that */
#define IPFI_TCP_END_MIDSTREAM (1 << 4) /* it may have sent more than was seen of it */
#define IPFI_TCP_END_SILENT \
	(1 << 5) /* nothing of it was seen that fits what the other end says of it */
#define IPFI_TCP_END_STRAY \
	(1 << 6) /* not known; sent an ACK for a connection of old, kept in end */
#define IPFI_TCP_END_KEPT (1 << 7) /* has sent the SYN in ipfi_tcp.kept */

/* Sequence numbers compare modulo 2^32 (RFC 9293 section 3.4). */
static inline bool ipfi_tcp_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool ipfi_tcp_after(u32 a, u32 b)
{
	return (s32)(a - b) > 0;
}

/* The sequence number behind @packet: SYN and FIN take one each. */
static inline u32 ipfi_tcp_segment_end(const struct ipfi_packet *packet)
{
	return packet->seq + packet->payload + !!(packet->tcp_flags & IPFI_TCP_SYN) +
	       !!(packet->tcp_flags & IPFI_TCP_FIN);
}

/* Does everything that opened or closed the connection so far, SYN or FIN, stand acknowledged? */
static inline bool ipfi_tcp_settled(const struct ipfi_tcp *tcp)
{
	return !((tcp->ends[0].flags | tcp->ends[1].flags) & IPFI_TCP_END_UNACKED);
}

/*
 * Begins the end of @direction anew with its SYN or SYN+ACK. If the other end is known the window
 * scale is settled: both must have offered it (RFC 7323 section 2.2).
 */
void ipfi_tcp_start(struct ipfi_tcp *tcp, const struct ipfi_packet *packet, unsigned int direction);

/* The same SYN again, maybe with other options or data: some ends leave options off when
 * unanswered. */
void ipfi_tcp_start_again(struct ipfi_tcp_end *end, const struct ipfi_packet *packet);

/*
 * Begins both ends with a segment from the middle of a connection, sent in @direction. Neither the
 * scale of the windows is known nor what was promised and sent before, maybe in segments that this
 * one has overtaken: the scale counts as the largest that can be, and so do the windows until the
 * other end has spoken within what was seen.
 */
void ipfi_tcp_pick_up(struct ipfi_tcp *tcp, const struct ipfi_packet *packet, unsigned int direction);

/* Does @ack acknowledge the SYN of @end, and nothing that was not sent? */
bool ipfi_tcp_acks_syn(const struct ipfi_tcp_end *end, u32 ack);

/* What the windows say of a segment. */
enum ipfi_tcp_fit {
	IPFI_TCP_BEYOND, /* its end cannot have sent it: rules I and III */
	IPFI_TCP_OLD,	 /* it lies behind the window alone: rules II and IV */
	IPFI_TCP_FITS,
};

/*
 * Can the end of @direction have sent this segment, which has ACK? Rules I to IV above. Both ends
 * are known.
 */
enum ipfi_tcp_fit ipfi_tcp_fits(const struct ipfi_tcp *tcp, const struct ipfi_packet *packet,
				unsigned int direction);

/* Takes note of a segment that fits. */
void ipfi_tcp_note(struct ipfi_tcp *tcp, const struct ipfi_packet *packet, unsigned int direction);

#endif /* IPFI_CORE_TCP_WINDOW_H */
