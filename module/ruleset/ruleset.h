/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule set: built by one transaction, published as a whole, read-only from then on but for its counters
 * and limits. Packets see it under RCU, a dump holds a reference. Writers hold in->mutex.
 */
#ifndef IPFI_RULESET_H
#define IPFI_RULESET_H

#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/workqueue.h>
#include "module/core/classify.h"
#include "module/core/flow.h"
#include "module/core/rule.h"
#include "module/ruleset/generation.h"
#include "module/ruleset/set.h"

struct ipfi_net;

/* What a rule owns: one allocation with its ranges, its strings and its message. */
struct ipfi_rule_store {
	struct rhash_head node; /* by id, while the rule set is built */
	u64 id;
	atomic64_t limit_arrival; /* ipfi_rate_conforms() */
	const void *message;      /* the attributes of IPFI_A_RULE as they came, for the dump */
	u32 message_length;
	u8 data[] __aligned(8);   /* ranges, strings, message; laid out by who made it */
};

struct ipfi_rule_counter {
	u64 packets, bytes;
};

/* A dynamic set that a rule set declares. */
struct ipfi_ruleset_set {
	struct ipfi_set *set;
	bool asked; /* by a rule */
};

struct ipfi_ruleset {
	struct ipfi_classifier classifier;
	struct ipfi_generations generations;
	u32 generation;
	u32 count;
	u32 room;       /* rules and stores have space for so many */
	struct ipfi_rule *rules;
	struct ipfi_rule_store **stores;
	const struct ipfi_rule **order; /* the classifier's */
	struct ipfi_rule_counter **counters; /* [cpu][rule->index]; written with BHs off on that CPU */
	struct rhashtable *ids;         /* while it is built */
	struct ipfi_ruleset_set *sets;  /* by name */
	u32 set_count;
	bool logs;       /* a rule has a log prefix */
	bool per_source; /* a rule counts states from a source */
	bool sets_limits;
	struct ipfi_limits limits; /* what the policy sets; 0 in value[] is "not set" unless named in limits_set */
	u32 limits_set;  /* mask of 1 << enum ipfi_limit */
	bool counted;    /* ipfi_memory_take() ... */
	size_t bytes;    /* ... of so many */
	char name[IPFI_NAME_LEN + 1];
	refcount_t references;
	struct rcu_work free;
};

/* An empty rule set of @in that denies everything, with one reference. NULL without memory. */
struct ipfi_ruleset *ipfi_ruleset_alloc(const struct ipfi_net *in);

/* Counts @bytes more that @rs takes, until it is freed. -ENOMEM: its namespace may not have them (memory.h). */
int ipfi_ruleset_take(struct ipfi_ruleset *rs, size_t bytes);

/*
 * Appends *rule (copied; its pointers point into @store) to a rule set that is not yet published, which owns
 * @store from then on when 0 is returned. Sets the id from the name. -EEXIST: a rule of that name is there;
 * -E2BIG: more than IPFI_RULES_MAX; -ENOMEM.
 */
int ipfi_ruleset_append(struct ipfi_ruleset *rs, struct ipfi_rule *rule, struct ipfi_rule_store *store);

/*
 * Declares the dynamic set of that name, which is made unless it is there. -EEXIST: @rs has declared it; -E2BIG:
 * more than IPFI_SETS_MAX; -ENOMEM. Before the rules that ask it, and before @rs is published. Sleeps.
 */
int ipfi_ruleset_declare(struct ipfi_net *in, struct ipfi_ruleset *rs, const char *name);

/* The declared set of that name, for a rule of @rs that will ask it; NULL for none. */
struct ipfi_set *ipfi_ruleset_set(struct ipfi_ruleset *rs, const char *name);

/* Do rules of @rs ask @set? */
bool ipfi_ruleset_asks(const struct ipfi_ruleset *rs, const struct ipfi_set *set);

/*
 * Compiles the rules of @rs, to which none is added any more: it can be asked then. 0 or -ENOMEM. Sleeps.
 */
int ipfi_ruleset_compile(struct ipfi_ruleset *rs);

/* The same, with the counters: all that it needs memory for to be put in force. 0 or -ENOMEM. Sleeps. */
int ipfi_ruleset_prepare(struct ipfi_ruleset *rs);

/* The running one with a reference of the caller's own, or NULL. */
struct ipfi_ruleset *ipfi_ruleset_get(struct ipfi_net *in);
void ipfi_ruleset_put(struct ipfi_ruleset *rs);

/* The rule of that id, or NULL. Looks at them one by one: not for every packet. */
const struct ipfi_rule *ipfi_ruleset_find(const struct ipfi_ruleset *rs, u64 id);

/* Sums up rule @index's counters over the CPUs. */
void ipfi_ruleset_count(const struct ipfi_ruleset *rs, u32 index, struct ipfi_rule_counter *sum);

/* The rule set of the module parameter closed=1: everything but loopback is denied. NULL without memory. */
struct ipfi_ruleset *ipfi_ruleset_closed(const struct ipfi_net *in);

/* The members of @set have changed: states are judged again if the running rules ask it. Holds in->mutex. */
void ipfi_generations_renew(struct ipfi_net *in, const struct ipfi_set *set);

/* Something that rules ask about may be different for every state: all are judged again. Holds in->mutex. */
void ipfi_generations_renew_all(struct ipfi_net *in);

/* The generation of the rule set that judged under this number. */
u32 ipfi_generation_of_ruleset(struct ipfi_net *in, u32 number);

#endif /* IPFI_RULESET_H */
