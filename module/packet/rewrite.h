/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What translation writes into a packet: addresses, ports, identifiers, and every checksum they are part of. */
#ifndef IPFI_REWRITE_H
#define IPFI_REWRITE_H

#include <linux/skbuff.h>
#include "module/core/packet.h"
#include "module/core/tuple.h"

/*
 * Rewrites @skb, parsed as @packet, so that its tuple becomes @to, of the same family and protocol; packet->tuple
 * too. Nothing is changed when false is returned: @to is of another kind, the packet ends before what is to be
 * written, or there is no memory to make the headers writable. Pointers into @skb are stale then.
 */
bool ipfi_rewrite(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_tuple *to);

/* The same for the packet that an ICMP error quotes: packet->inner becomes @to. */
bool ipfi_rewrite_inner(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_tuple *to);

/* The same for the sequence number of the TCP segment that it quotes: packet->inner_seq becomes @seq. */
bool ipfi_rewrite_inner_seq(struct sk_buff *skb, struct ipfi_packet *packet, u32 seq);

/* The same for the addresses of an ICMP error itself. NULL leaves one as it is. */
bool ipfi_rewrite_outer(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_addr *src,
			const struct ipfi_addr *dst);

#endif /* IPFI_REWRITE_H */
