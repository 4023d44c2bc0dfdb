// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One story, top to bottom: parse, look for the state, judge it again if the rules are new, let it advance;
 * else ask the rules, make a state, count, log, answer.
 */
#include <linux/ktime.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/addrconf.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/route.h>
#include "compat.h"
#include "event.h"
#include "hook.h"
#include "log.h"
#include "net.h"
#include "reject.h"
#include "skb.h"

/* A packet on its way through. */
struct passage {
	struct ipfi_net *in;
	const struct ipfi_ruleset *rs;
	struct sk_buff *skb;
	const struct nf_hook_state *hook;
	struct ipfi_packet packet;
	struct ipfi_key key;
	bool higher;
};

/* Not a verdict of netfilter's: the state is gone or another CPU has made it, look again. */
#define LOOK_AGAIN UINT_MAX

static unsigned int count(struct ipfi_net *in, u8 reason, unsigned int verdict)
{
	__this_cpu_inc(in->counters->reason[reason]);
	return verdict;
}

static bool is_me(void *context, u8 family, const struct ipfi_addr *addr)
{
	struct passage *p = context;
	struct in6_addr v6;
	unsigned int i;

	if (family == 4)
		return inet_addr_type(p->in->net, htonl(addr->w[0])) == RTN_LOCAL;
	for (i = 0; i < 4; i++)
		v6.s6_addr32[i] = htonl(addr->w[i]);
	return ipv6_chk_addr(p->in->net, &v6, NULL, 0);
}

static bool take_limit(void *context, const struct ipfi_rule *rule)
{
	struct passage *p = context;
	atomic64_t *arrival = &p->rs->stores[rule->index]->limit_arrival;
	s64 old = atomic64_read(arrival);
	u64 now = ktime_get_ns(), next;

	do {
		if (!ipfi_rate_conforms(old, now, rule->limit_interval, rule->limit_burst, &next))
			return false;
	} while (!atomic64_try_cmpxchg(arrival, &old, next));
	return true;
}

static u32 source_states(void *context, const struct ipfi_rule *rule, u8 family, const struct ipfi_addr *source)
{
	struct passage *p = context;

	return ipfi_sources_count(p->in, rule->id, family, source);
}

static void make_judge(struct passage *p, struct ipfi_judge *judge, struct ipfi_surroundings *around)
{
	around->is_me = is_me;
	around->take_limit = take_limit;
	around->source_states = source_states;
	around->context = p;
	judge->classifier = &p->rs->classifier;
	judge->limits = &p->in->limits;
	judge->around = around;
	judge->generation = p->rs->generation;
}

static void count_rule(struct passage *p, const struct ipfi_rule *rule)
{
	struct ipfi_rule_counter *counter = &p->rs->counters[smp_processor_id()][rule->index];

	WRITE_ONCE(counter->packets, counter->packets + 1);
	WRITE_ONCE(counter->bytes, counter->bytes + p->packet.length);
}

/* Counts, logs and carries out what was decided. No lock is held. */
static unsigned int carry_out(struct passage *p, const struct ipfi_decision *decision, u8 state_id)
{
	if (decision->rule) {
		count_rule(p, decision->rule);
		if (unlikely(decision->rule->log))
			ipfi_log_packet(p->in, p->skb, p->hook, &p->packet, decision, state_id);
	}
	count(p->in, decision->reason, 0);
	if (decision->verdict == IPFI_VERDICT_ALLOW)
		return NF_ACCEPT;
	if (decision->verdict == IPFI_VERDICT_REJECT)
		return ipfi_reject(p->skb, p->hook, &p->packet);
	return NF_DROP;
}

/* The packet of no live state. */
static noinline unsigned int judge_first(struct passage *p, bool may_open)
{
	struct ipfi_surroundings around;
	struct ipfi_decision decision;
	struct ipfi_judge judge;
	struct ipfi_state *state;
	u8 state_id = IPFI_STATE_NONE;

	make_judge(p, &judge, &around);
	ipfi_skb_user(p->skb, p->hook, &p->packet);
	ipfi_decide_first(&judge, &p->packet, &decision);
	if (decision.stateful && may_open) {
		if (ipfi_skb_checksum_bad(p->skb, &p->packet))
			return count(p->in, IPFI_REASON_BAD_CHECKSUM, NF_DROP);
		state = ipfi_table_add(p->in, &p->packet, decision.rule, p->rs->generation, &decision.reason);
		if (IS_ERR(state))
			return LOOK_AGAIN;
		if (!state) {
			decision.verdict = IPFI_VERDICT_DENY;
		} else {
			state_id = state->flow.state;
			ipfi_event_state(p->in, state, IPFI_EVENT_NEW, IPFI_CAUSE_UNSPEC);
			spin_unlock(&state->lock);
		}
	}
	return carry_out(p, &decision, state_id);
}

static const char *device_name(struct net *net, u32 index)
{
	const struct net_device *device = index ? dev_get_by_index_rcu(net, index) : NULL;

	return device ? device->name : NULL;
}

/* Is @state, locked, still allowed by rules that are newer than its last judgement? */
static noinline bool judge_again(struct passage *p, struct ipfi_state *state, struct ipfi_decision *decision)
{
	struct ipfi_flow *flow = &state->flow;
	struct ipfi_device_names names = {
		.iif = flow->list == IPFI_LIST_OUT ? NULL : device_name(p->in->net, flow->iif),
		.oif = device_name(p->in->net, flow->oif),
	};
	struct ipfi_surroundings around;
	struct ipfi_judge judge;
	u64 old_rule = flow->rule;

	make_judge(p, &judge, &around);
	if (!ipfi_decide_again(&judge, flow, &names, decision))
		return false;
	ipfi_table_reassign(p->in, state, old_rule, decision->rule);
	return true;
}

static bool judged_by_older(const struct passage *p, const struct ipfi_state *state)
{
	return unlikely((s32)(state->flow.generation - p->rs->valid_from) < 0);
}

/*
 * A packet that came in by a loopback device has advanced its state when it went out. The list "in" still has
 * its say over who may open a connection.
 */
static unsigned int enter_by_loopback(struct passage *p, struct ipfi_state *state, enum ipfi_direction direction)
{
	bool opening = state->flow.list == IPFI_LIST_OUT && direction == IPFI_ORIGINAL &&
		       !(state->flow.flags & IPFI_STATE_F_REPLY_SEEN);

	spin_unlock(&state->lock);
	if (opening)
		return judge_first(p, false);
	return count(p->in, IPFI_REASON_STATE, NF_ACCEPT);
}

/*
 * A segment of a TCP connection whose state was deleted. Resets pass, so that both ends hear of it; a SYN
 * begins anew; whoever goes on is told that it is over.
 */
static noinline unsigned int answer_killed(struct passage *p, struct ipfi_state *state)
{
	u8 flags = p->packet.tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_ACK | IPFI_TCP_RST);

	if (flags == IPFI_TCP_SYN) {
		ipfi_table_remove(p->in, state, IPFI_CAUSE_REPLACED);
		return LOOK_AGAIN;
	}
	spin_unlock(&state->lock);
	if (flags & IPFI_TCP_RST)
		return count(p->in, IPFI_REASON_STATE, NF_ACCEPT);
	return count(p->in, IPFI_REASON_KILLED, ipfi_reject(p->skb, p->hook, &p->packet));
}

/* The packet of a live state, which is locked and comes back unlocked. */
static unsigned int judge_live(struct passage *p, struct ipfi_state *state)
{
	struct ipfi_flow *flow = &state->flow;
	enum ipfi_direction direction;
	struct ipfi_decision decision;
	u8 before, reason;

	if (unlikely(flow->table & IPFI_TABLE_KILLED))
		return answer_killed(p, state);
	if (judged_by_older(p, state) && !judge_again(p, state, &decision)) {
		u8 state_id = flow->state;

		ipfi_table_remove(p->in, state, IPFI_CAUSE_DENIED);
		return carry_out(p, &decision, state_id);
	}
	direction = ipfi_flow_direction(flow, p->higher);
	if (unlikely(p->packet.loopback) && p->packet.list == IPFI_LIST_IN)
		return enter_by_loopback(p, state, direction);

	before = flow->state;
	switch (ipfi_flow_advance(flow, &p->packet, direction, &reason)) {
	case IPFI_ADVANCE_PASS:
		ipfi_table_renew(p->in, state);
		if (unlikely(flow->state != before))
			ipfi_event_state(p->in, state, IPFI_EVENT_CHANGED, IPFI_CAUSE_UNSPEC);
		spin_unlock(&state->lock);
		return count(p->in, IPFI_REASON_STATE, NF_ACCEPT);
	case IPFI_ADVANCE_IGNORE:
		spin_unlock(&state->lock);
		return count(p->in, reason, NF_ACCEPT);
	case IPFI_ADVANCE_REOPEN:
		ipfi_table_remove(p->in, state, IPFI_CAUSE_REPLACED);
		return LOOK_AGAIN;
	case IPFI_ADVANCE_DROP:
		break;
	}
	spin_unlock(&state->lock);
	return count(p->in, reason, NF_DROP);
}

/* Does the ICMP error speak about a live state that the rules in force allow? */
static noinline bool is_related(struct passage *p)
{
	struct ipfi_decision decision;
	struct ipfi_state *state;
	bool related;

	if (!p->packet.inner.family)
		return false;
	ipfi_key_from_tuple(&p->key, &p->packet.inner);
	state = ipfi_table_find(p->in, &p->key);
	if (!state)
		return false;
	related = !(state->flow.table & IPFI_TABLE_KILLED) && ipfi_decide_related(&state->flow, &p->packet);
	if (related && judged_by_older(p, state) && !judge_again(p, state, &decision)) {
		ipfi_table_remove(p->in, state, IPFI_CAUSE_DENIED);
		return false;
	}
	spin_unlock(&state->lock);
	return related;
}

static unsigned int judge_error(struct passage *p)
{
	if (ipfi_skb_checksum_bad(p->skb, &p->packet))
		return count(p->in, IPFI_REASON_BAD_CHECKSUM, NF_DROP);
	if (is_related(p))
		return count(p->in, IPFI_REASON_RELATED, NF_ACCEPT);
	return judge_first(p, false);
}

static unsigned int judge(struct sk_buff *skb, const struct nf_hook_state *hook, enum ipfi_list list)
{
	struct passage p ipfi_uninitialized;
	struct ipfi_state *state;
	unsigned int verdict;
	int err;

	p.in = ipfi_net(hook->net);
	p.rs = rcu_dereference(p.in->ruleset);
	if (unlikely(!p.rs))
		return NF_ACCEPT;
	if (list == IPFI_LIST_OUT && ipfi_reject_is_own())
		return count(p.in, IPFI_REASON_OWN_REJECT, NF_ACCEPT);
	p.skb = skb;
	p.hook = hook;
	err = ipfi_skb_parse(skb, &p.packet);
	if (unlikely(err))
		return count(p.in, -err, NF_DROP);
	ipfi_skb_surroundings(skb, hook, list, &p.packet);

	if (unlikely(p.packet.icmp_kind == IPFI_ICMP_ERROR))
		return judge_error(&p);
	if (unlikely(p.packet.icmp_kind == IPFI_ICMP_SIGNAL))
		return judge_first(&p, false);
	/* What could change a state for good must be what its receiver will believe. */
	if (p.packet.tuple.proto == IPFI_PROTO_TCP &&
	    p.packet.tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_FIN | IPFI_TCP_RST) &&
	    ipfi_skb_checksum_bad(skb, &p.packet))
		return count(p.in, IPFI_REASON_BAD_CHECKSUM, NF_DROP);

	p.higher = ipfi_key_from_tuple(&p.key, &p.packet.tuple);
	do {
		state = ipfi_table_find(p.in, &p.key);
		verdict = likely(state) ? judge_live(&p, state) : judge_first(&p, true);
	} while (unlikely(verdict == LOOK_AGAIN));
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
