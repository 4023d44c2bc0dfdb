// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One story, top to bottom: parse, look for the state, judge it again if the rules are new, let it advance;
 * else ask the rules, make a state, count, log, answer.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include "compat.h"
#include "event.h"
#include "first.h"
#include "helper.h"
#include "hook.h"
#include "mss.h"
#include "nat.h"
#include "reject.h"
#include "rejudge.h"
#include "skb.h"

/* Is @state, locked, still allowed by rules that are newer than its last judgement? */
static noinline bool judge_again(struct ipfi_passage *p, struct ipfi_state *state, struct ipfi_decision *decision)
{
	struct ipfi_wide_state *wide = ipfi_state_wide(state);
	struct ipfi_flow *flow = &state->flow;
	struct ipfi_surroundings around;
	struct ipfi_device_names names;
	struct ipfi_judge judge;
	u64 old_rule = flow->rule;

	ipfi_passage_judge(p, &judge, &around);
	if (wide && wide->master && ipfi_rejudge_by_master(p->in->net, &judge, flow, &wide->master->first))
		return true;
	ipfi_rejudge_names(p->in->net, flow, &names);
	if (!ipfi_decide_again(&judge, flow, &names, decision))
		return false;
	ipfi_table_reassign(p->in, state, old_rule, decision->rule);
	if (wide && wide->control)
		ipfi_control_rejudged(p->in, wide->control, decision->rule);
	return true;
}

/*
 * A packet that came in by a loopback device has advanced its state when it went out. The list "in" still has
 * its say over who may open a connection, unless another one has announced it.
 */
static unsigned int enter_by_loopback(struct ipfi_passage *p, struct ipfi_state *state, enum ipfi_direction direction)
{
	const struct ipfi_wide_state *wide = ipfi_state_wide(state);
	bool opening = ipfi_loopback_opens(&state->flow, wide && wide->master, direction);

	spin_unlock(&state->lock);
	if (opening)
		return ipfi_judge_first(p, false);
	return ipfi_passage_count(p, IPFI_REASON_STATE, NF_ACCEPT);
}

static noinline unsigned int answer_killed(struct ipfi_passage *p, struct ipfi_state *state)
{
	u8 reason = ipfi_killed_reason(&p->packet);

	if (!reason) {
		ipfi_table_remove(p->in, state, IPFI_CAUSE_REPLACED);
		return IPFI_LOOK_AGAIN;
	}
	spin_unlock(&state->lock);
	if (reason == IPFI_REASON_STATE)
		return ipfi_passage_count(p, reason, NF_ACCEPT);
	return ipfi_passage_count(p, reason, ipfi_reject(p->skb, p->hook, &p->packet));
}

/*
 * The packet is accepted as one of @wide's, which is locked, for the reason *reason: what the state wants of its
 * packets beside that.
 */
static noinline unsigned int attend(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction,
				    u32 ack, u8 *reason)
{
	unsigned int verdict = NF_ACCEPT;

	if (wide->control && *reason == IPFI_REASON_STATE)
		*reason = ipfi_control_after(p, wide, direction, ack, &verdict);
	if (wide->mss && !ipfi_mss_clamp(p, wide->mss)) {
		*reason = IPFI_REASON_NO_MEMORY;
		verdict = NF_DROP;
	}
	/* To this machine it leaves here. */
	if (wide->translated && p->packet.list == IPFI_LIST_IN && !p->packet.loopback && verdict == NF_ACCEPT &&
	    !ipfi_nat_show(p, wide, IPFI_VIEW_LEAVING, direction)) {
		*reason = IPFI_REASON_NAT_FAILED;
		verdict = NF_DROP;
	}
	return verdict;
}

/* The packet of a live state, which is locked and comes back unlocked. */
static unsigned int judge_live(struct ipfi_passage *p, struct ipfi_state *state)
{
	struct ipfi_wide_state *wide = ipfi_state_wide(state);
	unsigned int verdict = NF_ACCEPT;
	struct ipfi_flow *flow = &state->flow;
	enum ipfi_direction direction;
	struct ipfi_decision decision;
	u8 before, reason;
	u32 ack = 0;

	if (unlikely(flow->table & IPFI_TABLE_KILLED))
		return answer_killed(p, state);
	if (unlikely(flow->flags & IPFI_FLOW_F_UNJUDGED))
		return ipfi_judge_unjudged(p, state);
	if (ipfi_judged_by_older(p, &state->flow) && !judge_again(p, state, &decision)) {
		u8 state_id = flow->state;

		ipfi_table_remove(p->in, state, IPFI_CAUSE_DENIED);
		return ipfi_passage_carry_out(p, &decision, state_id);
	}
	direction = ipfi_flow_direction(flow, p->higher);
	if (unlikely(p->packet.loopback) && p->packet.list == IPFI_LIST_IN)
		return enter_by_loopback(p, state, direction);
	if (unlikely(wide) && wide->control) {
		reason = ipfi_control_before(p, wide, direction, &ack);
		if (reason)
			goto drop;
	}

	before = flow->state;
	switch (ipfi_flow_advance(flow, &p->packet, direction, &reason)) {
	case IPFI_ADVANCE_PASS:
		ipfi_table_renew(p->in, state);
		if (unlikely(flow->state != before))
			ipfi_event_state(p->in, state, IPFI_EVENT_CHANGED, IPFI_CAUSE_UNSPEC);
		reason = IPFI_REASON_STATE;
		fallthrough;
	case IPFI_ADVANCE_IGNORE:
		if (unlikely(wide))
			verdict = attend(p, wide, direction, ack, &reason);
		spin_unlock(&state->lock);
		return ipfi_passage_count(p, reason, verdict);
	case IPFI_ADVANCE_REOPEN:
		/* A translated one has come back here too late to be told anew: its sender tries again. */
		reason = IPFI_REASON_TCP_STATE;
		if (wide && wide->translated) {
			ipfi_table_remove(p->in, state, IPFI_CAUSE_REPLACED);
			return ipfi_passage_count(p, reason, NF_DROP);
		}
		ipfi_table_remove(p->in, state, IPFI_CAUSE_REPLACED);
		return IPFI_LOOK_AGAIN;
	case IPFI_ADVANCE_DROP:
		break;
	}
drop:
	spin_unlock(&state->lock);
	return ipfi_passage_count(p, reason, NF_DROP);
}

/* Does the ICMP error speak about a live state that the rules in force allow? */
static noinline bool is_related(struct ipfi_passage *p)
{
	struct ipfi_decision decision;
	struct ipfi_state *state;
	bool related;

	if (!p->packet.inner.family)
		return false;
	ipfi_key_from_tuple(&p->key, &p->packet.inner);
	state = ipfi_table_find(p->in, &p->key, IPFI_TABLE_REAL);
	if (!state)
		return false;
	related = !ipfi_state_hidden(state) && ipfi_decide_related(&state->flow, &p->packet);
	if (related && ipfi_judged_by_older(p, &state->flow) && !judge_again(p, state, &decision)) {
		ipfi_table_remove(p->in, state, IPFI_CAUSE_DENIED);
		return false;
	}
	spin_unlock(&state->lock);
	return related;
}

static unsigned int judge_error(struct ipfi_passage *p)
{
	if (ipfi_skb_checksum_bad(p->skb, &p->packet))
		return ipfi_passage_count(p, IPFI_REASON_BAD_CHECKSUM, NF_DROP);
	if (is_related(p)) {
		/* To this machine it leaves here. */
		if (READ_ONCE(p->in->nat.active) && p->packet.list == IPFI_LIST_IN && !p->packet.loopback &&
		    ipfi_nat_leave(p) != NF_ACCEPT)
			return NF_DROP;
		return ipfi_passage_count(p, IPFI_REASON_RELATED, NF_ACCEPT);
	}
	return ipfi_judge_first(p, false);
}

/*
 * What comes in by a loopback device has been translated twice on its way out: it shows what leaves. Lets p->packet,
 * not the packet itself, show the real end points again.
 */
static struct ipfi_state *find_behind_loopback(struct ipfi_passage *p)
{
	struct ipfi_wide_state *wide;
	struct ipfi_state *state;
	struct ipfi_tuple leaving;
	enum ipfi_direction direction;

	/* What leaves in one direction is what arrives in the other, the ends exchanged. */
	state = ipfi_table_find(p->in, &p->key, ipfi_table_arrives(!p->higher));
	wide = state ? ipfi_state_translated(state) : NULL;
	if (!wide)
		return state;
	ipfi_nat_view(wide, IPFI_VIEW_LEAVING, IPFI_ORIGINAL, &leaving);
	direction = ipfi_addr_equal(&leaving.src, &p->packet.tuple.src) && leaving.sport == p->packet.tuple.sport ?
			    IPFI_ORIGINAL :
			    IPFI_REPLY;
	ipfi_nat_view(wide, IPFI_VIEW_REAL, direction, &p->packet.tuple);
	ipfi_passage_key(p);
	return state;
}

struct ipfi_state *ipfi_find_state(struct ipfi_passage *p)
{
	if (unlikely(p->packet.loopback) && p->packet.list == IPFI_LIST_IN && READ_ONCE(p->in->nat.active))
		return find_behind_loopback(p);
	return ipfi_table_find(p->in, &p->key, IPFI_TABLE_REAL);
}

/* What is made here arrives here. True if it may go on. */
static bool arrive_from_here(struct ipfi_passage *p, unsigned int *verdict)
{
	*verdict = ipfi_nat_arrive(p);
	if (*verdict != NF_ACCEPT)
		return false;
	/* Its way out may be another one now. */
	ipfi_skb_surroundings(p->skb, p->hook, IPFI_LIST_OUT, &p->packet);
	return true;
}

static unsigned int judge(struct sk_buff *skb, const struct nf_hook_state *hook, enum ipfi_list list)
{
	struct ipfi_passage p ipfi_uninitialized;
	struct ipfi_state *state;
	unsigned int verdict;
	int err;

	p.in = ipfi_net(hook->net);
	p.rs = rcu_dereference(p.in->ruleset);
	if (unlikely(!p.rs))
		return NF_ACCEPT;
	if (list == IPFI_LIST_OUT && ipfi_reject_is_own())
		return ipfi_passage_count(&p, IPFI_REASON_OWN_REJECT, NF_ACCEPT);
	p.skb = skb;
	p.hook = hook;
	p.rehearsal = NULL;
	err = ipfi_skb_parse(skb, &p.packet);
	ipfi_skb_surroundings(skb, hook, list, &p.packet);
	if (unlikely(err))
		return ipfi_passage_count(&p, -err, NF_DROP);
	if (list == IPFI_LIST_OUT && unlikely(READ_ONCE(p.in->nat.active)) && !arrive_from_here(&p, &verdict))
		return verdict;

	if (unlikely(p.packet.icmp_kind == IPFI_ICMP_ERROR))
		return judge_error(&p);
	if (unlikely(p.packet.icmp_kind == IPFI_ICMP_SIGNAL))
		return ipfi_judge_first(&p, false);
	if (ipfi_must_be_believed(&p.packet) && ipfi_skb_checksum_bad(skb, &p.packet))
		return ipfi_passage_count(&p, IPFI_REASON_BAD_CHECKSUM, NF_DROP);

	ipfi_passage_key(&p);
	do {
		state = ipfi_find_state(&p);
		verdict = likely(state) ? judge_live(&p, state) : ipfi_judge_first(&p, true);
	} while (unlikely(verdict == IPFI_LOOK_AGAIN));
	return verdict;
}

/*
 * Everything here relies on BHs being off, as they are for what comes from a device; they may be on when a
 * process sends or a queued packet is taken up again. RCU is held by the hook.
 */
static unsigned int judge_bh_off(struct sk_buff *skb, const struct nf_hook_state *hook, enum ipfi_list list)
{
	unsigned int verdict;

	if (likely(in_softirq()))
		return judge(skb, hook, list);
	local_bh_disable();
	verdict = judge(skb, hook, list);
	local_bh_enable();
	return verdict;
}

static unsigned int hook_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *hook)
{
	return judge_bh_off(skb, hook, IPFI_LIST_IN);
}

static unsigned int hook_out(void *priv, struct sk_buff *skb, const struct nf_hook_state *hook)
{
	return judge_bh_off(skb, hook, IPFI_LIST_OUT);
}

static unsigned int hook_forward(void *priv, struct sk_buff *skb, const struct nf_hook_state *hook)
{
	return judge_bh_off(skb, hook, IPFI_LIST_FORWARD);
}

#define HOOK(family, number, function) \
	{ .hook = function, .pf = family, .hooknum = number, .priority = NF_IP_PRI_FILTER }

static const struct nf_hook_ops hooks[] = {
	HOOK(NFPROTO_IPV4, NF_INET_LOCAL_IN, hook_in),
	HOOK(NFPROTO_IPV4, NF_INET_LOCAL_OUT, hook_out),
	HOOK(NFPROTO_IPV4, NF_INET_FORWARD, hook_forward),
	HOOK(NFPROTO_IPV6, NF_INET_LOCAL_IN, hook_in),
	HOOK(NFPROTO_IPV6, NF_INET_LOCAL_OUT, hook_out),
	HOOK(NFPROTO_IPV6, NF_INET_FORWARD, hook_forward),
};

static_assert((int)NF_IP_PRI_FILTER == (int)NF_IP6_PRI_FILTER);

int ipfi_hooks_register(struct net *net)
{
	int err;

	err = nf_defrag_ipv4_enable(net);
	if (err)
		return err;
	err = nf_defrag_ipv6_enable(net);
	if (err)
		goto disable_ipv4;
	err = nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
	if (err)
		goto disable_ipv6;
	return 0;

disable_ipv6:
	nf_defrag_ipv6_disable(net);
disable_ipv4:
	nf_defrag_ipv4_disable(net);
	return err;
}

void ipfi_hooks_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
	nf_defrag_ipv6_disable(net);
	nf_defrag_ipv4_disable(net);
}
