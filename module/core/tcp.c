// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The TCP machine.
 *
 * A segment is first turned into an event: what it means to this connection, by its flags and, for
 * SYN and RST, by its numbers. The table below then says where the event leads from the state the
 * connection is in; where it says nothing the segment is impossible and dropped. Segments with ACK
 * must also fit the windows (tcp_window.h) before anything is taken note of: nothing follows from a
 * segment that is dropped or ignored.
 *
 * Handshake and close are not told by counting ACKs. Each SYN and FIN waits for the acknowledgement
 * of its own sequence number, and the event SETTLED comes when none waits any more. Simultaneous
 * open, simultaneous close and a FIN that acknowledges a FIN thereby need no states of their own,
 * and what only repeats a SYN or a FIN is no news.
 */
#include "module/core/flow.h"
#include "module/core/tcp_options.h"
#include "module/core/tcp_resync.h"
#include "module/core/tcp_window.h"

enum event {
	SYN_AGAIN, /* the SYN that began this end's side, once more */
	SYN_NEWER, /* a SYN behind all that this end has sent: no old duplicate */
	SYN_OTHER, /* any other SYN */
	SYN_ACK,   /* acknowledges a SYN, or repeats that */
	ACK,       /* neither data nor anything that opens or closes */
	DATA,      /* ACK with data, or with a FIN seen before */
	FIN,       /* ACK with this end's first FIN */
	SETTLED, /* the second step after another: now all SYNs and FINs so far are acknowledged */
	RST_EXACT, /* a reset with the very sequence number that its receiver waits for */
	RST_NEAR,  /* a reset in the window */
	EVENTS,
};

#define SS IPFI_STATE_SYN_SENT
#define SR IPFI_STATE_SYN_RECV
#define ES IPFI_STATE_ESTABLISHED
#define FW IPFI_STATE_FIN_WAIT
#define CW IPFI_STATE_CLOSE_WAIT
#define LA IPFI_STATE_LAST_ACK
#define TW IPFI_STATE_TIME_WAIT
#define CL IPFI_STATE_CLOSED

/* Besides states, a cell may say: */
enum {
	IG = __IPFI_STATE_END, /* ignore it: it passes, for the ends to sort out */
	RE,                    /* reopen: the next connection between the two */
};

#define BOTH IPFI_ORIGINAL ... IPFI_REPLY

/* [event][direction of the segment][state]: the next state, IG or RE; 0 for what cannot be. */
static const u8 transitions[EVENTS][2][__IPFI_STATE_END] = {
	[SYN_AGAIN] = {
		[IPFI_ORIGINAL] = {
			[SS] = SS, /* unanswered */
			[SR] = SR, /* the SYN+ACK was lost */
			[ES] = IG, /* delayed: draws a challenge ACK (RFC 5961 section 4.2) */
			[FW] = IG,
			[CW] = IG,
			[LA] = IG,
			[TW] = IG, /* an old duplicate (RFC 1122 section 4.2.2.13) */
			[CL] = RE,
		},
		[IPFI_REPLY] = {
			[SR] = SR, /* simultaneous open, unanswered */
			[ES] = IG,
			[FW] = IG,
			[CW] = IG,
			[LA] = IG,
			[TW] = IG,
			[CL] = RE,
		},
	},
	[SYN_NEWER] = {
		[IPFI_ORIGINAL] = {
			[SS] = SS, /* another try from the same port */
			[SR] = IG, /* the ACK of the first makes the client reset that */
			[ES] = IG, /* so too if the client rebooted; forged, it does no harm */
			[FW] = IG,
			[CW] = IG,
			[LA] = IG,
			[TW] = RE, /* RFC 1122 section 4.2.2.13, RFC 6191 */
			[CL] = RE,
		},
		[IPFI_REPLY] = {
			[SS] = SR, /* simultaneous open: SYN crosses SYN */
			[SR] = IG,
			[ES] = IG,
			[FW] = IG,
			[CW] = IG,
			[LA] = IG,
			[TW] = RE, /* the other way round, if the rules allow that */
			[CL] = RE,
		},
	},
	[SYN_OTHER] = {
		[IPFI_ORIGINAL] = {
			[SS] = SS, /* another try, with a number chosen at random */
			[SR] = IG,
			[ES] = IG,
			[FW] = IG,
			[CW] = IG,
			[LA] = IG,
			[TW] = IG, /* maybe an old duplicate */
			[CL] = RE,
		},
		[IPFI_REPLY] = {
			[SR] = IG,
			[ES] = IG,
			[FW] = IG,
			[CW] = IG,
			[LA] = IG,
			[TW] = IG,
			[CL] = RE,
		},
	},
	[SYN_ACK] = {
		[IPFI_ORIGINAL] = {
			/* [SS]: answers nothing */
			[SR] = SR, /* simultaneous open: each end acknowledges the other's SYN */
			[ES] = ES, /* so too, sent again */
			[FW] = FW,
			[CW] = CW,
			[LA] = LA,
			[TW] = TW,
			[CL] = IG, /* as data there */
		},
		[IPFI_REPLY] = {
			[SS] = SR, /* the server answers */
			[SR] = SR, /* and once more: no ACK of it came */
			[ES] = ES, /* the ACK was lost behind here */
			[FW] = FW,
			[CW] = CW,
			[LA] = LA,
			[TW] = TW,
			[CL] = IG,
		},
	},
	[ACK] = {
		[IPFI_ORIGINAL] = {
			/* [SS]: of what? */
			[SR] = SR, /* if it completes the handshake SETTLED follows */
			[ES] = ES,
			[FW] = FW,
			[CW] = CW,
			[LA] = LA,
			[TW] = TW, /* the last FIN came twice, and so does its ACK */
			[CL] = IG, /* a challenge: who sent the reset must see it (RFC 5961) */
		},
		[IPFI_REPLY] = {
			[SS] = IG, /* of a connection of old, which the client will reset
				    * (RFC 9293 section 3.5.1) */
			[SR] = SR,
			[ES] = ES,
			[FW] = FW,
			[CW] = CW,
			[LA] = LA,
			[TW] = TW,
			[CL] = IG,
		},
	},
	[DATA] = {
		[BOTH] = {
			/* [SS]: before the handshake data comes on the SYN alone (RFC 7413) */
			[SR] = SR, /* in answer to data on the SYN */
			[ES] = ES,
			[FW] = FW, /* overtaken by the FIN, or of the half still open */
			[CW] = CW, /* of the half still open */
			[LA] = LA, /* sent again */
			[TW] = TW, /* sent again: the last ACK was lost */
			[CL] = IG, /* draws another reset, should the first have been lost */
		},
	},
	[FIN] = {
		[BOTH] = {
			/* [SS]: there is nothing to close */
			[SR] = FW, /* the ACK of the SYN may be the same segment */
			[ES] = FW,
			[FW] = LA, /* the second FIN, maybe with the ACK of the first */
			[CW] = LA,
			/* [LA], [TW]: no third FIN */
			[CL] = IG, /* as data there */
		},
	},
	[SETTLED] = {
		[BOTH] = {
			[SR] = ES, /* both SYNs are acknowledged */
			[ES] = ES,
			[FW] = CW, /* the one FIN is */
			[CW] = CW,
			[LA] = TW, /* both FINs are */
			[TW] = TW,
		},
	},
	[RST_EXACT] = {
		[BOTH] = {
			[SS] = CL, /* refused, or given up */
			[SR] = CL,
			[ES] = CL,
			[FW] = CL,
			[CW] = CL,
			[LA] = CL,
			[TW] = CL,
			[CL] = CL, /* answers what was under way when the first was sent */
		},
	},
	[RST_NEAR] = {
		[BOTH] = {
			[SS] = CL, /* inside the SYN's data (RFC 7413) */
			[SR] = IG, /* draws a challenge ACK (RFC 5961 section 3.2), ... */
			[ES] = IG, /* ... and what answers that, if it was meant, is exact */
			[FW] = CL, /* it ends anyway, and often has lost what makes it inexact */
			[CW] = CL,
			[LA] = CL,
			[TW] = CL,
			[CL] = CL,
		},
	},
};

#undef BOTH

/*
 * The combinations of FIN, SYN, RST and ACK that senders make. PSH and URG speak of data and change
 * nothing of what a segment means to the connection (RFC 9293 section 3.10.7); nor do the two
 * highest bits, which belong to congestion notification (RFC 3168).
 */
#define COMBINATION(flags) (1U << (flags))

static const u32 good_flags = COMBINATION(IPFI_TCP_SYN) | COMBINATION(IPFI_TCP_SYN | IPFI_TCP_ACK) |
			      COMBINATION(IPFI_TCP_ACK) | COMBINATION(IPFI_TCP_FIN | IPFI_TCP_ACK) |
			      COMBINATION(IPFI_TCP_RST) | COMBINATION(IPFI_TCP_RST | IPFI_TCP_ACK);

bool ipfi_tcp_flags_bad(u8 flags)
{
	return !(good_flags >>
			 (flags & (IPFI_TCP_FIN | IPFI_TCP_SYN | IPFI_TCP_RST | IPFI_TCP_ACK)) &
		 1);
}

int ipfi_tcp_open(struct ipfi_flow *flow, const struct ipfi_packet *packet,
		  const struct ipfi_limits *limits)
{
	memset(&flow->tcp, 0, sizeof(flow->tcp));
	switch (packet->tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_RST | IPFI_TCP_ACK)) {
	case IPFI_TCP_SYN:
		ipfi_tcp_start(&flow->tcp, packet, IPFI_ORIGINAL);
		flow->state = IPFI_STATE_SYN_SENT;
		return 0;
	case IPFI_TCP_ACK:
		if (!limits->value[IPFI_LIMIT_TCP_LOOSE])
			return -IPFI_REASON_TCP_NOT_SYN;
		ipfi_tcp_pick_up(&flow->tcp, packet, IPFI_ORIGINAL);
		flow->state = packet->tcp_flags & IPFI_TCP_FIN ? IPFI_STATE_FIN_WAIT :
								 IPFI_STATE_ESTABLISHED;
		flow->flags |= IPFI_STATE_F_MIDSTREAM;
		return 0;
	default:
		return -IPFI_REASON_TCP_STATE;
	}
}

static int drop(u8 *reason, enum ipfi_reason why)
{
	*reason = why;
	return IPFI_ADVANCE_DROP;
}

static int ignore(u8 *reason)
{
	*reason = IPFI_REASON_CHALLENGE;
	return IPFI_ADVANCE_IGNORE;
}

/* The segment is noted and leads to @state, and further if all SYNs and FINs are acknowledged now.
 */
static int pass(struct ipfi_flow *flow, unsigned int direction, u8 state)
{
	if (state != IPFI_STATE_ESTABLISHED && ipfi_tcp_settled(&flow->tcp))
		state = transitions[SETTLED][direction][state];
	if (flow->state != state) {
		/* The end of the handshake has told which SYN was right. */
		if (flow->state == IPFI_STATE_SYN_RECV)
			ipfi_tcp_forget_syn(&flow->tcp);
		flow->state = state;
	}
	return IPFI_ADVANCE_PASS;
}

static bool both_known(const struct ipfi_tcp *tcp)
{
	return tcp->ends[0].flags & tcp->ends[1].flags & IPFI_TCP_END_KNOWN;
}

static enum event syn_event(const struct ipfi_tcp_end *sender, const struct ipfi_packet *packet,
			    u8 state)
{
	struct ipfi_tcp_offer offer;

	if (!(sender->flags & IPFI_TCP_END_KNOWN))
		return SYN_NEWER;
	/* Once acknowledged it is known by that; or by its end, if data on it was so too. */
	if (sender->flags & IPFI_TCP_END_UNACKED ?
		    packet->seq == sender->acked :
		    packet->seq + 1 == sender->acked || ipfi_tcp_segment_end(packet) == sender->end)
		return SYN_AGAIN;
	if (ipfi_tcp_after(packet->seq, sender->end))
		return SYN_NEWER;
	/*
	 * An end that uses timestamps tells old from new by them (RFC 6191). They are not kept
	 * here: the end itself is left to decide.
	 */
	if (state == IPFI_STATE_TIME_WAIT) {
		ipfi_tcp_offer(packet, &offer);
		if (offer.timestamps)
			return SYN_NEWER;
	}
	return SYN_OTHER;
}

bool ipfi_tcp_reopens(const struct ipfi_flow *flow, const struct ipfi_packet *packet, unsigned int direction)
{
	enum event event = syn_event(&flow->tcp.ends[direction], packet, flow->state);

	return transitions[event][direction][flow->state] == RE;
}

static int advance_syn(struct ipfi_flow *flow, const struct ipfi_packet *packet,
		       unsigned int direction, u8 *reason)
{
	struct ipfi_tcp_end *sender = &flow->tcp.ends[direction];
	enum event event = syn_event(sender, packet, flow->state);
	u8 next = transitions[event][direction][flow->state];

	switch (next) {
	case 0:
		return drop(reason, IPFI_REASON_TCP_STATE);
	case IG:
		ipfi_tcp_keep_syn(&flow->tcp, packet, direction);
		return ignore(reason);
	case RE:
		return IPFI_ADVANCE_REOPEN;
	}
	if (event != SYN_AGAIN) {
		if (sender->flags & IPFI_TCP_END_KNOWN)
			ipfi_tcp_keep_own_syn(&flow->tcp, direction);
		ipfi_tcp_start(&flow->tcp, packet, direction);
	} else if (flow->state == IPFI_STATE_SYN_SENT)
		ipfi_tcp_start_again(sender, packet);
	return pass(flow, direction, next);
}

/* Is it the SYN+ACK of the live connection once more? Its end sends nothing that it has not sent
 * before; of a guess that began with a keep-alive one number less is known. */
static enum ipfi_tcp_fit fits_again(const struct ipfi_flow *flow, const struct ipfi_packet *packet,
				    unsigned int direction)
{
	const struct ipfi_tcp_end *sender = &flow->tcp.ends[direction];
	u32 most = sender->end + !!(sender->flags & IPFI_TCP_END_MIDSTREAM);

	if (!both_known(&flow->tcp) || ipfi_tcp_after(ipfi_tcp_segment_end(packet), most))
		return IPFI_TCP_BEYOND;
	return ipfi_tcp_fits(&flow->tcp, packet, direction);
}

/* Does it answer the connection's own SYN, even if there is another that it would answer? */
static bool is_own_syn_ack(const struct ipfi_flow *flow, const struct ipfi_packet *packet,
			   unsigned int direction, enum ipfi_tcp_fit fit)
{
	const struct ipfi_tcp_end *receiver = &flow->tcp.ends[!direction];

	switch (flow->state) {
	case IPFI_STATE_SYN_SENT:
		return direction == IPFI_REPLY && ipfi_tcp_acks_syn(receiver, packet->ack);
	case IPFI_STATE_SYN_RECV:
		return fit == IPFI_TCP_FITS && packet->ack == receiver->acked;
	case IPFI_STATE_TIME_WAIT:
	case IPFI_STATE_CLOSED:
		return false; /* it has no more use for one */
	default:
		return fit == IPFI_TCP_FITS;
	}
}

static int advance_syn_ack(struct ipfi_flow *flow, const struct ipfi_packet *packet,
			   unsigned int direction, u8 *reason)
{
	struct ipfi_tcp_end *sender = &flow->tcp.ends[direction];
	struct ipfi_tcp_end *receiver = &flow->tcp.ends[!direction];
	u8 next = transitions[SYN_ACK][direction][flow->state];
	enum ipfi_tcp_fit fit = fits_again(flow, packet, direction);

	if (ipfi_tcp_answers_kept(&flow->tcp, packet, direction) &&
	    !is_own_syn_ack(flow, packet, direction, fit))
		return IPFI_ADVANCE_RESYNC;
	if (!next)
		return drop(reason, IPFI_REASON_TCP_STATE);
	/* Of one that was reset before it was answered. */
	if (!both_known(&flow->tcp) && next == IG)
		return receiver->flags & IPFI_TCP_END_KNOWN &&
				       ipfi_tcp_acks_syn(receiver, packet->ack)
			       ? ignore(reason)
			       : drop(reason, IPFI_REASON_TCP_WINDOW);
	/*
	 * The first; or another one in place of it while none is acknowledged: a server that keeps
	 * nothing (SYN cookies) may answer the second SYN with another number.
	 */
	if (direction == IPFI_REPLY &&
	    (flow->state == IPFI_STATE_SYN_SENT ||
	     (flow->state == IPFI_STATE_SYN_RECV && sender->flags & IPFI_TCP_END_UNACKED &&
	      packet->seq != sender->acked))) {
		if (!ipfi_tcp_acks_syn(receiver, packet->ack))
			return drop(reason, IPFI_REASON_TCP_WINDOW);
		ipfi_tcp_start(&flow->tcp, packet, direction);
		return pass(flow, direction, next);
	}
	if (fit == IPFI_TCP_BEYOND)
		return drop(reason, IPFI_REASON_TCP_WINDOW);
	if (next == IG || fit == IPFI_TCP_OLD)
		return ignore(reason);
	ipfi_tcp_note(&flow->tcp, packet, direction);
	return pass(flow, direction, next);
}

/*
 * A reset is believed by its sequence number (RFC 5961 section 3.2), but one that answers a SYN by
 * what it acknowledges (RFC 9293 section 3.10.7.3), and its sequence number is zero. The receiver
 * waits for what it acknowledged last, or, if an ACK of all that was sent is on its way, for the
 * end of that.
 */
static int advance_rst(struct ipfi_flow *flow, const struct ipfi_packet *packet,
		       unsigned int direction, u8 *reason)
{
	const struct ipfi_tcp_end *sender = &flow->tcp.ends[direction];
	const struct ipfi_tcp_end *receiver = &flow->tcp.ends[!direction];
	bool known = sender->flags & IPFI_TCP_END_KNOWN;
	enum event event;
	u8 next;

	if (direction == IPFI_REPLY && (!known || flow->state == IPFI_STATE_SYN_RECV) &&
	    packet->tcp_flags & IPFI_TCP_ACK && ipfi_tcp_acks_syn(receiver, packet->ack))
		event = RST_EXACT;
	else if (known && (packet->seq == sender->acked || packet->seq == sender->end))
		event = RST_EXACT;
	else if (ipfi_tcp_answers_kept(&flow->tcp, packet, direction))
		return IPFI_ADVANCE_RESYNC;
	else if (known && ipfi_tcp_after(packet->seq, sender->acked) &&
		 ipfi_tcp_before(packet->seq, sender->max_end))
		event = RST_NEAR;
	else if (receiver->flags & IPFI_TCP_END_STRAY && packet->seq == receiver->end)
		return ignore(reason); /* the client resets a connection of old, not this one */
	else if (flow->state == IPFI_STATE_CLOSED &&
		 ipfi_tcp_has_sent(&flow->tcp, direction, packet->seq))
		return ignore(reason); /* answers what was old itself; there is nothing to end */
	else
		return drop(reason, IPFI_REASON_TCP_RST);

	next = transitions[event][direction][flow->state];
	if (next == IG)
		return ignore(reason);
	flow->state = next;
	return IPFI_ADVANCE_PASS;
}

/* A FIN stands behind all that its end ever sends. */
static bool fin_in_order(const struct ipfi_tcp_end *sender, const struct ipfi_packet *packet)
{
	u32 end = ipfi_tcp_segment_end(packet);

	if (packet->tcp_flags & IPFI_TCP_FIN && ipfi_tcp_before(end, sender->end))
		return false;
	return !(sender->flags & IPFI_TCP_END_FIN && ipfi_tcp_after(end, sender->end));
}

static int advance_ack(struct ipfi_flow *flow, const struct ipfi_packet *packet,
		       unsigned int direction, u8 *reason)
{
	struct ipfi_tcp_end *sender = &flow->tcp.ends[direction];
	enum event event = packet->payload ? DATA : ACK;
	enum ipfi_tcp_fit fit;
	u8 next;

	if (unlikely(packet->tcp_flags & IPFI_TCP_FIN))
		event = sender->flags & IPFI_TCP_END_FIN ? DATA : FIN;
	next = transitions[event][direction][flow->state];
	if (unlikely(!next))
		return drop(reason, IPFI_REASON_TCP_STATE);

	if (unlikely(!both_known(&flow->tcp))) {
		if (flow->state != IPFI_STATE_SYN_SENT)
			return drop(reason, IPFI_REASON_TCP_STATE);
		sender->flags |= IPFI_TCP_END_STRAY;
		sender->end = packet->ack;
		return ignore(reason);
	}
	fit = ipfi_tcp_fits(&flow->tcp, packet, direction);
	if (unlikely(fit == IPFI_TCP_BEYOND))
		return drop(reason, IPFI_REASON_TCP_WINDOW);
	/* What is only old does no harm, and its receiver answers it with where it stands. */
	if (unlikely(fit == IPFI_TCP_OLD || next == IG))
		return ignore(reason);
	if (unlikely((packet->tcp_flags & IPFI_TCP_FIN || sender->flags & IPFI_TCP_END_FIN) &&
		     !fin_in_order(sender, packet)))
		return drop(reason, IPFI_REASON_TCP_STATE);
	ipfi_tcp_note(&flow->tcp, packet, direction);
	return pass(flow, direction, next);
}

int ipfi_tcp_advance(struct ipfi_flow *flow, const struct ipfi_packet *packet,
		     unsigned int direction, u8 *reason)
{
	if (likely(!(packet->tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_RST))))
		return advance_ack(flow, packet, direction, reason);
	if (packet->tcp_flags & IPFI_TCP_RST)
		return advance_rst(flow, packet, direction, reason);
	if (packet->tcp_flags & IPFI_TCP_ACK)
		return advance_syn_ack(flow, packet, direction, reason);
	return advance_syn(flow, packet, direction, reason);
}
