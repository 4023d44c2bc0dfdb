// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/tcp_options.h"
#include "module/core/tcp_window.h"

#define WINDOW_FIELD_MOST 0xffff
#define SCALE_MOST 14

/*
 * How far at least an acknowledgement may lag behind (rule IV): the window of an end without
 * scaling. RFC 5961 section 5.2 allows the largest window that the end has seen offered; but a
 * window may have been small all along, and segments are overtaken on their way here.
 */
#define LAG_LEAST WINDOW_FIELD_MOST

/* The largest window that there can be, bytes. */
#define MIDSTREAM_WINDOW ((u32)WINDOW_FIELD_MOST << SCALE_MOST)

/* The window that @packet offers, bytes. On a SYN it is never scaled (RFC 7323 section 2.2). */
static u32 offered_window(const struct ipfi_tcp_end *sender, const struct ipfi_packet *packet)
{
	u32 window = packet->window;

	if (!(packet->tcp_flags & IPFI_TCP_SYN))
		window <<= sender->scale;
	/* A closed window lets one byte pass, to probe it (RFC 9293 section 3.8.6.1). */
	return window ? window : 1;
}

/* Counts the sender's largest window in units of 1 << @scale, rounded up. */
static void rescale(struct ipfi_tcp_end *end, u8 scale)
{
	u32 window = ipfi_tcp_window(end);

	window = (window + (1U << scale) - 1) >> scale;
	end->window = window > WINDOW_FIELD_MOST ? WINDOW_FIELD_MOST : (u16)window;
	end->scale = scale;
}

void ipfi_tcp_start(struct ipfi_tcp *tcp, const struct ipfi_packet *packet, unsigned int direction)
{
	struct ipfi_tcp_end *sender = &tcp->ends[direction];
	struct ipfi_tcp_end *receiver = &tcp->ends[!direction];
	struct ipfi_tcp_offer offer;
	bool scaled;
	u32 edge;

	ipfi_tcp_offer(packet, &offer);
	sender->end = ipfi_tcp_segment_end(packet);
	sender->acked = packet->seq;
	sender->max_end = sender->end;
	sender->window = packet->window ? packet->window : 1;
	sender->scale = 0;
	sender->offered = offer.scale;
	sender->flags = (sender->flags & IPFI_TCP_END_KEPT) | IPFI_TCP_END_KNOWN |
			IPFI_TCP_END_UNACKED | (offer.sack ? IPFI_TCP_END_SACK : 0);
	if (!(receiver->flags & IPFI_TCP_END_KNOWN))
		return;

	sender->max_end = packet->seq + 1 + ipfi_tcp_window(receiver);
	if (packet->tcp_flags & IPFI_TCP_ACK) {
		edge = packet->ack + sender->window;
		if (ipfi_tcp_after(edge, receiver->max_end))
			receiver->max_end = edge;
		if (ipfi_tcp_after(packet->ack, receiver->acked)) {
			receiver->acked = packet->ack;
			receiver->flags &= ~IPFI_TCP_END_UNACKED;
		}
	}

	scaled = sender->offered != IPFI_TCP_UNSCALED && receiver->offered != IPFI_TCP_UNSCALED;
	rescale(sender, scaled ? sender->offered : 0);
	rescale(receiver, scaled ? receiver->offered : 0);
}

void ipfi_tcp_start_again(struct ipfi_tcp_end *end, const struct ipfi_packet *packet)
{
	struct ipfi_tcp_offer offer;
	u32 segment_end = ipfi_tcp_segment_end(packet);

	/* Which of its SYNs gets answered is not known: what any of them offered may come into
	 * force. */
	ipfi_tcp_offer(packet, &offer);
	if (offer.scale != IPFI_TCP_UNSCALED)
		end->offered = offer.scale;
	if (offer.sack)
		end->flags |= IPFI_TCP_END_SACK;
	if (packet->window > end->window)
		end->window = packet->window;
	if (ipfi_tcp_after(segment_end, end->end)) {
		end->end = segment_end;
		end->max_end = segment_end;
	}
}

void ipfi_tcp_pick_up(struct ipfi_tcp *tcp, const struct ipfi_packet *packet, unsigned int direction)
{
	struct ipfi_tcp_end *sender = &tcp->ends[direction];
	struct ipfi_tcp_end *receiver = &tcp->ends[!direction];

	sender->flags = IPFI_TCP_END_KNOWN | IPFI_TCP_END_MIDSTREAM;
	if (packet->tcp_flags & IPFI_TCP_FIN)
		sender->flags |= IPFI_TCP_END_FIN | IPFI_TCP_END_UNACKED;
	sender->scale = SCALE_MOST;
	sender->window = packet->window ? packet->window : 1;
	sender->end = ipfi_tcp_segment_end(packet);
	sender->acked = packet->seq;
	sender->max_end = sender->end + MIDSTREAM_WINDOW;

	receiver->flags = IPFI_TCP_END_KNOWN | IPFI_TCP_END_MIDSTREAM | IPFI_TCP_END_SILENT;
	receiver->scale = SCALE_MOST;
	receiver->window = WINDOW_FIELD_MOST;
	receiver->end = packet->ack;
	receiver->acked = packet->ack;
	receiver->max_end = receiver->end + MIDSTREAM_WINDOW;
}

/*
 * A segment of an end that ipfi_tcp_pick_up() knew by hearsay. It may have waited for less than what
 * the first segment seen began with. If it acknowledges no more than was seen, and begins within
 * the windows that were seen, both ends speak of one connection: from here on these windows count.
 */
static void heard(struct ipfi_tcp_end *sender, struct ipfi_tcp_end *receiver,
		  const struct ipfi_packet *packet)
{
	u32 window = ipfi_tcp_window(receiver);
	u32 end = ipfi_tcp_segment_end(packet);

	if (ipfi_tcp_before(packet->ack, receiver->acked))
		receiver->acked = packet->ack;
	if (ipfi_tcp_after(packet->ack, receiver->end) ||
	    ipfi_tcp_after(packet->seq, sender->acked + (window < LAG_LEAST ? LAG_LEAST : window)))
		return;
	sender->flags &= ~IPFI_TCP_END_SILENT;
	/* What it offers itself follows. */
	sender->window = 1;
	receiver->max_end = receiver->end;
	sender->max_end = sender->acked + window;
	if (ipfi_tcp_after(end, sender->max_end))
		sender->max_end = end;
}

bool ipfi_tcp_acks_syn(const struct ipfi_tcp_end *end, u32 ack)
{
	u32 least = end->flags & IPFI_TCP_END_UNACKED ? end->acked + 1 : end->acked;

	return !ipfi_tcp_before(ack, least) && !ipfi_tcp_after(ack, end->end);
}

/* What @packet acknowledges at most: with SACK in force, also beyond a gap (RFC 2018). */
static u32 acknowledged_edge(const struct ipfi_tcp *tcp, const struct ipfi_packet *packet)
{
	if (tcp->ends[0].flags & tcp->ends[1].flags & IPFI_TCP_END_SACK)
		return ipfi_tcp_sack_edge(packet);
	return packet->ack;
}

enum ipfi_tcp_fit ipfi_tcp_fits(const struct ipfi_tcp *tcp, const struct ipfi_packet *packet,
				unsigned int direction)
{
	const struct ipfi_tcp_end *sender = &tcp->ends[direction];
	const struct ipfi_tcp_end *receiver = &tcp->ends[!direction];
	u32 end = ipfi_tcp_segment_end(packet);
	u32 edge = acknowledged_edge(tcp, packet);
	u32 lag = ipfi_tcp_window(sender);
	u32 sent = receiver->end;

	/* I. What only begins in the window is for its receiver to trim (RFC 9293
	 * section 3.10.7.4). */
	if (ipfi_tcp_after(end == packet->seq ? packet->seq : packet->seq + 1, sender->max_end))
		return IPFI_TCP_BEYOND;
	/* III. */
	if ((receiver->flags & (IPFI_TCP_END_MIDSTREAM | IPFI_TCP_END_FIN)) == IPFI_TCP_END_MIDSTREAM)
		sent = receiver->max_end;
	if (ipfi_tcp_after(edge, sent))
		return IPFI_TCP_BEYOND;
	/* While the SYN waits for it, only what acknowledges the SYN will do. */
	if ((receiver->flags & (IPFI_TCP_END_UNACKED | IPFI_TCP_END_FIN)) == IPFI_TCP_END_UNACKED) {
		if (!ipfi_tcp_after(packet->ack, receiver->acked))
			return IPFI_TCP_BEYOND;
	} else {
		/* IV. */
		if (lag < LAG_LEAST)
			lag = LAG_LEAST;
		if (ipfi_tcp_before(edge, receiver->acked - lag))
			return IPFI_TCP_OLD;
	}
	/* II. */
	return ipfi_tcp_before(end, sender->end - ipfi_tcp_window(receiver)) ? IPFI_TCP_OLD
									     : IPFI_TCP_FITS;
}

void ipfi_tcp_note(struct ipfi_tcp *tcp, const struct ipfi_packet *packet, unsigned int direction)
{
	struct ipfi_tcp_end *sender = &tcp->ends[direction];
	struct ipfi_tcp_end *receiver = &tcp->ends[!direction];
	u32 end = ipfi_tcp_segment_end(packet);
	u32 window = offered_window(sender, packet);
	u32 ack = packet->ack;

	if (unlikely(sender->flags & IPFI_TCP_END_SILENT))
		heard(sender, receiver, packet);

	if (window > ipfi_tcp_window(sender))
		sender->window = (u16)((window + (1U << sender->scale) - 1) >> sender->scale);
	if (ipfi_tcp_after(end, sender->end))
		sender->end = end;
	if (unlikely(packet->tcp_flags & IPFI_TCP_FIN && !(sender->flags & IPFI_TCP_END_FIN)))
		sender->flags |= IPFI_TCP_END_FIN | IPFI_TCP_END_UNACKED;

	if (ipfi_tcp_after(ack, receiver->acked)) {
		receiver->acked = ack;
		if (unlikely(ipfi_tcp_after(ack, receiver->end)))
			receiver->end = ack;
		if (unlikely(receiver->flags & IPFI_TCP_END_UNACKED) &&
		    (!(receiver->flags & IPFI_TCP_END_FIN) || ack == receiver->end))
			receiver->flags &= ~IPFI_TCP_END_UNACKED;
	}
	if (ipfi_tcp_after(ack + window, receiver->max_end))
		receiver->max_end = ack + window;
}

bool ipfi_tcp_has_sent(const struct ipfi_tcp *tcp, unsigned int direction, u32 seq)
{
	const struct ipfi_tcp_end *sender = &tcp->ends[direction];
	const struct ipfi_tcp_end *receiver = &tcp->ends[!direction];
	u32 back = ipfi_tcp_window(receiver);

	if (sender->flags & IPFI_TCP_END_KEPT && seq == tcp->kept.seq)
		return true;
	/* What it may have to send again is no more than the largest window it was given; of one
	 * that was not seen it may be that without scaling. */
	if (back < WINDOW_FIELD_MOST || receiver->flags & IPFI_TCP_END_SILENT)
		back = WINDOW_FIELD_MOST;
	return sender->flags & IPFI_TCP_END_KNOWN && !ipfi_tcp_after(seq, sender->end) &&
	       !ipfi_tcp_before(seq, sender->end - back - 1);
}
