// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/flow.h"
#include "module/core/tcp_options.h"
#include "module/core/tcp_resync.h"
#include "module/core/tcp_window.h"

static void keep(struct ipfi_tcp *tcp, unsigned int direction, const struct ipfi_tcp_syn *syn)
{
	ipfi_tcp_forget_syn(tcp);
	tcp->kept = *syn;
	tcp->ends[direction].flags |= IPFI_TCP_END_KEPT;
}

void ipfi_tcp_keep_syn(struct ipfi_tcp *tcp, const struct ipfi_packet *syn, unsigned int direction)
{
	struct ipfi_tcp_offer offer;
	struct ipfi_tcp_syn kept;

	ipfi_tcp_offer(syn, &offer);
	kept.seq = syn->seq;
	kept.window = syn->window;
	/* With more data than that, only an answer to the SYN without any is known for one. */
	kept.payload =
		syn->payload <= IPFI_TCP_KEPT_PAYLOAD ? syn->payload & IPFI_TCP_KEPT_PAYLOAD : 0;
	kept.scale = offer.scale & 0xf;
	kept.sack = offer.sack;
	kept.denied = false;
	keep(tcp, direction, &kept);
}

/* The SYN by which @end is known, as far as its answer has not changed that. */
static void own_syn(const struct ipfi_tcp_end *end, struct ipfi_tcp_syn *syn)
{
	const bool unacked = end->flags & IPFI_TCP_END_UNACKED;
	u32 window = ipfi_tcp_window(end), payload;

	syn->seq = unacked ? end->acked : end->acked - 1;
	payload = end->end - syn->seq - 1;
	syn->window = window > 0xffff ? 0xffff : (u16)window;
	syn->payload = payload <= IPFI_TCP_KEPT_PAYLOAD ? payload & IPFI_TCP_KEPT_PAYLOAD : 0;
	syn->scale = end->offered;
	syn->sack = !!(end->flags & IPFI_TCP_END_SACK);
	syn->denied = false;
}

void ipfi_tcp_keep_own_syn(struct ipfi_tcp *tcp, unsigned int direction)
{
	struct ipfi_tcp_syn syn;

	own_syn(&tcp->ends[direction], &syn);
	keep(tcp, direction, &syn);
}

void ipfi_tcp_forget_syn(struct ipfi_tcp *tcp)
{
	tcp->ends[0].flags &= ~IPFI_TCP_END_KEPT;
	tcp->ends[1].flags &= ~IPFI_TCP_END_KEPT;
}

bool ipfi_tcp_answers_kept(const struct ipfi_tcp *tcp, const struct ipfi_packet *packet,
			   unsigned int direction)
{
	u32 acked = packet->ack - tcp->kept.seq;

	return tcp->ends[!direction].flags & IPFI_TCP_END_KEPT &&
	       packet->tcp_flags & IPFI_TCP_ACK &&
	       packet->tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_RST) &&
	       (acked == 1 || acked == 1U + tcp->kept.payload);
}

void ipfi_tcp_recall_syn(const struct ipfi_tcp *tcp, const struct ipfi_packet *answer,
			 u8 options[IPFI_TCP_RECALLED_OPTIONS], struct ipfi_packet *syn)
{
	const struct ipfi_tcp_syn *kept = &tcp->kept;

	*syn = *answer;
	syn->tuple.src = answer->tuple.dst;
	syn->tuple.dst = answer->tuple.src;
	syn->tuple.sport = answer->tuple.dport;
	syn->tuple.dport = answer->tuple.sport;
	syn->length -= answer->payload;
	syn->tcp_flags = IPFI_TCP_SYN;
	syn->seq = kept->seq;
	syn->ack = 0;
	syn->window = kept->window;
	syn->payload = kept->payload;
	/* No-operation where there is nothing to say; window scale (3), SACK permitted (4). */
	memset(options, 1, IPFI_TCP_RECALLED_OPTIONS);
	if (kept->scale != IPFI_TCP_UNSCALED) {
		options[0] = 3;
		options[1] = 3;
		options[2] = kept->scale;
	}
	if (kept->sack) {
		options[4] = 4;
		options[5] = 2;
	}
	syn->tcp_options = options;
	syn->tcp_options_length = IPFI_TCP_RECALLED_OPTIONS;
}

void ipfi_tcp_resync(struct ipfi_flow *flow, const struct ipfi_packet *syn)
{
	const bool opening =
		flow->state == IPFI_STATE_SYN_SENT || flow->state == IPFI_STATE_SYN_RECV;
	struct ipfi_tcp_syn before;

	own_syn(&flow->tcp.ends[IPFI_ORIGINAL], &before);
	memset(&flow->tcp, 0, sizeof(flow->tcp));
	ipfi_tcp_start(&flow->tcp, syn, IPFI_ORIGINAL);
	if (opening)
		keep(&flow->tcp, IPFI_ORIGINAL, &before);
	flow->state = IPFI_STATE_SYN_SENT;
	flow->flags &= ~(IPFI_STATE_F_MIDSTREAM | IPFI_STATE_F_REPLY_SEEN);
}
