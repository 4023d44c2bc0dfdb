// SPDX-License-Identifier: GPL-2.0-or-later
/* What a question meets at the filter: its connection's state, a copy of it, or the rules. */
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/packet.h"
#include "module/core/rule.h"
#include "module/core/tcp_resync.h"
#include "module/core/tuple.h"
#include "module/explain/internal.h"
#include "module/filter/established.h"
#include "module/filter/new.h"
#include "module/filter/rejudge.h"
#include "module/filter/resync.h"
#include "module/helper/ftp.h"
#include "module/nat/icmp_error.h"
#include "module/nat/source.h"
#include "module/nat/view.h"
#include "module/packet/context.h"
#include "module/packet/skb.h"
#include "module/table/expect.h"
#include "module/table/state.h"
#include "module/table/table.h"

/* A live state, copied: nothing of it is locked any more. */
struct live {
	const struct ipfi_state *state; /* only to be compared */
	u64 id;
	struct ipfi_flow flow;
	enum ipfi_direction direction;
	const struct ipfi_master *master; /* under RCU; NULL for none */
	bool translated, masqueraded, source_given;
	struct ipfi_tuple leaving; /* as the packet leaves, if translated */
	struct ipfi_addr given;
	u8 unread; /* why its helper drops the packet, 0 */
	bool order; /* false: its helper drops the packet when its flow has let it pass */
	bool stopped; /* its helper does not read for announcements */
	u8 heard;   /* what the packet counts as when its flow lets it pass and its helper reads it */
};

/* What is told of a state that was found. */
static void tell(struct ipfi_asking *a, const struct live *live)
{
	a->x->state = live->flow.state;
	a->x->state_id = live->id;
	a->x->rule = live->flow.rule;
}

/* The packet opens a connection by @rule: what it counts as for what it announces. */
static void hear_opening(struct ipfi_asking *a, const struct ipfi_rule *rule)
{
	struct ipfi_passage *p = &a->p;
	u8 reason;

	/* A payload that was made up announces nothing. */
	if (!rule || !rule->helper || p->packet.tuple.proto != IPFI_PROTO_TCP || !p->packet.payload ||
	    p->skb->ip_summed == CHECKSUM_UNNECESSARY)
		return;
	reason = ipfi_control_foresee_opening(p, rule, &a->leaving.src);
	if (reason)
		a->x->reason = reason;
}

static void judge_first(struct ipfi_asking *a, bool may_open)
{
	struct ipfi_passage *p = &a->p;
	const struct ipfi_expectation *expectation = may_open ? ipfi_expect_find(p->in, &p->packet, false) : NULL;
	struct ipfi_nat_source source;
	struct ipfi_decision decision;
	bool opens;
	u8 reason;

	if (expectation)
		ipfi_follow_master(p, expectation->master, &decision);
	else
		ipfi_ask_rules(p, &decision);
	ipfi_asking_decide(a, &decision);
	if (!may_open || !ipfi_may_open(&p->packet, &decision))
		return;
	reason = ipfi_choose_opening(p, expectation, &decision, &source, &opens);
	if (!reason && opens)
		reason = ipfi_explain_open(a, expectation ? NULL : decision.rule, expectation, &source);
	if (reason) {
		a->x->state = IPFI_STATE_NONE;
		ipfi_asking_deny(a, reason);
	} else if (opens && !expectation) {
		hear_opening(a, decision.rule);
	}
}

static void judge_unjudged(struct ipfi_asking *a)
{
	struct ipfi_decision decision;
	u8 reason;

	if (a->master)
		ipfi_follow_master(&a->p, a->master, &decision);
	else
		ipfi_ask_rules(&a->p, &decision);
	ipfi_asking_decide(a, &decision);
	if (decision.verdict != IPFI_VERDICT_ALLOW)
		return;
	reason = ipfi_explain_open_unjudged(a, a->master ? NULL : decision.rule);
	if (reason) {
		a->x->state = IPFI_STATE_NONE;
		ipfi_asking_deny(a, reason);
	} else if (!a->master) {
		hear_opening(a, decision.rule);
	}
}

/* Copies @state, which is locked and comes back unlocked. */
static void take_copy(struct ipfi_asking *a, struct ipfi_state *state, struct live *live)
{
	struct ipfi_wide_state *wide = ipfi_state_wide(state);
	struct ipfi_passage *p = &a->p;
	u32 ack;

	memset(live, 0, sizeof(*live));
	live->heard = IPFI_REASON_STATE;
	live->order = true;
	live->state = state;
	live->id = ipfi_state_id(state);
	ipfi_flow_copy(&live->flow, &state->flow);
	live->direction = ipfi_flow_direction(&state->flow, p->higher);
	if (wide) {
		live->master = wide->master;
		live->translated = wide->translated;
		live->masqueraded = wide->masqueraded;
		live->source_given = wide->source_given;
		live->given = wide->leaving.src;
		if (wide->translated)
			ipfi_nat_view(wide, IPFI_VIEW_LEAVING, live->direction, &live->leaving);
		if (wide->control && !ipfi_state_hidden(state) &&
		    !ipfi_tcp_answers_kept(&state->flow.tcp, &p->packet, live->direction) &&
		    !(p->packet.loopback && p->packet.list == IPFI_LIST_IN)) {
			live->unread = ipfi_control_before(p, wide, live->direction, &ack);
			live->stopped = wide->control->stopped;
			if (!live->unread)
				live->heard = ipfi_control_foresee(p, wide, live->direction, &live->order);
			/* A payload that was made up announces nothing. */
			if (p->skb->ip_summed == CHECKSUM_UNNECESSARY)
				live->heard = IPFI_REASON_STATE;
		}
	}
	spin_unlock(&state->lock);
}

/* The live state that the packet is found to belong to; false for none. */
static bool find_live(struct ipfi_asking *a, struct live *live)
{
	struct ipfi_state *state;

	ipfi_passage_key(&a->p);
	local_bh_disable();
	state = ipfi_find_state(&a->p);
	if (state && state == a->x->rehearsal.gone) {
		spin_unlock(&state->lock);
		state = NULL;
	}
	if (state)
		take_copy(a, state, live);
	local_bh_enable();
	return state;
}

static const struct ipfi_flow *master_of(const struct live *live)
{
	return live->master ? &live->master->first : NULL;
}

/* Is it still allowed? Brings the copy up to date. */
static bool rejudge(struct ipfi_asking *a, struct live *live)
{
	struct ipfi_rejudgement out;
	enum ipfi_rejudged judged;

	if (!ipfi_must_rejudge(&a->p, &live->flow, live->direction))
		return true;
	judged = ipfi_rejudge(&a->p, &live->flow, master_of(live), live->direction, &out);
	if (judged != IPFI_REJUDGED_FLOW && out.renewed)
		live->stopped = !out.rule || out.rule->helper != IPFI_HELPER_FTP;
	if (judged == IPFI_REJUDGED_HOLDS && out.moved &&
	    ipfi_nat_has_moved(&a->p, live->translated ? &live->leaving.src : &a->p.packet.tuple.src,
			       live->masqueraded)) {
		ipfi_asking_deny(a, IPFI_REASON_NAT_MOVED);
		return false;
	}
	if (judged != IPFI_REJUDGED_HOLDS)
		ipfi_asking_decide(a, &out.denied);
	return judged == IPFI_REJUDGED_HOLDS;
}

/* No live state is found, or none any more. */
static void judge_unknown(struct ipfi_asking *a)
{
	if (ipfi_is_astray(&a->p))
		ipfi_asking_deny(a, IPFI_REASON_NAT_FAILED);
	else
		judge_first(a, true);
}

static void judge_killed(struct ipfi_asking *a, struct live *live)
{
	u8 reason = ipfi_killed_reason(&a->p.packet);

	if (!reason) {
		ipfi_asking_forget(a, live->state, &live->flow);
		judge_unknown(a);
		return;
	}
	ipfi_asking_allow(a, reason);
	if (live->translated)
		a->leaving = live->leaving;
	if (reason == IPFI_REASON_KILLED)
		a->x->verdict = IPFI_VERDICT_REJECT;
}

/* What the packet, an answer to the SYN that opens @flow, makes of it. */
static void answer_syn(struct ipfi_asking *a, struct ipfi_flow *flow)
{
	u8 reason;

	if (ipfi_flow_advance(flow, &a->p.packet, IPFI_REPLY, &reason) != IPFI_ADVANCE_PASS) {
		ipfi_asking_deny(a, reason);
		return;
	}
	a->x->state = flow->state;
	ipfi_asking_allow(a, IPFI_REASON_STATE);
}

/* The other way round: another connection in the place of @live. */
static void take_up_turned(struct ipfi_asking *a, struct live *live,
			   const struct ipfi_recalled *recalled)
{
	struct ipfi_passage *p = &a->p;
	const struct ipfi_packet answer = p->packet;
	struct ipfi_nat_source source = {};
	struct ipfi_decision decision;
	struct ipfi_flow flow;
	u8 reason;

	a->x->state = IPFI_STATE_NONE;
	a->x->state_id = 0;
	a->x->rule = 0;
	if (live->translated || p->packet.loopback) {
		ipfi_asking_deny(a, IPFI_REASON_TCP_STATE);
		return;
	}
	ipfi_asking_forget(a, live->state, &live->flow);
	p->packet = recalled->syn;
	reason = ipfi_resync_ask(p, &decision);
	ipfi_asking_decide(a, &decision);
	if (!reason && decision.verdict == IPFI_VERDICT_ALLOW && decision.stateful)
		reason = ipfi_explain_open(a, decision.rule, false, &source);
	if (!reason && decision.stateful)
		reason = -ipfi_flow_open(&flow, &p->packet, 0, 0, 0, &p->in->limits);
	p->packet = answer;
	ipfi_passage_key(p);
	a->leaving = p->packet.tuple;
	if (reason)
		ipfi_asking_deny(a, reason);
	else if (decision.verdict == IPFI_VERDICT_ALLOW && decision.stateful)
		answer_syn(a, &flow);
	else if (decision.verdict == IPFI_VERDICT_ALLOW)
		judge_first(a, true);
}

/* The packet answers a SYN that had passed without effect. */
static void take_up_again(struct ipfi_asking *a, struct live *live)
{
	struct ipfi_recalled recalled;
	struct ipfi_rejudgement out;
	struct ipfi_decision decision;

	ipfi_resync_recall(&a->p, &live->flow, &recalled);
	if (live->flow.tcp.kept.denied) {
		ipfi_resync_deny(&decision);
		ipfi_asking_decide(a, &decision);
	} else if (live->direction != IPFI_REPLY) {
		take_up_turned(a, live, &recalled);
	} else {
		ipfi_tcp_resync(&live->flow, &recalled.syn);
		if (!ipfi_rejudge_resync(&a->p, &live->flow, master_of(live), &out)) {
			ipfi_asking_decide(a, &out.denied);
			return;
		}
		tell(a, live);
		answer_syn(a, &live->flow);
	}
}

static void judge_live(struct ipfi_asking *a, struct live *live)
{
	const struct ipfi_packet *packet = &a->p.packet;
	u8 reason = live->unread;

	if (live->flow.table & IPFI_TABLE_KILLED) {
		judge_killed(a, live);
		return;
	}
	if (live->flow.flags & IPFI_FLOW_F_UNJUDGED) {
		a->master = live->master;
		a->source_given = live->source_given;
		a->given = live->given;
		if (live->direction == IPFI_REPLY)
			ipfi_asking_deny(a, IPFI_REASON_NAT_FAILED);
		else
			judge_unjudged(a);
		return;
	}
	if (!rejudge(a, live)) {
		a->x->state_id = live->id;
		return;
	}
	tell(a, live);
	if (live->translated && !(packet->loopback && packet->list == IPFI_LIST_IN))
		a->leaving = live->leaving;
	if (packet->loopback && packet->list == IPFI_LIST_IN) {
		if (ipfi_loopback_opens(&live->flow, live->master, live->direction))
			judge_first(a, false);
		else
			ipfi_asking_allow(a, IPFI_REASON_STATE);
		return;
	}
	if (reason) {
		ipfi_asking_deny(a, reason);
		return;
	}
	switch (ipfi_flow_advance(&live->flow, packet, live->direction, &reason)) {
	case IPFI_ADVANCE_PASS:
		a->x->state = live->flow.state;
		if (live->order)
			ipfi_asking_allow(a, live->stopped ? IPFI_REASON_STATE : live->heard);
		else
			ipfi_asking_deny(a, IPFI_REASON_FTP_ORDER);
		break;
	case IPFI_ADVANCE_IGNORE:
		ipfi_asking_allow(a, reason);
		break;
	case IPFI_ADVANCE_DROP:
		ipfi_asking_deny(a, reason);
		break;
	case IPFI_ADVANCE_RESYNC:
		take_up_again(a, live);
		break;
	case IPFI_ADVANCE_REOPEN:
		a->x->state = IPFI_STATE_NONE;
		a->x->state_id = 0;
		a->x->rule = 0;
		/* A translated one has come back here too late to be told anew: its sender tries again. */
		if (live->translated) {
			ipfi_asking_deny(a, IPFI_REASON_TCP_STATE);
			break;
		}
		ipfi_asking_forget(a, live->state, &live->flow);
		judge_first(a, true);
		break;
	}
}

/* The live state that an error speaks about, by rules that still allow it; false for none. */
static bool find_related(struct ipfi_asking *a, struct live *live)
{
	struct ipfi_passage *p = &a->p;
	struct ipfi_rejudgement out;
	struct ipfi_state *state;
	bool related = false;

	if (!p->packet.inner.family)
		return false;
	p->higher = ipfi_key_from_tuple(&p->key, &p->packet.inner);
	local_bh_disable();
	state = ipfi_table_find(p->in, &p->key, IPFI_TABLE_REAL);
	if (state) {
		related = !ipfi_state_hidden(state) && ipfi_decide_related(&state->flow, &p->packet);
		memset(live, 0, sizeof(*live));
		live->id = ipfi_state_id(state);
		ipfi_flow_copy(&live->flow, &state->flow);
		/* It goes the other way than what it quotes. */
		live->direction = ipfi_flow_direction(&state->flow, p->higher) == IPFI_REPLY ? IPFI_ORIGINAL : IPFI_REPLY;
		live->master = ipfi_state_wide(state) ? ipfi_state_wide(state)->master : NULL;
		spin_unlock(&state->lock);
	}
	local_bh_enable();
	return related && (!ipfi_must_rejudge(p, &live->flow, live->direction) ||
			   ipfi_rejudge_related(p, &live->flow, master_of(live), live->direction, &out) ==
				   IPFI_REJUDGED_HOLDS);
}

static void judge_error(struct ipfi_asking *a)
{
	struct ipfi_passage *p = &a->p;
	bool related, leaves, known;
	struct live live;
	u8 reason = 0;

	if (ipfi_skb_checksum_bad(p->skb, &p->packet)) {
		ipfi_asking_deny(a, IPFI_REASON_BAD_CHECKSUM);
		return;
	}
	related = find_related(a, &live);
	if (related) {
		tell(a, &live);
		ipfi_asking_allow(a, IPFI_REASON_RELATED);
	} else {
		ipfi_passage_unrelated(p);
		judge_first(a, false);
	}
	/* To this machine it leaves where it is judged, if it is related; else behind the filter. */
	leaves = p->packet.list == IPFI_LIST_IN ? related && !p->packet.loopback : true;
	if (a->x->verdict == IPFI_VERDICT_ALLOW && leaves && READ_ONCE(p->in->nat.active)) {
		local_bh_disable();
		reason = ipfi_nat_turn_leaving_error(p, &known);
		local_bh_enable();
	}
	if (reason)
		ipfi_asking_deny(a, reason);
	a->leaving = p->packet.tuple;
}

void ipfi_explain_judge(struct ipfi_asking *a)
{
	struct ipfi_passage *p = &a->p;
	struct live live;

	a->leaving = p->packet.tuple;
	if (p->packet.icmp_kind == IPFI_ICMP_ERROR)
		judge_error(a);
	else if (p->packet.icmp_kind == IPFI_ICMP_SIGNAL)
		judge_first(a, false);
	else if (ipfi_must_be_believed(&p->packet) && ipfi_skb_checksum_bad(p->skb, &p->packet))
		ipfi_asking_deny(a, IPFI_REASON_BAD_CHECKSUM);
	else if (a->unjudged)
		judge_unjudged(a);
	else if (find_live(a, &live))
		judge_live(a, &live);
	else
		judge_unknown(a);
}
