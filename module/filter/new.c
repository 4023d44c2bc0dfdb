// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/filter/new.h"
#include "module/filter/open.h"
#include "module/filter/rejudge.h"
#include "module/nat/hooks.h"
#include "module/nat/source.h"
#include "module/nat/translate.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/packet/skb.h"
#include "module/packet/verdict.h"
#include "module/ruleset/ruleset.h"
#include "module/table/expect.h"
#include "module/table/state.h"

/* A connection was opened by a rule that translates its source. */
static void meet_source_rule(struct ipfi_pkt *p, const struct ipfi_rule *rule, u8 state_id)
{
	const struct ipfi_decision met = {
		.verdict = rule->verdict,
		.reason = IPFI_REASON_RULE_ALLOW,
		.rule = rule,
	};

	ipfi_pkt_hit(p, &met, state_id);
}

void ipfi_ask_rules(struct ipfi_pkt *p, struct ipfi_decision *decision)
{
	struct ipfi_match_env env;
	struct ipfi_match_ctx ctx;

	ipfi_pkt_match_ctx(p, &ctx, &env);
	p->generation = ctx.generation;
	ipfi_skb_user(p->skb, p->hook, &p->packet);
	ipfi_decide_first(&ctx, &p->packet, decision);
}

void ipfi_follow_master(struct ipfi_pkt *p, const struct ipfi_master *master, struct ipfi_decision *decision)
{
	memset(decision, 0, sizeof(*decision));
	if (!ipfi_reevaluate_announced(p, &master->first, decision))
		return;
	decision->verdict = IPFI_VERDICT_ALLOW;
	decision->reason = IPFI_REASON_EXPECTED;
	decision->stateful = true;
	decision->rule = ipfi_ruleset_find(p->rs, READ_ONCE(master->first.rule));
}

u8 ipfi_choose_opening(struct ipfi_pkt *p, const struct ipfi_expectation *expectation,
		       const struct ipfi_decision *decision, struct ipfi_nat_source *source, bool *opens)
{
	const struct ipfi_addr *given = expectation && expectation->src_translated ? &expectation->leaving_src : NULL;
	u8 reason = ipfi_nat_find_source(p, given, source);

	if (reason)
		return reason;
	if (expectation && !given)
		source->wanted = false;
	*opens = decision->stateful || source->wanted;
	return *opens && ipfi_skb_checksum_bad(p->skb, &p->packet) ? IPFI_REASON_BAD_CHECKSUM : IPFI_REASON_NONE;
}

/*
 * The first packet of @state, locked, goes on as all others of it will: to this machine it leaves here. False if it
 * cannot be written.
 */
static bool pass_translated(struct ipfi_pkt *p, struct ipfi_state *state)
{
	struct ipfi_state_ext *ext = ipfi_state_translated(state);

	if (likely(!ext))
		return true;
	ipfi_nat_mark(p);
	return p->packet.list != IPFI_LIST_IN || p->packet.loopback || ipfi_nat_enter(p, ext, IPFI_ORIGINAL);
}

/*
 * Opens the state of an allowed packet, if it is to have one. The decision becomes a denial when there is none to
 * be had: nothing passes untracked, or untranslated. IPFI_LOOK_AGAIN when another CPU was faster.
 */
static unsigned int open_allowed(struct ipfi_pkt *p, const struct ipfi_expectation *expectation,
				 struct ipfi_decision *decision, u8 *state_id)
{
	struct ipfi_establishing permission = {
		.rule = expectation ? NULL : decision->rule,
		.expectation = expectation,
	};
	struct ipfi_nat_source source;
	struct ipfi_state *state;
	bool opens;

	permission.reason = ipfi_choose_opening(p, expectation, decision, &source, &opens);
	if (permission.reason)
		goto deny;
	if (!opens)
		return NF_ACCEPT;
	state = ipfi_establish(p, &permission, &source);
	if (IS_ERR(state))
		return IPFI_LOOK_AGAIN;
	if (!state)
		goto deny;
	*state_id = state->flow.state;
	ipfi_pkt_notify(p, state, IPFI_EVENT_NEW);
	if (!pass_translated(p, state)) {
		permission.reason = IPFI_REASON_NAT_FAILED;
		*state_id = IPFI_STATE_NONE;
		ipfi_pkt_remove(p, state, IPFI_CAUSE_DENIED);
		goto deny;
	}
	spin_unlock(&state->lock);
	if (permission.heard)
		decision->reason = permission.heard;
	if (permission.source_rule)
		meet_source_rule(p, permission.source_rule, *state_id);
	return NF_ACCEPT;

deny:
	decision->verdict = IPFI_VERDICT_DENY;
	decision->reason = permission.reason;
	return NF_ACCEPT;
}

unsigned int ipfi_new_packet(struct ipfi_pkt *p, bool may_open)
{
	const struct ipfi_expectation *expectation = may_open ? ipfi_expect_find(p->in, &p->packet, false) : NULL;
	struct ipfi_decision decision;
	unsigned int verdict = NF_ACCEPT;
	u8 state_id = IPFI_STATE_NONE;

	if (unlikely(expectation))
		ipfi_follow_master(p, expectation->master, &decision);
	else
		ipfi_ask_rules(p, &decision);
	if (may_open && ipfi_may_open(&p->packet, &decision))
		verdict = open_allowed(p, expectation, &decision, &state_id);
	return verdict == IPFI_LOOK_AGAIN ? verdict : ipfi_pkt_carry_out(p, &decision, state_id);
}

void ipfi_new_recalled(struct ipfi_pkt *p, struct ipfi_decision *decision)
{
	u8 state_id;

	/* When another CPU was faster its state is as good. */
	if (decision->stateful)
		open_allowed(p, NULL, decision, &state_id);
}

/* Removes the state of @p's connection if it is still to be judged. */
static void forget_unjudged(struct ipfi_pkt *p)
{
	struct ipfi_state *state = ipfi_pkt_find(p, IPFI_TABLE_REAL);

	if (!state)
		return;
	if (state->flow.flags & IPFI_FLOW_F_UNCONFIRMED)
		ipfi_pkt_remove(p, state, IPFI_CAUSE_DENIED);
	else
		spin_unlock(&state->lock);
}

unsigned int ipfi_unconfirmed_packet(struct ipfi_pkt *p, struct ipfi_state *state)
{
	struct ipfi_state_ext *ext = ipfi_state_extended(state);
	struct ipfi_establishing permission = {};
	struct ipfi_decision decision;
	unsigned int verdict;
	u8 state_id;

	if (ipfi_flow_direction(&state->flow, p->higher) == IPFI_REPLY) {
		spin_unlock(&state->lock);
		return ipfi_pkt_count(p, IPFI_REASON_NAT_FAILED, NF_DROP);
	}
	if (ext->master) {
		ipfi_follow_master(p, ext->master, &decision);
	} else {
		ipfi_ask_rules(p, &decision);
		permission.rule = decision.rule;
	}
	if (decision.verdict != IPFI_VERDICT_ALLOW) {
		spin_unlock(&state->lock);
		/* A rejection's answer goes back by the translation. */
		verdict = ipfi_pkt_carry_out(p, &decision, IPFI_STATE_NONE);
		forget_unjudged(p);
		return verdict;
	}
	if (!ipfi_establish_unconfirmed(p, ext, &permission)) {
		ipfi_pkt_remove(p, state, IPFI_CAUSE_DENIED);
		decision.verdict = IPFI_VERDICT_DENY;
		decision.reason = permission.reason;
		return ipfi_pkt_carry_out(p, &decision, IPFI_STATE_NONE);
	}
	state_id = state->flow.state;
	ipfi_pkt_notify(p, state, IPFI_EVENT_NEW);
	if (!pass_translated(p, state)) {
		ipfi_pkt_remove(p, state, IPFI_CAUSE_DENIED);
		decision.verdict = IPFI_VERDICT_DENY;
		decision.reason = IPFI_REASON_NAT_FAILED;
		return ipfi_pkt_carry_out(p, &decision, IPFI_STATE_NONE);
	}
	spin_unlock(&state->lock);
	if (permission.heard)
		decision.reason = permission.heard;
	if (permission.source_rule)
		meet_source_rule(p, permission.source_rule, state_id);
	return ipfi_pkt_carry_out(p, &decision, state_id);
}
