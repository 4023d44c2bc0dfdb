/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rewriting a packet in a buffer that ends where the packet does, and what must hold then: for the unit test and the
 * fuzz target of module/rewrite.c. Includes the stand-in for the kernel's headers.
 */
#ifndef IPFI_TESTS_REWRITING_H
#define IPFI_TESTS_REWRITING_H

#include <linux/skbuff.h>

#include "module/packet/rewrite.h"
#include "module/packet/skb.h"

/* NULL without memory. */
static inline struct sk_buff *rewriting_buffer(const u8 *data, unsigned int length, u8 ip_summed)
{
	struct sk_buff *skb = skb_make(length, 0);

	if (!skb)
		return NULL;
	memcpy(skb_put(skb, length), data, length);
	skb_reset_network_header(skb);
	skb->ip_summed = ip_summed;
	return skb;
}

static inline bool rewriting_same_kind(const struct ipfi_tuple *a, const struct ipfi_tuple *b)
{
	return a->family == b->family && a->proto == b->proto;
}

/* Does the byte at @at of @packet belong to what translation writes, outside (@inner: in what it quotes)? */
static inline bool rewriting_may_write(const struct ipfi_packet *packet, bool inner, unsigned int at)
{
	const unsigned int ip = inner ? packet->inner_at : 0;
	const unsigned int transport = inner ? packet->inner_transport : packet->transport;
	const struct ipfi_tuple *tuple = inner ? &packet->inner : &packet->tuple;

	/* ICMP's own checksum covers what is quoted. */
	if (inner && at >= packet->transport + 2U && at < packet->transport + 4U)
		return true;
	if (at >= transport && at < transport + 20)
		return true;
	if (at < ip)
		return false;
	at -= ip;
	return tuple->family == 4 ? at >= 10 && at < 20 : at >= 8 && at < 40;
}

/*
 * Rewrites a copy of a packet that parses so that it, or what it quotes, shows @to. Returns what does not hold, or
 * NULL; *done says whether it was rewritten.
 */
static inline const char *rewriting_try(const u8 *data, unsigned int length, u8 ip_summed, bool inner,
					const struct ipfi_tuple *to, bool *done)
{
	struct sk_buff *skb = rewriting_buffer(data, length, ip_summed);
	struct ipfi_packet packet = {}, before, after = {};
	const char *problem = NULL;
	unsigned int i;

	*done = false;
	if (!skb)
		return NULL;
	if (ipfi_skb_parse(skb, &packet) || (inner && !packet.inner.family)) {
		kfree_skb(skb);
		return NULL;
	}
	before = packet;
	*done = inner ? ipfi_rewrite_inner(skb, &packet, to) : ipfi_rewrite(skb, &packet, to);
	if (skb->len != length)
		problem = "its length has changed";
	for (i = 0; i < length && !problem; i++)
		if (skb->data[i] != data[i] && (!*done || !rewriting_may_write(&before, inner, i)))
			problem = *done ? "what is no part of a translation was written" :
					  "something was written though it says nothing was";
	if (*done && !rewriting_same_kind(inner ? &before.inner : &before.tuple, to))
		problem = "the tuple of another kind of packet was taken";
	/* No port can be 0 where a parser refuses that. */
	if (*done && !problem && !ipfi_skb_parse(skb, &after)) {
		const struct ipfi_tuple *now = inner ? &after.inner : &after.tuple;

		if (memcmp(&now->src, &to->src, to->family == 4 ? 4 : 16) ||
		    memcmp(&now->dst, &to->dst, to->family == 4 ? 4 : 16))
			problem = "it does not show the addresses";
	}
	kfree_skb(skb);
	return problem;
}

#endif
