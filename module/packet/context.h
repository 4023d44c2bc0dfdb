/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet on its way through a hook: what all who have a say about it work on. */
#ifndef IPFI_PASSAGE_H
#define IPFI_PASSAGE_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/ruleset/ruleset.h"
#include "module/table/state.h"

/*
 * What makes a passage a rehearsal: the packet is a question (explain.c). It goes the way of others, but what its
 * rules are asked is told, limits are looked at and not taken from, and a state that it would replace counts as gone.
 */
struct ipfi_rehearsal {
	struct ipfi_told told;
	const struct ipfi_state *gone; /* NULL for none; only compared and asked what never changes */
	struct ipfi_flow gone_flow;    /* as it was */
};

struct ipfi_passage {
	struct ipfi_net *in;
	const struct ipfi_ruleset *rs;
	struct sk_buff *skb;
	const struct nf_hook_state *hook;
	struct ipfi_rehearsal *rehearsal; /* NULL for a packet that is there */
	struct ipfi_packet packet;
	struct ipfi_key key;
	bool higher;
	u32 judgement; /* of the filter, when it has been asked: judgement.h */
};

/* The state that @p takes for gone, NULL for none. */
static inline const struct ipfi_state *ipfi_passage_gone(const struct ipfi_passage *p)
{
	return unlikely(p->rehearsal) ? p->rehearsal->gone : NULL;
}

/* Not a verdict of netfilter's: the state is gone or another CPU has made it, look again. */
#define IPFI_LOOK_AGAIN UINT_MAX

/*
 * How often a packet is looked up at most. Each time but the first needs another CPU that was faster, or a state that
 * has just made room, and neither happens twice in a row but by chance.
 */
#define IPFI_LOOKUPS_MAX 8

/* The key of the packet's tuple. */
static inline void ipfi_passage_key(struct ipfi_passage *p)
{
	p->higher = ipfi_key_from_tuple(&p->key, &p->packet.tuple);
}

/*
 * The ICMP error of @p is about nothing that is known. What this machine sends is made by its own kernel, often about a
 * packet that the filter has not seen (its hop limit ends here, it is too long for the next link): the rules decide.
 */
static inline void ipfi_passage_unrelated(struct ipfi_passage *p)
{
	p->packet.unrelated = p->packet.list != IPFI_LIST_OUT;
}

#endif /* IPFI_PASSAGE_H */
