// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>
#include <linux/netdevice.h>
#include "explain.h"
#include "first.h"
#include "helper.h"
#include "hook.h"
#include "nat.h"
#include "nat_destination.h"
#include "rejudge.h"
#include "rewrite.h"
#include "skb.h"
#include "way.h"

/* A question on its way. */
struct asking {
	struct ipfi_explanation *x;
	const struct ipfi_question *question;
	struct ipfi_passage p;
	struct nf_hook_state hook;
	struct ipfi_tuple arrived;            /* what it showed at first */
	struct ipfi_tuple leaving;            /* what it will show, if it is allowed */
	bool unjudged;                        /* its destination has been translated now: the state is made */
	const struct ipfi_master *master;     /* of that state, NULL for none */
	bool source_given;                    /* its source will be translated to given */
	struct ipfi_addr given;
	struct ipfi_expectation expectation;  /* a copy of one that it meets */
};

/* A live state, copied: nothing of it is locked any more. */
struct live {
	const struct ipfi_state *state; /* only to be compared */
	u64 id;
	struct ipfi_flow flow;
	enum ipfi_direction direction;
	const struct ipfi_master *master; /* under RCU; NULL for none */
	bool translated, source_given;
	struct ipfi_tuple leaving; /* as the packet leaves, if translated */
	struct ipfi_addr given;
	u8 unread; /* why its helper drops the packet, 0 */
	u8 heard;  /* what the packet counts as when its flow lets it pass */
};

static void decide(struct asking *a, const struct ipfi_decision *decision)
{
	a->x->verdict = decision->verdict;
	a->x->reason = decision->reason;
	a->x->rule = decision->rule ? decision->rule->id : 0;
}

static void deny(struct asking *a, u8 reason)
{
	a->x->verdict = IPFI_VERDICT_DENY;
	a->x->reason = reason;
}

static void allow(struct asking *a, u8 reason)
{
	a->x->verdict = IPFI_VERDICT_ALLOW;
	a->x->reason = reason;
}

/* What is told of a state that was found. */
static void tell(struct asking *a, const struct live *live)
{
	a->x->state = live->flow.state;
	a->x->state_id = live->id;
	a->x->rule = live->flow.rule;
}

static bool same_tuple(const struct ipfi_tuple *a, const struct ipfi_tuple *b)
{
	return ipfi_addr_equal(&a->src, &b->src) && ipfi_addr_equal(&a->dst, &b->dst) && a->sport == b->sport &&
	       a->dport == b->dport;
}

/* From here on @state, locked, counts as gone. */
static void forget(struct asking *a, const struct ipfi_state *state, const struct ipfi_flow *flow)
{
	a->x->rehearsal.gone = state;
	a->x->rehearsal.gone_flow = *flow;
}

static bool is_free(struct asking *a, const struct ipfi_tuple *tuple, bool real)
{
	struct ipfi_key key;
	bool higher = ipfi_key_from_tuple(&key, tuple);

	return ipfi_table_is_free(a->p.in, &key, real ? IPFI_TABLE_REAL : ipfi_table_arrives(higher),
				  a->x->rehearsal.gone);
}

/* Does ipfi_nat_try's work without taking anything. */
static int try_real(struct ipfi_passage *p, void *context, const struct ipfi_tuple *real)
{
	return is_free(context, real, true) ? 0 : -EEXIST;
}

/*
 * Arriving: nat_destination.c
 */

/* False: it is dropped. */
static bool arrive_first(struct asking *a)
{
	struct ipfi_passage *p = &a->p;
	struct ipfi_nat_destination to;
	struct ipfi_tuple real;
	bool expected;
	u8 reason;

	if (!ipfi_nat_opens(&p->packet))
		return true;
	expected = ipfi_expect_look(p->in, &p->packet.tuple, true, &a->expectation);
	if (!ipfi_nat_find_destination(p, expected ? &a->expectation : NULL, &to, &reason))
		return true;
	a->x->dstnat_rule = to.rule ? to.rule->id : 0;
	if (!reason && ipfi_skb_checksum_bad(p->skb, &p->packet))
		reason = IPFI_REASON_BAD_CHECKSUM;
	if (!reason && !ipfi_table_has_room(p->in, &p->key, a->x->rehearsal.gone))
		reason = IPFI_REASON_TABLE_FULL;
	if (!reason)
		reason = ipfi_nat_find_real(p, &to, try_real, a, &real);
	if (!reason && !same_tuple(&p->packet.tuple, &real) && !ipfi_rewrite(p->skb, &p->packet, &real))
		reason = IPFI_REASON_NAT_FAILED;
	if (reason) {
		deny(a, reason);
		return false;
	}
	a->unjudged = true;
	if (expected) {
		a->master = a->expectation.master;
		a->source_given = a->expectation.src_translated;
		a->given = a->expectation.leaving_src;
	}
	return true;
}

static bool arrive_connection(struct asking *a)
{
	struct ipfi_passage *p = &a->p;
	struct ipfi_wide_state *wide;
	enum ipfi_direction direction;
	bool known, over = false, shown = true;

	ipfi_passage_key(p);
	local_bh_disable();
	wide = ipfi_table_find_translated(p->in, &p->key, ipfi_table_arrives(p->higher), &known);
	if (wide) {
		direction = ipfi_nat_arriving_direction(wide, &p->packet.tuple);
		over = ipfi_nat_is_over(p, wide, direction);
		if (over)
			forget(a, &wide->state, &wide->state.flow);
		else
			shown = ipfi_nat_show(p, wide, IPFI_VIEW_REAL, direction);
		spin_unlock(&wide->state.lock);
	}
	local_bh_enable();
	if (!shown)
		deny(a, IPFI_REASON_NAT_FAILED);
	return over || !known ? arrive_first(a) : shown;
}

static bool arrive_error(struct asking *a)
{
	u8 reason;

	local_bh_disable();
	reason = ipfi_nat_turn_error(&a->p, true);
	local_bh_enable();
	if (reason)
		deny(a, reason);
	return !reason;
}

static bool arrive(struct asking *a)
{
	const struct ipfi_packet *packet = &a->p.packet;

	if (!READ_ONCE(a->p.in->nat.active) || packet->icmp_kind == IPFI_ICMP_SIGNAL)
		return true;
	/* Over a loopback device it has arrived on its way out. */
	if (packet->loopback && packet->list == IPFI_LIST_IN)
		return true;
	return packet->icmp_kind == IPFI_ICMP_ERROR ? arrive_error(a) : arrive_connection(a);
}

/*
 * Opening: open.c and nat_source.c
 */

static u8 try_source(struct asking *a, const struct ipfi_tuple *real, const struct ipfi_addr *addr, u16 port)
{
	struct ipfi_tuple reply;

	ipfi_nat_reply(real, addr, port, &reply);
	if (!is_free(a, &reply, false))
		return IPFI_REASON_NAT_FULL;
	a->leaving = *real;
	a->leaving.src = *addr;
	a->leaving.sport = port;
	return 0;
}

/* What the source would be translated to, in a->leaving. Returns 0 or the reason why there is nothing. */
static u8 choose_source(struct asking *a, const struct ipfi_nat_source *source)
{
	const struct ipfi_tuple real = a->p.packet.tuple;
	struct ipfi_tuple leaving = real;
	struct ipfi_nat_search search;
	bool persistent, mapped = false;
	struct ipfi_end outer;

	if (!ipfi_nat_source_search(&a->p, source, &real, &search))
		return IPFI_REASON_NAT_FULL;
	persistent = source->wanted && source->rule && source->rule->flags & IPFI_RULE_F_PERSISTENT &&
		     search.has_port;
	if (persistent) {
		local_bh_disable();
		mapped = ipfi_mapping_look(a->p.in, &real, &outer);
		local_bh_enable();
	}
	if (mapped && ipfi_nat_mapping_fits(&outer, source))
		return try_source(a, &real, &outer.addr, outer.port);
	while (ipfi_nat_search_next(&search, &leaving.src, &leaving.sport))
		if ((!persistent || mapped || ipfi_mapping_is_free(a->p.in, &leaving)) &&
		    !try_source(a, &real, &leaving.src, leaving.sport))
			return 0;
	return IPFI_REASON_NAT_FULL;
}

/* May the packet have a state, and its source one more? Returns 0 or the reason why not; its state is told. */
static u8 open_flow(struct asking *a, const struct ipfi_rule *rule)
{
	const struct ipfi_passage *p = &a->p;
	const struct ipfi_tuple *tuple = &p->packet.tuple;
	const struct ipfi_flow *gone = a->x->rehearsal.gone ? &a->x->rehearsal.gone_flow : NULL;
	u32 most = READ_ONCE(p->in->limits.value[IPFI_LIMIT_MAX_STATES_PER_SOURCE]);
	struct ipfi_flow flow;
	int err = ipfi_flow_open(&flow, &p->packet, 0, 0, 0, &p->in->limits);

	if (err)
		return -err;
	if (most && ipfi_sources_count_without(p->in, 0, tuple->family, &tuple->src, gone) >= most)
		return IPFI_REASON_SOURCE_FULL;
	if (rule && rule->per_source &&
	    ipfi_sources_count_without(p->in, rule->id, tuple->family, &tuple->src, gone) >= rule->per_source)
		return IPFI_REASON_SOURCE_FULL;
	a->x->state = flow.state;
	return 0;
}

static u8 open_state(struct asking *a, const struct ipfi_rule *rule, bool expected, struct ipfi_nat_source *source)
{
	struct ipfi_passage *p = &a->p;
	u8 reason;

	ipfi_passage_key(p);
	if (source->wanted && !expected && ipfi_nat_source_is_same(p, source))
		source->wanted = false;
	a->x->srcnat_rule = source->wanted && source->rule ? source->rule->id : 0;
	if (!ipfi_table_has_room(p->in, &p->key, a->x->rehearsal.gone))
		return IPFI_REASON_TABLE_FULL;
	reason = open_flow(a, rule);
	if (reason)
		return reason;
	if (!source->wanted) {
		if (ipfi_table_is_free(p->in, &p->key, IPFI_TABLE_FOUND, a->x->rehearsal.gone))
			return 0;
		/* Its replies would be taken for those of a translated connection: it leaves by another port. */
		source->wanted = true;
		if (!source->rule) {
			source->one_addr = true;
			source->addr = p->packet.tuple.src;
		}
	}
	return is_free(a, &p->packet.tuple, false) ? choose_source(a, source) : IPFI_REASON_NAT_FULL;
}

static u8 open_unjudged(struct asking *a, const struct ipfi_rule *rule)
{
	struct ipfi_nat_source source;
	u8 reason = ipfi_nat_find_source(&a->p, a->source_given ? &a->given : NULL, &source);

	if (reason)
		return reason;
	/* Behind a control connection everything goes as that goes. */
	if (a->master && !a->source_given)
		source.wanted = false;
	reason = open_flow(a, rule);
	if (!reason)
		reason = choose_source(a, &source);
	if (!reason && source.rule)
		a->x->srcnat_rule = source.rule->id;
	return reason;
}

/*
 * Being judged: first.c and hook.c
 */

static void judge_first(struct asking *a, bool may_open)
{
	struct ipfi_passage *p = &a->p;
	const bool expected = may_open && ipfi_expect_look(p->in, &p->packet.tuple, false, &a->expectation);
	const struct ipfi_expectation *expectation = expected ? &a->expectation : NULL;
	struct ipfi_nat_source source;
	struct ipfi_decision decision;
	bool opens;
	u8 reason;

	if (expected)
		ipfi_follow_master(p, expectation->master, &decision);
	else
		ipfi_ask_rules(p, &decision);
	decide(a, &decision);
	if (!may_open || !ipfi_may_open(&p->packet, &decision))
		return;
	reason = ipfi_choose_opening(p, expectation, &decision, &source, &opens);
	if (!reason && opens)
		reason = open_state(a, expected ? NULL : decision.rule, expected, &source);
	if (reason) {
		a->x->state = IPFI_STATE_NONE;
		deny(a, reason);
	}
}

static void judge_unjudged(struct asking *a)
{
	struct ipfi_decision decision;
	u8 reason;

	if (a->master)
		ipfi_follow_master(&a->p, a->master, &decision);
	else
		ipfi_ask_rules(&a->p, &decision);
	decide(a, &decision);
	if (decision.verdict != IPFI_VERDICT_ALLOW)
		return;
	reason = open_unjudged(a, a->master ? NULL : decision.rule);
	if (reason) {
		a->x->state = IPFI_STATE_NONE;
		deny(a, reason);
	}
}

/* Copies @state, which is locked and comes back unlocked. */
static void take_copy(struct asking *a, struct ipfi_state *state, struct live *live)
{
	struct ipfi_wide_state *wide = ipfi_state_wide(state);
	struct ipfi_passage *p = &a->p;
	u32 ack;

	memset(live, 0, sizeof(*live));
	live->heard = IPFI_REASON_STATE;
	live->state = state;
	live->id = ipfi_state_id(state);
	live->flow = state->flow;
	live->direction = ipfi_flow_direction(&state->flow, p->higher);
	if (wide) {
		live->master = wide->master;
		live->translated = wide->translated;
		live->source_given = wide->source_given;
		live->given = wide->leaving.src;
		if (wide->translated)
			ipfi_nat_view(wide, IPFI_VIEW_LEAVING, live->direction, &live->leaving);
		if (wide->control && !ipfi_state_hidden(state) &&
		    !(p->packet.loopback && p->packet.list == IPFI_LIST_IN)) {
			live->unread = ipfi_control_before(p, wide, live->direction, &ack);
			/* A payload that was made up announces nothing. */
			if (!live->unread && p->skb->ip_summed != CHECKSUM_UNNECESSARY)
				live->heard = ipfi_control_foresee(p, wide, live->direction);
		}
	}
	spin_unlock(&state->lock);
}

/* The live state that the packet is found to belong to; false for none. */
static bool find_live(struct asking *a, struct live *live)
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

/* Is it still allowed? Brings the copy up to date. */
static bool rejudge(struct asking *a, struct live *live, struct ipfi_decision *decision)
{
	struct ipfi_surroundings around;
	struct ipfi_device_names names;
	struct ipfi_judge judge;

	if (!ipfi_judged_by_older(&a->p, &live->flow))
		return true;
	ipfi_passage_judge(&a->p, &judge, &around);
	if (live->master && ipfi_rejudge_by_master(a->p.in->net, &judge, &live->flow, &live->master->first))
		return true;
	ipfi_rejudge_names(a->p.in->net, &live->flow, &names);
	return ipfi_decide_again(&judge, &live->flow, &names, decision);
}

static void judge_killed(struct asking *a, struct live *live)
{
	u8 reason = ipfi_killed_reason(&a->p.packet);

	if (!reason) {
		forget(a, live->state, &live->flow);
		judge_first(a, true);
		return;
	}
	allow(a, reason);
	if (live->translated)
		a->leaving = live->leaving;
	if (reason == IPFI_REASON_KILLED)
		a->x->verdict = IPFI_VERDICT_REJECT;
}

static void judge_live(struct asking *a, struct live *live)
{
	const struct ipfi_packet *packet = &a->p.packet;
	struct ipfi_decision decision;
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
			deny(a, IPFI_REASON_NAT_FAILED);
		else
			judge_unjudged(a);
		return;
	}
	if (!rejudge(a, live, &decision)) {
		decide(a, &decision);
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
			allow(a, IPFI_REASON_STATE);
		return;
	}
	if (reason) {
		deny(a, reason);
		return;
	}
	switch (ipfi_flow_advance(&live->flow, packet, live->direction, &reason)) {
	case IPFI_ADVANCE_PASS:
		a->x->state = live->flow.state;
		allow(a, live->heard);
		break;
	case IPFI_ADVANCE_IGNORE:
		allow(a, reason);
		break;
	case IPFI_ADVANCE_DROP:
		deny(a, reason);
		break;
	case IPFI_ADVANCE_REOPEN:
		a->x->state = IPFI_STATE_NONE;
		a->x->state_id = 0;
		a->x->rule = 0;
		/* A translated one has come back here too late to be told anew: its sender tries again. */
		if (live->translated) {
			deny(a, IPFI_REASON_TCP_STATE);
			break;
		}
		forget(a, live->state, &live->flow);
		judge_first(a, true);
		break;
	}
}

/* The live state that an error speaks about, by rules that still allow it; false for none. */
static bool find_related(struct asking *a, struct live *live)
{
	struct ipfi_passage *p = &a->p;
	struct ipfi_decision decision;
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
		live->flow = state->flow;
		live->master = ipfi_state_wide(state) ? ipfi_state_wide(state)->master : NULL;
		spin_unlock(&state->lock);
	}
	local_bh_enable();
	return related && rejudge(a, live, &decision);
}

static void judge_error(struct asking *a)
{
	struct ipfi_passage *p = &a->p;
	bool related, leaves;
	struct live live;
	u8 reason = 0;

	if (ipfi_skb_checksum_bad(p->skb, &p->packet)) {
		deny(a, IPFI_REASON_BAD_CHECKSUM);
		return;
	}
	related = find_related(a, &live);
	if (related) {
		tell(a, &live);
		allow(a, IPFI_REASON_RELATED);
	} else {
		judge_first(a, false);
	}
	/* To this machine it leaves where it is judged, if it is related; else behind the filter. */
	leaves = p->packet.list == IPFI_LIST_IN ? related && !p->packet.loopback : true;
	if (a->x->verdict == IPFI_VERDICT_ALLOW && leaves && READ_ONCE(p->in->nat.active)) {
		local_bh_disable();
		reason = ipfi_nat_turn_error(p, false);
		local_bh_enable();
	}
	if (reason)
		deny(a, reason);
	a->leaving = p->packet.tuple;
}

static void judge(struct asking *a)
{
	struct ipfi_passage *p = &a->p;
	struct live live;

	a->leaving = p->packet.tuple;
	if (p->packet.icmp_kind == IPFI_ICMP_ERROR)
		judge_error(a);
	else if (p->packet.icmp_kind == IPFI_ICMP_SIGNAL)
		judge_first(a, false);
	else if (ipfi_must_be_believed(&p->packet) && ipfi_skb_checksum_bad(p->skb, &p->packet))
		deny(a, IPFI_REASON_BAD_CHECKSUM);
	else if (a->unjudged)
		judge_unjudged(a);
	else if (find_live(a, &live))
		judge_live(a, &live);
	else
		judge_first(a, true);
}

/* What the hook of @list would know of the packet. */
static void surround(struct asking *a, u8 list)
{
	const struct ipfi_question *question = a->question;

	ipfi_skb_surroundings(a->p.skb, &a->hook, list, &a->p.packet);
	a->p.packet.has_user = list == IPFI_LIST_OUT && question->has_user;
	a->p.packet.user = question->user;
}

/* Where does it go on to, and by which device, now that it has arrived? */
static void find_way(struct asking *a, struct net_device *out)
{
	const struct ipfi_tuple *tuple = &a->p.packet.tuple;
	bool turned = !ipfi_addr_equal(&tuple->dst, &a->arrived.dst);
	u8 list = a->question->list;

	if (turned && list != IPFI_LIST_OUT) {
		list = ipfi_addr_is_own(a->p.in->net, tuple->family, &tuple->dst) ? IPFI_LIST_IN : IPFI_LIST_FORWARD;
	} else if (turned) {
		out = NULL;
	}
	a->hook.out = NULL;
	if (list != IPFI_LIST_IN)
		a->hook.out = out ? out : ipfi_way_out(a->p.in->net, tuple, a->question->mark);
	surround(a, list);
}

static void ask(struct asking *a, struct net_device *out)
{
	struct ipfi_passage *p = &a->p;
	const u8 list = a->question->list;
	int err;

	a->x->list = list;
	err = ipfi_skb_parse(p->skb, &p->packet);
	if (err) {
		deny(a, -err);
		return;
	}
	a->arrived = p->packet.tuple;
	/* What does not come from here arrives before anybody knows where it goes. */
	if (list == IPFI_LIST_OUT)
		a->hook.out = out ? out : ipfi_way_out(p->in->net, &p->packet.tuple, a->question->mark);
	surround(a, list == IPFI_LIST_OUT ? IPFI_LIST_OUT : IPFI_LIST_IN);
	if (arrive(a)) {
		find_way(a, out);
		judge(a);
		a->x->list = p->packet.list;
	}
	a->x->leaving = a->x->verdict == IPFI_VERDICT_ALLOW ? a->leaving : p->packet.tuple;
	a->x->translated = !same_tuple(&a->x->leaving, &a->arrived);
	/* Of queries and replies alike the identifier is told, where a query has it. */
	if (p->packet.icmp_kind == IPFI_ICMP_REPLY)
		swap(a->x->leaving.sport, a->x->leaving.dport);
}

/* As the IP header says; never less than the header itself. */
static u32 length_of(const u8 *data, u32 length)
{
	u32 total = length;

	if (length >= 20 && data[0] >> 4 == 4)
		total = ipfi_get16(data + 2);
	else if (length >= 40 && data[0] >> 4 == 6)
		total = 40 + ipfi_get16(data + 4);
	return total < 20 ? length : total;
}

/*
 * The packet in a buffer. What is missing behind its headers is made up: such a packet's checksum is taken as right.
 */
static struct sk_buff *make_buffer(const struct ipfi_question *question, int *err)
{
	const u32 total = length_of(question->data, question->length);
	const u32 have = min(question->length, total);
	struct ipfi_packet packet;
	struct sk_buff *skb;

	*err = -ENODATA;
	if (have < total && ipfi_packet_parse(&packet, question->data, have, total, false) > 0)
		return NULL;
	skb = alloc_skb(total, GFP_KERNEL);
	*err = -ENOMEM;
	if (!skb)
		return NULL;
	memcpy(skb_put(skb, have), question->data, have);
	memset(skb_put(skb, total - have), 0, total - have);
	skb_reset_network_header(skb);
	skb->ip_summed = have < total ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
	skb->mark = question->mark;
	*err = 0;
	return skb;
}

/* Room for the steps: each list of the filter's is searched once, or the last time counts. */
static int make_room(struct ipfi_explanation *x)
{
	const u32 *count = x->rs->classifier.count;
	struct ipfi_told *told = &x->rehearsal.told;
	u32 most = max(max(count[IPFI_LIST_IN], count[IPFI_LIST_OUT]), count[IPFI_LIST_FORWARD]);

	told->dstnat.field = kvmalloc(max(count[IPFI_LIST_DSTNAT], 1U), GFP_KERNEL_ACCOUNT);
	told->filter.field = kvmalloc(max(most, 1U), GFP_KERNEL_ACCOUNT);
	told->srcnat.field = kvmalloc(max(count[IPFI_LIST_SRCNAT], 1U), GFP_KERNEL_ACCOUNT);
	return told->dstnat.field && told->filter.field && told->srcnat.field ? 0 : -ENOMEM;
}

static int ask_with_devices(struct asking *a)
{
	const struct ipfi_question *question = a->question;
	struct net *net = a->p.in->net;
	struct net_device *out = NULL;

	if (question->iif) {
		a->hook.in = dev_get_by_name_rcu(net, question->iif);
		if (!a->hook.in)
			return -ENODEV;
	}
	if (question->oif) {
		out = dev_get_by_name_rcu(net, question->oif);
		if (!out)
			return -ENXIO;
	}
	ask(a, out);
	return 0;
}

int ipfi_explain(struct ipfi_net *in, const struct ipfi_question *question, struct ipfi_explanation *x)
{
	struct asking *a;
	int err = -ENOMEM;

	memset(x, 0, sizeof(*x));
	x->verdict = IPFI_VERDICT_ALLOW;
	x->list = question->list;
	x->rs = ipfi_ruleset_get(in);
	if (!x->rs)
		return 0;
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	a->x = x;
	a->question = question;
	a->p.in = in;
	a->p.rs = x->rs;
	a->p.hook = &a->hook;
	a->p.rehearsal = &x->rehearsal;
	a->hook.net = in->net;
	a->hook.hook = question->list == IPFI_LIST_IN  ? NF_INET_LOCAL_IN :
		       question->list == IPFI_LIST_OUT ? NF_INET_LOCAL_OUT :
							 NF_INET_FORWARD;
	a->hook.pf = question->data[0] >> 4 == 6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	a->p.skb = make_buffer(question, &err);
	if (!err)
		err = make_room(x);
	if (!err) {
		rcu_read_lock();
		err = ask_with_devices(a);
		rcu_read_unlock();
	}
	kfree_skb(a->p.skb);
	kfree(a);
	return err;
}

void ipfi_explanation_end(struct ipfi_explanation *x)
{
	struct ipfi_told *told = &x->rehearsal.told;

	kvfree(told->dstnat.field);
	kvfree(told->filter.field);
	kvfree(told->srcnat.field);
	ipfi_ruleset_put(x->rs);
}
