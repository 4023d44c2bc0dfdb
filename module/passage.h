/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet on its way through a hook: what all who have a say about it work on. */
#ifndef IPFI_PASSAGE_H
#define IPFI_PASSAGE_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include "net.h"

struct ipfi_passage {
	struct ipfi_net *in;
	const struct ipfi_ruleset *rs;
	struct sk_buff *skb;
	const struct nf_hook_state *hook;
	struct ipfi_packet packet;
	struct ipfi_key key;
	bool higher;
	u32 judgement; /* of the filter, when it has been asked: judgement.h */
};

/* Not a verdict of netfilter's: the state is gone or another CPU has made it, look again. */
#define IPFI_LOOK_AGAIN UINT_MAX

/* The key of the packet's tuple. */
static inline void ipfi_passage_key(struct ipfi_passage *p)
{
	p->higher = ipfi_key_from_tuple(&p->key, &p->packet.tuple);
}

static inline unsigned int ipfi_passage_count(const struct ipfi_passage *p, u8 reason, unsigned int verdict)
{
	__this_cpu_inc(p->in->counters->reason[reason]);
	return verdict;
}

/* Fills in what the rules in force are asked with. */
void ipfi_passage_judge(struct ipfi_passage *p, struct ipfi_judge *judge, struct ipfi_surroundings *around);

/* The packet was decided by @rule: counts it, and logs it if the rule says so. No lock is held. */
void ipfi_passage_met(struct ipfi_passage *p, const struct ipfi_decision *decision, u8 state_id);

/* Counts, logs and carries out what was decided; returns the hook's verdict. No lock is held. */
unsigned int ipfi_passage_carry_out(struct ipfi_passage *p, const struct ipfi_decision *decision, u8 state_id);

/* The first NAT rule of @list that matches, or NULL. The packet's own list stays. */
const struct ipfi_rule *ipfi_passage_nat_rule(struct ipfi_passage *p, enum ipfi_list list);

#endif /* IPFI_PASSAGE_H */
