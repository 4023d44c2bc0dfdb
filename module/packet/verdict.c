// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/ktime.h>
#include "module/core/decide.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/packet/context.h"
#include "module/packet/drops.h"
#include "module/packet/log.h"
#include "module/packet/mss.h"
#include "module/packet/reject.h"
#include "module/packet/skb.h"
#include "module/packet/verdict.h"
#include "module/packet/vrf.h"
#include "module/ruleset/generation.h"
#include "module/ruleset/ruleset.h"
#include "module/ruleset/set.h"
#include "module/table/copies.h"
#include "module/table/sources.h"

static bool is_me(void *context, u8 family, const struct ipfi_addr *addr)
{
	struct ipfi_pkt *p = context;

	return ipfi_addr_is_own(p->in->net, ipfi_vrf_of_packet(p->in, &p->packet), family, addr);
}

/* Other CPUs that take from a rule's limit in the same instant, before one packet more counts as above it. */
#define LIMIT_TRIES 64

static bool take_limit(void *context, const struct ipfi_rule *rule)
{
	struct ipfi_pkt *p = context;
	atomic64_t *arrival = &p->rs->stores[rule->index]->limit_arrival;
	s64 old = atomic64_read(arrival);
	u64 now = ktime_get_ns(), next;
	unsigned int tries;

	for (tries = 0; tries < LIMIT_TRIES; tries++) {
		if (!ipfi_rate_conforms(old, now, rule->limit_interval, rule->limit_burst, &next))
			return false;
		if (likely(atomic64_try_cmpxchg(arrival, &old, next)))
			return true;
	}
	return false;
}

/* As take_limit(), but takes nothing. */
static bool look_at_limit(void *context, const struct ipfi_rule *rule)
{
	const struct ipfi_pkt *p = context;
	u64 next;

	return ipfi_rate_conforms(atomic64_read(&p->rs->stores[rule->index]->limit_arrival), ktime_get_ns(),
				  rule->limit_interval, rule->limit_burst, &next);
}

static u32 source_states(void *context, const struct ipfi_rule *rule, const struct ipfi_tuple *tuple)
{
	struct ipfi_pkt *p = context;

	return ipfi_sources_count(p->in, rule->id, tuple);
}

/* As source_states(), without the states that are gone for it. */
static u32 source_states_left(void *context, const struct ipfi_rule *rule, const struct ipfi_tuple *tuple)
{
	struct ipfi_pkt *p = context;

	return ipfi_copies_sources(p->dry_run->copies, rule->id, tuple);
}

static bool in_set(void *context, const void *set, u8 family, const struct ipfi_addr *addr)
{
	return ipfi_set_has((struct ipfi_set *)set, family, addr);
}

void ipfi_pkt_match_ctx(struct ipfi_pkt *p, struct ipfi_match_ctx *ctx, struct ipfi_match_env *env)
{
	const bool dry = unlikely(p->dry_run);

	/* A question says so itself. */
	if (p->skb && !dry)
		ipfi_skb_ipsec(p->skb, &p->packet);

	env->is_me = is_me;
	env->take_limit = dry ? look_at_limit : take_limit;
	env->source_states = dry ? source_states_left : source_states;
	env->in_set = in_set;
	env->context = p;
	ctx->classifier = &p->rs->classifier;
	ctx->limits = &p->in->limits;
	ctx->env = env;
	ctx->trace = dry ? &p->dry_run->trace : NULL;
	ctx->generation = ipfi_generation_now(&p->rs->generations);
}

unsigned int ipfi_pkt_note(const struct ipfi_pkt *p, u8 verdict, u8 reason, const struct ipfi_rule *rule,
				   bool decided)
{
	struct ipfi_dry_run *dry_run = p->dry_run;

	dry_run->verdict = verdict;
	dry_run->reason = reason;
	dry_run->rule = rule ? rule->id : 0;
	dry_run->decided = decided;
	return verdict == IPFI_VERDICT_ALLOW ? NF_ACCEPT : NF_DROP;
}

unsigned int ipfi_pkt_refuse(struct ipfi_pkt *p, u8 reason)
{
	if (unlikely(p->dry_run))
		return ipfi_pkt_note(p, IPFI_VERDICT_REJECT, reason, NULL, false);
	return ipfi_pkt_count(p, reason, ipfi_reject(p->skb, p->hook, &p->packet));
}

unsigned int ipfi_pkt_give_up(const struct ipfi_pkt *p)
{
	WARN_ON_ONCE(true);
	return ipfi_pkt_count(p, IPFI_REASON_LOOKUP_FAILED, NF_DROP);
}

void ipfi_pkt_hit(struct ipfi_pkt *p, const struct ipfi_decision *decision, u8 state_id)
{
	const struct ipfi_rule *rule = decision->rule;
	struct ipfi_rule_counter *counter;

	if (unlikely(p->dry_run))
		return;
	counter = &p->rs->counters[smp_processor_id()][rule->index];
	WRITE_ONCE(counter->packets, counter->packets + 1);
	WRITE_ONCE(counter->bytes, counter->bytes + p->packet.length);
	if (unlikely(rule->log))
		ipfi_log_packet(p->in, p->skb, p->hook, &p->packet, decision, state_id);
}

const struct ipfi_rule *ipfi_pkt_nat_rule(struct ipfi_pkt *p, enum ipfi_list list)
{
	const u8 own = p->packet.list;
	struct ipfi_match_env env;
	const struct ipfi_rule *rule;
	struct ipfi_match_ctx ctx;

	if (!p->rs->classifier.count[list])
		return NULL;
	ipfi_pkt_match_ctx(p, &ctx, &env);
	p->packet.list = list;
	rule = ipfi_decide_rule(&ctx, &p->packet);
	p->packet.list = own;
	return rule;
}

unsigned int ipfi_pkt_carry_out(struct ipfi_pkt *p, const struct ipfi_decision *decision, u8 state_id)
{
	if (unlikely(p->dry_run))
		return ipfi_pkt_note(p, decision->verdict, decision->reason, decision->rule, true);
	if (decision->rule)
		ipfi_pkt_hit(p, decision, state_id);
	if (decision->verdict == IPFI_VERDICT_ALLOW) {
		if (unlikely(decision->rule && decision->rule->mss) && !ipfi_mss_clamp(p, decision->rule->mss))
			return ipfi_pkt_count(p, IPFI_REASON_NO_MEMORY, NF_DROP);
		return ipfi_pkt_count(p, decision->reason, NF_ACCEPT);
	}
	ipfi_pkt_count(p, decision->reason, NF_ACCEPT);
	ipfi_drops_record(p, decision->reason, decision->rule ? decision->rule->id : 0);
	if (decision->verdict == IPFI_VERDICT_REJECT)
		return ipfi_reject(p->skb, p->hook, &p->packet);
	return NF_DROP;
}
