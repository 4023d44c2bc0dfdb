// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: what translation writes into packets. The first bytes of the input make a tuple, of the packet's kind or
 * not, the rest is the packet, in memory that ends where it does. Addresses and ports are written into it, and into what
 * it quotes, by every view: the whole tuple, each half of it, its reverse, none of it.
 */
#include "check.h"
#include "rewriting.h"

#define HEAD 40

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void try_all(const u8 *data, unsigned int length, u8 ip_summed, const struct ipfi_tuple *is,
		    const struct ipfi_tuple *other)
{
	struct ipfi_tuple views[] = { *is, *other, *is, *is, *is, *other, *other, { .family = 0 } };
	unsigned int i;
	bool done;

	views[2].src = other->src;
	views[2].sport = other->sport;
	views[3].dst = other->dst;
	views[3].dport = other->dport;
	views[4].src = is->dst;
	views[4].dst = is->src;
	views[4].sport = is->dport;
	views[4].dport = is->sport;
	/* Of the packet's own kind, and of half of it. */
	views[5].family = is->family;
	views[5].proto = is->proto;
	views[6].family = is->family;
	for (i = 0; i < ARRAY_SIZE(views) * 2; i++) {
		const char *problem = rewriting_try(data, length, ip_summed, i & 1, &views[i / 2], &done);

		if (problem)
			fprintf(stderr, "view %u: %s\n", i, problem);
		CHECK(!problem);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct ipfi_packet packet = {};
	struct ipfi_tuple other = {};
	struct sk_buff *skb;
	unsigned int length;

	if (size < HEAD + 20 || size > HEAD + 2000)
		return 0;
	memcpy(&other.src, input, 16);
	memcpy(&other.dst, input + 16, 16);
	memcpy(&other.sport, input + 32, 2);
	memcpy(&other.dport, input + 34, 2);
	other.proto = input[36];
	other.family = input[37] & 1 ? 4 : 6;
	length = (unsigned int)size - HEAD;
	skb = rewriting_buffer(input + HEAD, length, CHECKSUM_NONE);
	if (!skb)
		return 0;
	if (!ipfi_skb_parse(skb, &packet)) {
		try_all(input + HEAD, length, input[38] % CHECKSUM_PARTIAL, &packet.tuple, &other);
		if (packet.inner.family)
			try_all(input + HEAD, length, input[38] % CHECKSUM_PARTIAL, &packet.inner, &other);
	}
	kfree_skb(skb);
	return 0;
}
