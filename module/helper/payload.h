/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to a TCP segment whose connection has edits: its numbers, its SACK blocks, its payload. */
#ifndef IPFI_PAYLOAD_H
#define IPFI_PAYLOAD_H

#include <linux/skbuff.h>
#include "module/core/packet.h"
#include "module/core/sequence.h"

/*
 * Makes @skb, parsed as @packet, one piece that may be written and whose payload can be read at
 * ipfi_payload_data(). False without memory. Pointers into @skb are stale then.
 */
bool ipfi_payload_open(struct sk_buff *skb, struct ipfi_packet *packet);

static inline const u8 *ipfi_payload_data(const struct sk_buff *skb, const struct ipfi_packet *packet)
{
	return skb_network_header(skb) + packet->transport + 20 + packet->tcp_options_length;
}

/* Maps ACK number and SACK blocks, of the direction that @sequence does not edit, into the sender's numbers. The
 * segment is open. */
void ipfi_payload_map_ack(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_seqadj *sequence);

/* Lets the segment, which is open, leave as @cut says. False without memory. */
bool ipfi_payload_write(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_seqadj_cut *cut);

#endif /* IPFI_PAYLOAD_H */
