// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include "expect.h"
#include "passage.h"
#include "rejudge.h"
#include "skb.h"
#include "trial.h"
#include "walk.h"

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

static void note(struct ipfi_trial *trial, const struct ipfi_flow *flow, enum ipfi_fate fate,
		 const struct finding *finding)
{
	struct ipfi_trial_row *row;

	for (row = trial->row; row < trial->row + trial->count; row++) {
		if (row->rule == flow->rule && row->by == finding->by && row->fate == fate &&
		    row->list == finding->list) {
			row->states++;
			return;
		}
	}
	if (trial->count == IPFI_TRIALS_MOST) {
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

static bool port_fits(const struct ipfi_nat_target *target, u16 port)
{
	return !target->port_from || (port >= target->port_from && port <= target->port_to);
}

/* Would @rule translate an end of a connection to @addr and @port? */
static bool translates_to(struct ipfi_net *in, const struct ipfi_rule *rule, u8 family, const struct ipfi_addr *addr,
			  u16 port)
{
	bool own = rule->verdict == IPFI_VERDICT_REDIRECT || rule->verdict == IPFI_VERDICT_MASQUERADE;

	return port_fits(&rule->target, port) &&
	       (own ? ipfi_addr_is_own(in->net, family, addr) : ipfi_nat_target_has(&rule->target, family, addr));
}

/*
 * Would a connection that begins with @first be translated to @addr and @port by the NAT rules of @list? Else
 * finding->by is the rule that translates it otherwise, NULL for none. @same: it is @addr and @port untranslated.
 * A rule that asks for what is not remembered of @first may have been the one: it counts if it fits.
 */
static bool translation_stays(const struct ipfi_judge *judge, struct ipfi_passage *p, enum ipfi_list list, bool same,
			      const struct ipfi_addr *addr, u16 port, struct finding *finding)
{
	const struct ipfi_classifier *classifier = judge->classifier;
	const u8 family = p->packet.tuple.family;
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
		if (ipfi_rule_differs(unsure ? &known : rule, &p->packet, judge->around) >= 0)
			continue;
		if (translates_to(p->in, rule, family, addr, port))
			return true;
		if (unsure)
			continue;
		finding->by = rule;
		return false;
	}
	return same;
}

/* Would the connection get the same translation if it began anew? */
static bool keeps_translation(const struct ipfi_judge *judge, struct ipfi_passage *p, const struct subject *subject,
			      const struct ipfi_device_names *names, struct finding *finding)
{
	const struct ipfi_flow *flow = &subject->snapshot.flow;
	const bool wide = flow->flags & IPFI_FLOW_F_WIDE;
	struct ipfi_tuple real, arriving, leaving;
	bool same;

	ipfi_decide_recall(flow, names, &p->packet);
	real = p->packet.tuple;
	arriving = wide ? subject->snapshot.arriving : real;
	leaving = wide ? subject->snapshot.leaving : real;

	p->packet.tuple = arriving;
	p->packet.list = IPFI_LIST_DSTNAT;
	same = ipfi_addr_equal(&arriving.dst, &real.dst) && arriving.dport == real.dport;
	if (!translation_stays(judge, p, IPFI_LIST_DSTNAT, same, &real.dst, real.dport, finding))
		return false;

	/* As ipfi_nat_find_source() has it. */
	if (flow->list == IPFI_LIST_IN || p->packet.loopback)
		return true;
	p->packet.tuple = real;
	p->packet.list = IPFI_LIST_SRCNAT;
	/* Another port alone is no rule's: it was taken by another connection. */
	same = ipfi_addr_equal(&real.src, &leaving.src);
	return translation_stays(judge, p, IPFI_LIST_SRCNAT, same, &leaving.src, leaving.sport, finding);
}

static void judge_state(struct ipfi_trial *trial, struct ipfi_passage *p, struct subject *subject)
{
	struct ipfi_flow *flow = &subject->snapshot.flow, judged = *flow;
	struct ipfi_surroundings around;
	struct ipfi_device_names names;
	struct ipfi_decision decision;
	struct ipfi_judge judge;
	struct finding finding;

	ipfi_passage_judge(p, &judge, &around);
	/* What it announced is translated as the control connection says, by no rule. */
	if (subject->has_master && ipfi_rejudge_by_master(p->in->net, &judge, &judged, &subject->master))
		return;
	ipfi_rejudge_names(p->in->net, flow, &names);
	if (!ipfi_decide_again(&judge, &judged, &names, &decision)) {
		finding.list = flow->list;
		finding.by = decision.rule;
		note(trial, flow, IPFI_FATE_DENIED, &finding);
	} else if (!subject->has_master && !keeps_translation(&judge, p, subject, &names, &finding)) {
		note(trial, flow, IPFI_FATE_RETRANSLATED, &finding);
	}
}

/* Copies @state if it is alive. Under RCU. */
static bool take_subject(struct ipfi_state *state, struct subject *subject)
{
	struct ipfi_wide_state *wide;
	bool alive;

	spin_lock_bh(&state->lock);
	alive = !ipfi_state_hidden(state);
	if (alive) {
		ipfi_snapshot_take(&subject->snapshot, state);
		wide = ipfi_state_wide(state);
		subject->has_master = wide && wide->master;
		if (subject->has_master)
			subject->master = wide->master->first;
	}
	spin_unlock_bh(&state->lock);
	return alive;
}

/* 0, or -EAGAIN when the table was resized meanwhile: some states may have been judged twice. */
static int run_once(struct ipfi_trial *trial, struct ipfi_passage *p)
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
		ipfi_walk_breathe(&walk);
		if (signal_pending(current))
			err = -EINTR;
	}
	ipfi_walk_pause(&walk);
	return err ? err : walk.resized ? -EAGAIN : 0;
}

/* As count_states() of genl_states.c. */
#define TRIAL_TRIES 10
#define TRIAL_PAUSE 50 /* ms */

int ipfi_trial_run(struct ipfi_trial *trial, struct ipfi_net *in, const struct ipfi_ruleset *rs)
{
	struct ipfi_passage p = { .in = in, .rs = rs };
	unsigned int tries;
	int err = -EAGAIN;

	for (tries = 0; tries < TRIAL_TRIES && err == -EAGAIN; tries++) {
		if (tries && msleep_interruptible(TRIAL_PAUSE))
			return -EINTR;
		err = run_once(trial, &p);
	}
	return err;
}
