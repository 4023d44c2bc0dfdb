// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/delay.h>
#include <linux/in.h>
#include <linux/sched/signal.h>
#include "module/commit/dry_run.h"
#include "module/core/classify.h"
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/core/via.h"
#include "module/filter/rejudge.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/packet/skb.h"
#include "module/packet/verdict.h"
#include "module/ruleset/ruleset.h"
#include "module/table/expect.h"
#include "module/table/state.h"
#include "module/table/walk.h"

/* What is judged: a copy of a live state. */
struct subject {
	struct ipfi_snapshot snapshot;
	struct ipfi_flow master; /* its control connection, if it has one */
	bool has_master;
};

/* Why a state has its fate. */
struct finding {
	u8 list;
	const struct ipfi_rule *by;
};

static void note(struct ipfi_impacts *trial, const struct ipfi_flow *flow, enum ipfi_impact fate,
		 const struct finding *finding)
{
	struct ipfi_impact_row *row;

	for (row = trial->row; row < trial->row + trial->count; row++) {
		if (row->rule == flow->rule && row->by == finding->by && row->fate == fate &&
		    row->list == finding->list) {
			row->states++;
			return;
		}
	}
	if (trial->count == IPFI_DRY_RUN_ROWS_MAX) {
		trial->rest[fate]++;
		return;
	}
	row->rule = flow->rule;
	row->by = finding->by;
	row->fate = fate;
	row->list = finding->list;
	row->states = 1;
	trial->count++;
}

/* An end of a connection: what it is, or would be, translated to, and from which port. */
struct end {
	const struct ipfi_addr *addr;
	u16 port, original;
	bool source;
};

/*
 * A rule without ports leaves the port as it is where that is free. The same port of many sources is often taken, so
 * of a source any will do; that of a destination hardly ever is.
 */
static bool port_fits(const struct ipfi_nat_target *target, const struct end *end)
{
	if (target->port_from)
		return end->port >= target->port_from && end->port <= target->port_to;
	return end->source || end->port == end->original;
}

static bool is_loopback(u8 family, const struct ipfi_addr *addr)
{
	if (family == 4)
		return addr->w[0] == INADDR_LOOPBACK;
	return !addr->w[0] && !addr->w[1] && !addr->w[2] && addr->w[3] == 1;
}

/* Would @rule translate that end of the connection, whose flow is @flow, so? */
static bool translates_to(struct ipfi_net *in, const struct ipfi_rule *rule, const struct ipfi_flow *flow,
			  const struct end *end)
{
	const u8 family = flow->key.family;

	if (!port_fits(&rule->target, end))
		return false;
	switch (rule->verdict) {
	case IPFI_VERDICT_REDIRECT:
		return flow->list == IPFI_LIST_OUT ? is_loopback(family, end->addr) :
						     ipfi_addr_is_of(in->net, ipfi_flow_iif(flow), family, end->addr);
	case IPFI_VERDICT_MASQUERADE:
		return ipfi_addr_is_of(in->net, ipfi_flow_oif(flow), family, end->addr);
	default:
		return ipfi_nat_target_has(&rule->target, family, end->addr);
	}
}

/*
 * Would a connection that begins with p->packet get the translation of @end by the NAT rules of @list? Else
 * finding->by is the rule that translates it otherwise, NULL for none. @same: it is not translated.
 * A rule that asks for what is not remembered of a first packet may have been the one: it counts if it fits.
 */
static bool translation_stays(const struct ipfi_match_ctx *ctx, struct ipfi_pkt *p, const struct ipfi_flow *flow,
			      enum ipfi_list list, const struct end *end, bool same, struct finding *finding)
{
	const struct ipfi_classifier *classifier = ctx->classifier;
	struct ipfi_rule known;
	u32 i;

	finding->list = list;
	finding->by = NULL;
	for (i = 0; i < classifier->count[list]; i++) {
		const struct ipfi_rule *rule = classifier->list[list][i];
		const bool unsure = rule->fields & IPFI_FIELDS_FORGOTTEN;

		if (unsure) {
			known = *rule;
			known.fields &= ~IPFI_FIELDS_FORGOTTEN;
		}
		if (ipfi_rule_differs(unsure ? &known : rule, &p->packet, ctx->env) >= 0)
			continue;
		if (translates_to(p->in, rule, flow, end))
			return true;
		if (unsure)
			continue;
		finding->by = rule;
		return false;
	}
	return same;
}

/* Would the connection get the same translation if it began anew? */
static bool keeps_translation(const struct ipfi_match_ctx *ctx, struct ipfi_pkt *p, const struct subject *subject,
			      const struct ipfi_via *via, struct finding *finding)
{
	const struct ipfi_flow *flow = &subject->snapshot.flow;
	const bool ext = flow->flags & IPFI_FLOW_F_EXT;
	struct ipfi_tuple real, arriving, leaving;
	struct ipfi_device_names names;
	struct end destination, source;
	bool same;

	ipfi_reevaluate_names(p->in->net, via, &names);
	ipfi_decide_recall(flow, via, &names, &p->packet);
	real = p->packet.tuple;
	arriving = ext ? subject->snapshot.arriving : real;
	leaving = ext ? subject->snapshot.leaving : real;

	p->packet.tuple = arriving;
	p->packet.list = IPFI_LIST_DSTNAT;
	destination = (struct end){ .addr = &real.dst, .port = real.dport, .original = arriving.dport };
	same = ipfi_addr_equal(&arriving.dst, &real.dst) && arriving.dport == real.dport;
	if (!translation_stays(ctx, p, flow, IPFI_LIST_DSTNAT, &destination, same, finding))
		return false;

	/* As ipfi_nat_find_source() has it. */
	if (flow->list == IPFI_LIST_IN || p->packet.loopback)
		return true;
	p->packet.tuple = real;
	p->packet.list = IPFI_LIST_SRCNAT;
	/* Another port alone is no rule's: it was taken by another connection. */
	source = (struct end){ .addr = &leaving.src, .port = leaving.sport, .source = true };
	same = ipfi_addr_equal(&real.src, &leaving.src);
	return translation_stays(ctx, p, flow, IPFI_LIST_SRCNAT, &source, same, finding);
}

static void judge_state(struct ipfi_impacts *trial, struct ipfi_pkt *p, struct subject *subject)
{
	const struct ipfi_flow *flow = &subject->snapshot.flow;
	struct ipfi_flow judged = *flow;
	struct ipfi_match_env env;
	struct ipfi_reevaluation out;
	struct ipfi_match_ctx ctx;
	struct finding finding;
	struct ipfi_via via;

	ipfi_pkt_match_ctx(p, &ctx, &env);
	ipfi_via_of_flow(flow, &via);
	if (!ipfi_reevaluate_allows(p, &ctx, &judged, subject->has_master ? &subject->master : NULL, &via, &out)) {
		finding.list = flow->list;
		finding.by = out.denied.rule;
		note(trial, flow, IPFI_IMPACT_DENIED, &finding);
	} else if (!subject->has_master && !keeps_translation(&ctx, p, subject, &via, &finding)) {
		/* What has been announced is translated as its control connection says, by no rule. */
		note(trial, flow, IPFI_IMPACT_RETRANSLATED, &finding);
	}
}

/* Copies @state if it is alive. Under RCU. */
static bool take_subject(struct ipfi_state *state, struct subject *subject)
{
	struct ipfi_state_ext *ext;
	bool alive;

	spin_lock_bh(&state->lock);
	alive = !ipfi_state_hidden(state);
	if (alive) {
		ipfi_snapshot_take(&subject->snapshot, state);
		ext = ipfi_state_extended(state);
		subject->has_master = ext && ext->master;
		if (subject->has_master)
			subject->master = ext->master->first;
	}
	spin_unlock_bh(&state->lock);
	return alive;
}

/* 0, or -EAGAIN when the table was resized meanwhile: some states may have been judged twice. */
static int run_once(struct ipfi_impacts *trial, struct ipfi_pkt *p)
{
	struct ipfi_state *state;
	struct rhash_head *pos;
	struct subject subject;
	struct ipfi_walk walk;
	int err = 0;

	memset(trial, 0, sizeof(*trial));
	ipfi_walk_start(&walk, p->in);
	ipfi_walk_resume(&walk);
	while (!err && ipfi_walk_next(&walk)) {
		ipfi_walk_for_each(state, pos, &walk) {
			if (!take_subject(state, &subject))
				continue;
			trial->states++;
			judge_state(trial, p, &subject);
		}
		ipfi_walk_yield(&walk);
		if (signal_pending(current))
			err = -EINTR;
	}
	ipfi_walk_pause(&walk);
	return err ? err : walk.resized ? -EAGAIN : 0;
}

/* As count_states() of genl_states.c. */
#define TRIAL_TRIES 10
#define TRIAL_PAUSE 50 /* ms */

int ipfi_dry_run_ruleset(struct ipfi_impacts *trial, struct ipfi_net *in, const struct ipfi_ruleset *rs)
{
	struct ipfi_pkt p = { .in = in, .rs = rs };
	unsigned int tries;
	int err = -EAGAIN;

	for (tries = 0; tries < TRIAL_TRIES && err == -EAGAIN; tries++) {
		if (tries && msleep_interruptible(TRIAL_PAUSE))
			return -EINTR;
		err = run_once(trial, &p);
	}
	return err;
}
