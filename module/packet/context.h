/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet on its way through a hook: what all who have a say about it work on. */
#ifndef IPFI_CONTEXT_H
#define IPFI_CONTEXT_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include "module/core/decide.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/ruleset/ruleset.h"
#include "module/table/copies.h"

/*
 * What makes a passage a dry_run: the packet is a question (explain.c). It goes the way of others, but states are
 * copies (effects.h), what its rules are asked is told, limits are looked at and not taken from, and what becomes of it
 * is noted here and not done.
 */
struct ipfi_dry_run {
	struct ipfi_trace trace;
	struct ipfi_copies *copies;
	u8 verdict; /* enum ipfi_verdict */
	u8 reason;  /* enum ipfi_reason */
	bool decided; /* by rules, or their default, and not by a state */
	u64 rule;   /* id of the rule that decided, 0 for none */
	u64 dstnat_rule, srcnat_rule; /* that translate, 0 for none */
};

struct ipfi_pkt {
	struct ipfi_net *in;
	const struct ipfi_ruleset *rs;
	struct sk_buff *skb;
	const struct nf_hook_state *hook;
	struct ipfi_dry_run *dry_run; /* NULL for a packet that is there */
	struct ipfi_packet packet;
	struct ipfi_key key;
	bool higher;
	u32 generation; /* of the filter, when it has been asked: judgement.h */
};

/* Begins a passage at a hook; false before the first commit, when every packet passes. Under RCU, BHs off. */
static __always_inline bool ipfi_pkt_begin(struct ipfi_pkt *p, struct sk_buff *skb,
					       const struct nf_hook_state *hook)
{
	p->in = ipfi_net(hook->net);
	p->rs = rcu_dereference(p->in->ruleset);
	p->skb = skb;
	p->hook = hook;
	p->dry_run = NULL;
	return likely(p->rs);
}

/* Not a verdict of netfilter's: the state is gone or another CPU has made it, look again. */
#define IPFI_LOOK_AGAIN UINT_MAX

/*
 * How often a packet is looked up at most. Each time but the first needs another CPU that was faster, or a state that
 * has just made room, and neither happens twice in a row but by chance.
 */
#define IPFI_LOOKUPS_MAX 8

/* The key of the packet's tuple. */
static inline void ipfi_pkt_key(struct ipfi_pkt *p)
{
	p->higher = ipfi_key_from_tuple(&p->key, &p->packet.tuple);
}

/*
 * The ICMP error of @p is about nothing that is known. What this machine sends is made by its own kernel, often about a
 * packet that the filter has not seen (its hop limit ends here, it is too long for the next link): the rules decide.
 */
static inline void ipfi_pkt_unrelated(struct ipfi_pkt *p)
{
	p->packet.unrelated = p->packet.list != IPFI_LIST_OUT;
	if (unlikely(p->dry_run))
		p->dry_run->copies->last = NULL;
}

#endif /* IPFI_CONTEXT_H */
