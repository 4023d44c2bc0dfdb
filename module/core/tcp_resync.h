/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends out of step: a SYN meets a connection that its receiver may know nothing of any more (RFC
 * 9293 sections 3.5 and 3.5.1).
 *
 * Such a SYN passes without effect. Whether it opened a connection only the other end knows; it
 * says so with a SYN+ACK, or a RST, that acknowledges this SYN and nothing else. Therefore the last
 * SYN of that kind is kept, and the answer to it takes the connection up again as that SYN opens
 * it. The SYN alone, which anybody can forge, does nothing; nor does any segment but that answer,
 * from that end.
 *
 * Of two SYNs in a row, before any answer, the first is kept in the same way: either may be an old
 * duplicate (RFC 9293 section 3.5, figure 9), and the answers tell which.
 */
#ifndef IPFI_CORE_TCP_RESYNC_H
#define IPFI_CORE_TCP_RESYNC_H

#include "module/core/packet.h"
#include "module/core/tcp.h"

/* Bytes of the options that ipfi_tcp_recall_syn() writes. */
#define IPFI_TCP_RECALLED_OPTIONS 8

/* Is @packet, of TCP, a SYN that acknowledges nothing? */
static inline bool ipfi_tcp_is_syn(const struct ipfi_packet *packet)
{
	return (packet->tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_ACK)) == IPFI_TCP_SYN;
}

/* Keeps @syn, a SYN of the end of @direction, in the place of one kept before. */
void ipfi_tcp_keep_syn(struct ipfi_tcp *tcp, const struct ipfi_packet *syn, unsigned int direction);

/* Forgets the SYN that is kept, if there is one. */
void ipfi_tcp_forget_syn(struct ipfi_tcp *tcp);

/* Does @packet, of @direction, answer the SYN that is kept: is it a SYN+ACK or a RST that
 * acknowledges exactly that? */
bool ipfi_tcp_answers_kept(const struct ipfi_tcp *tcp, const struct ipfi_packet *packet,
			   unsigned int direction);

/*
 * The SYN that @answer answers: its tuple and what TCP's header said. All else, the caller's part
 * too, is as in @answer, but for the length, which is that of a packet without data. @options is
 * where its options are.
 */
void ipfi_tcp_recall_syn(const struct ipfi_tcp *tcp, const struct ipfi_packet *answer,
			 u8 options[IPFI_TCP_RECALLED_OPTIONS], struct ipfi_packet *syn);

/*
 * Makes @flow that of the connection which the kept SYN of its original direction opens. Its
 * counters go on. Before the handshake is over the SYN that had been taken for the right one is
 * kept instead.
 */
void ipfi_tcp_resync(struct ipfi_flow *flow, const struct ipfi_packet *syn);

/* For who begins an end anew with another SYN before any answer: keeps the one that it has. */
void ipfi_tcp_keep_own_syn(struct ipfi_tcp *tcp, unsigned int direction);

#endif /* IPFI_CORE_TCP_RESYNC_H */
