// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One story, top to bottom: parse, look for the state, judge it again if the rules are new, let it advance;
 * else ask the rules, make a state, count, log, answer.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include "module/compat.h"
#include "module/netlink/events.h"
#include "module/filter/new.h"
#include "module/helper/ftp.h"
#include "module/filter/hook.h"
#include "module/packet/mss.h"
#include "module/nat/translate.h"
#include "module/packet/reject.h"
#include "module/filter/rejudge.h"
#include "module/filter/resync.h"
#include "module/packet/skb.h"

/* @state, locked, has been evaluated again: it belongs to another rule, perhaps. */
static void take_rule(struct ipfi_passage *p, struct ipfi_state *state, u64 old_rule,
		      const struct ipfi_rejudgement *out)
{
	struct ipfi_wide_state *wide = ipfi_state_wide(state);

	if (!out->renewed)
		return;
	ipfi_table_reassign(p->in, state, old_rule, out->rule);
	if (wide && wide->control)
		ipfi_control_rejudged(p->in, wide->control, out->rule);
}

static const struct ipfi_flow *master_of(struct ipfi_state *state)
{
	const struct ipfi_wide_state *wide = ipfi_state_wide(state);

	return wide && wide->master ? &wide->master->first : NULL;
}

/* Is @state's source translated to what it would not be where the packet leaves? */
static bool has_moved(struct ipfi_passage *p, struct ipfi_state *state)
{
	const struct ipfi_wide_state *wide = ipfi_state_translated(state);

	return ipfi_nat_has_moved(p, wide ? &wide->leaving.src : &p->packet.tuple.src, wide && wide->masqueraded);
}

/*
 * Is @state, locked, still allowed: by newer rules, and by the interfaces of the packet? NF_ACCEPT, or what to do with
 * the packet; then the state is unlocked.
 */
static noinline unsigned int judge_again(struct ipfi_passage *p, struct ipfi_state *state,
					 enum ipfi_direction direction)
{
	const u64 old_rule = state->flow.rule;
	const u8 state_id = state->flow.state;
	struct ipfi_rejudgement out;
	enum ipfi_rejudged judged = ipfi_rejudge(p, &state->flow, master_of(state), direction, &out);

	if (judged == IPFI_REJUDGED_FLOW) {
		ipfi_table_remove(p->in, state, IPFI_CAUSE_DENIED);
		return ipfi_passage_carry_out(p, &out.denied, state_id);
	}
	take_rule(p, state, old_rule, &out);
	if (judged == IPFI_REJUDGED_PACKET) {
		spin_unlock(&state->lock);
		return ipfi_passage_carry_out(p, &out.denied, state_id);
	}
	if (out.moved && has_moved(p, state)) {
		ipfi_table_remove(p->in, state, IPFI_CAUSE_ADDRESS_GONE);
		return ipfi_passage_count(p, IPFI_REASON_NAT_MOVED, NF_DROP);
	}
	return NF_ACCEPT;
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
	if (ipfi_state_translated(state))
		ipfi_nat_mark(p);
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
	    !ipfi_nat_enter(p, wide, direction)) {
		*reason = IPFI_REASON_NAT_FAILED;
		verdict = NF_DROP;
	}
	if (wide->translated)
		ipfi_nat_mark(p);
	return verdict;
}

/*
 * @p's packet, of @direction, answers a SYN that had passed without effect: both ends speak of the
 * connection that this one opens. If the rules allow that it lives in the place of @state, which is
 * locked and comes back unlocked, and the packet belongs to it (IPFI_LOOK_AGAIN); in any case that
 * of before is over.
 */
static noinline unsigned int take_up_again(struct ipfi_passage *p, struct ipfi_state *state,
					   enum ipfi_direction direction)
{
	struct ipfi_wide_state *wide = ipfi_state_wide(state);
	const bool translated = ipfi_state_translated(state);
	const struct ipfi_packet answer = p->packet;
	struct ipfi_flow *flow = &state->flow;
	struct ipfi_recalled recalled;
	struct ipfi_decision decision;
	struct ipfi_rejudgement out;
	const u64 old_rule = flow->rule;
	u8 state_id = flow->state, reason;

	if (flow->tcp.kept.denied) {
		ipfi_resync_deny(&decision);
		goto deny;
	}
	ipfi_resync_recall(p, flow, &recalled);
	if (direction == IPFI_REPLY) {
		ipfi_tcp_resync(flow, &recalled.syn);
		if (!ipfi_rejudge_resync(p, flow, master_of(state), &out)) {
			decision = out.denied;
			goto deny;
		}
		take_rule(p, state, old_rule, &out);
		if (wide && wide->control)
			ipfi_control_restart(p->in, wide->control, recalled.syn.seq + 1);
		spin_unlock(&state->lock);
		return IPFI_LOOK_AGAIN;
	}
	/*
	 * The other way round it is another connection, with another source and maybe another
	 * translation. Where that is not for this packet to find out the SYN must come again.
	 */
	ipfi_table_remove(p->in, state, IPFI_CAUSE_REPLACED);
	if (translated || p->packet.loopback)
		return ipfi_passage_count(p, IPFI_REASON_TCP_STATE, NF_DROP);
	p->packet = recalled.syn;
	ipfi_passage_key(p);
	reason = ipfi_resync_ask(p, &decision);
	if (!reason && decision.verdict == IPFI_VERDICT_ALLOW)
		ipfi_open_recalled(p, &decision);
	p->packet = answer;
	ipfi_passage_key(p);
	if (reason)
		return ipfi_passage_count(p, reason, NF_DROP);
	if (decision.verdict == IPFI_VERDICT_ALLOW)
		return IPFI_LOOK_AGAIN;
	return ipfi_passage_carry_out(p, &decision, IPFI_STATE_NONE);

deny:
	ipfi_table_remove(p->in, state, IPFI_CAUSE_DENIED);
	return ipfi_passage_carry_out(p, &decision, state_id);
}

/* The packet of a live state, which is locked and comes back unlocked. */
static unsigned int judge_live(struct ipfi_passage *p, struct ipfi_state *state)
{
	struct ipfi_wide_state *wide = ipfi_state_wide(state);
	unsigned int verdict = NF_ACCEPT;
	struct ipfi_flow *flow = &state->flow;
	enum ipfi_direction direction;
	u8 before, reason;
	u32 ack = 0;

	if (unlikely(flow->table & IPFI_TABLE_KILLED))
		return answer_killed(p, state);
	if (unlikely(flow->flags & IPFI_FLOW_F_UNJUDGED))
		return ipfi_judge_unjudged(p, state);
	direction = ipfi_flow_direction(flow, p->higher);
	if (ipfi_must_rejudge(p, flow, direction)) {
		verdict = judge_again(p, state, direction);
		if (verdict != NF_ACCEPT)
			return verdict;
	}
	if (unlikely(p->packet.loopback) && p->packet.list == IPFI_LIST_IN)
		return enter_by_loopback(p, state, direction);
	/* What begins the connection again has nothing to do with what was read of it. */
	if (unlikely(wide) && wide->control &&
	    !ipfi_tcp_answers_kept(&flow->tcp, &p->packet, direction)) {
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
		if (unlikely(reason == IPFI_REASON_CHALLENGE) && ipfi_tcp_is_syn(&p->packet) &&
		    !(wide && wide->master))
			ipfi_resync_weigh(p, flow);
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
	case IPFI_ADVANCE_RESYNC:
		return take_up_again(p, state, direction);
	case IPFI_ADVANCE_DROP:
		break;
	}
drop:
	spin_unlock(&state->lock);
	return ipfi_passage_count(p, reason, NF_DROP);
}

/* May an ICMP error about @state, locked and of packets of @direction, pass? Else it is unlocked, or gone. */
static bool may_relate(struct ipfi_passage *p, struct ipfi_state *state, enum ipfi_direction direction)
{
	const u64 old_rule = state->flow.rule;
	struct ipfi_rejudgement out;
	enum ipfi_rejudged judged;

	if (!ipfi_must_rejudge(p, &state->flow, direction))
		return true;
	judged = ipfi_rejudge_related(p, &state->flow, master_of(state), direction, &out);
	if (judged == IPFI_REJUDGED_FLOW) {
		ipfi_table_remove(p->in, state, IPFI_CAUSE_DENIED);
		return false;
	}
	take_rule(p, state, old_rule, &out);
	if (judged == IPFI_REJUDGED_HOLDS)
		return true;
	spin_unlock(&state->lock);
	return false;
}

/* Does the ICMP error speak about a live state that the rules in force allow? */
static noinline bool is_related(struct ipfi_passage *p)
{
	enum ipfi_direction direction;
	struct ipfi_state *state;
	bool related;

	if (!p->packet.inner.family)
		return false;
	p->higher = ipfi_key_from_tuple(&p->key, &p->packet.inner);
	state = ipfi_table_find(p->in, &p->key, IPFI_TABLE_REAL);
	if (!state)
		return false;
	related = !ipfi_state_hidden(state) && ipfi_decide_related(&state->flow, &p->packet);
	/* It goes the other way than what it quotes. */
	direction = ipfi_flow_direction(&state->flow, p->higher) == IPFI_REPLY ? IPFI_ORIGINAL : IPFI_REPLY;
	if (related && !may_relate(p, state, direction))
		return false;
	if (related && ipfi_state_translated(state))
		ipfi_nat_mark(p);
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
	ipfi_passage_unrelated(p);
	return ipfi_judge_first(p, false);
}

/*
 * What comes in by a loopback device has been translated twice on its way out: it shows what leaves. Lets p->packet,
 * not the packet itself, show the real end points again.
 */
static noinline struct ipfi_state *find_behind_loopback(struct ipfi_passage *p)
{
	struct ipfi_wide_state *wide;
	struct ipfi_state *state;
	struct ipfi_tuple leaving;
	enum ipfi_direction direction;

	/* What leaves in one direction is what arrives in the other, the ends exchanged. */
	state = ipfi_table_find(p->in, &p->key, ipfi_table_arrives(!p->higher));
	wide = state ? ipfi_state_translated(state) : NULL;
	/* Instead of a deleted one another may begin, with the end points that the packet shows. */
	if (!wide || state->flow.table & IPFI_TABLE_KILLED)
		return state;
	ipfi_nat_view(wide, IPFI_VIEW_LEAVING, IPFI_ORIGINAL, &leaving);
	direction = ipfi_addr_equal(&leaving.src, &p->packet.tuple.src) && leaving.sport == p->packet.tuple.sport ?
			    IPFI_ORIGINAL :
			    IPFI_REPLY;
	ipfi_nat_view(wide, IPFI_VIEW_REAL, direction, &p->packet.tuple);
	ipfi_passage_key(p);
	return state;
}

/* Does @p's packet come in by a loopback device, where translated ones show what leaves? */
static bool enters_translated(const struct ipfi_passage *p)
{
	return unlikely(p->packet.loopback) && p->packet.list == IPFI_LIST_IN && READ_ONCE(p->in->nat.active);
}

struct ipfi_state *ipfi_find_state(struct ipfi_passage *p)
{
	if (enters_translated(p))
		return find_behind_loopback(p);
	return ipfi_table_find(p->in, &p->key, IPFI_TABLE_REAL);
}

bool ipfi_is_astray(const struct ipfi_passage *p)
{
	return enters_translated(p) && ipfi_table_has(p->in, &p->key, IPFI_TABLE_REAL, ipfi_passage_gone(p));
}

/* What is made here arrives here. True if it may go on. */
static bool arrive_from_here(struct ipfi_passage *p, unsigned int *verdict)
{
	u8 refused;

	*verdict = ipfi_nat_arrive(p);
	if (*verdict != NF_ACCEPT)
		return false;
	/* Its way out may be another one now. */
	refused = ipfi_skb_surroundings(p->skb, p->hook, IPFI_LIST_OUT, &p->packet);
	if (unlikely(refused))
		*verdict = ipfi_passage_count(p, refused, NF_DROP);
	return !refused;
}

/*
 * A packet that was forwarded to a VRF's interface is sent from there as if it were made here. It has been evaluated
 * and shows what it shows as it leaves: what arrives in its connection's other direction, the ends exchanged.
 */
static noinline bool was_forwarded(struct ipfi_passage *p)
{
	struct ipfi_state *state;
	bool forwarded;

	ipfi_passage_key(p);
	state = ipfi_table_find(p->in, &p->key, ipfi_table_arrives(!p->higher));
	if (!state)
		return false;
	forwarded = state->flow.list == IPFI_LIST_FORWARD && !ipfi_state_hidden(state);
	spin_unlock(&state->lock);
	return forwarded;
}

static __always_inline unsigned int judge_once(struct ipfi_passage *p)
{
	struct ipfi_state *state = ipfi_find_state(p);

	if (likely(state))
		return judge_live(p, state);
	if (ipfi_is_astray(p))
		return ipfi_passage_count(p, IPFI_REASON_NAT_FAILED, NF_DROP);
	return ipfi_judge_first(p, true);
}

static unsigned int judge(struct sk_buff *skb, const struct nf_hook_state *hook, enum ipfi_list list)
{
	struct ipfi_passage p ipfi_uninitialized;
	unsigned int verdict, lookups;
	u8 refused;
	int err;

	p.in = ipfi_net(hook->net);
	p.rs = rcu_dereference(p.in->ruleset);
	if (unlikely(!p.rs))
		return NF_ACCEPT;
	if (list == IPFI_LIST_OUT && ipfi_vrf_is_other_pass(skb, hook))
		return NF_ACCEPT;
	if (list == IPFI_LIST_OUT && ipfi_reject_is_own(hook->net))
		return ipfi_passage_count(&p, IPFI_REASON_OWN_REJECT, NF_ACCEPT);
	p.skb = skb;
	p.hook = hook;
	p.rehearsal = NULL;
	err = ipfi_skb_parse(skb, &p.packet);
	refused = ipfi_skb_surroundings(skb, hook, list, &p.packet);
	if (unlikely(err | refused))
		return ipfi_passage_count(&p, err ? -err : refused, NF_DROP);
	if (list == IPFI_LIST_OUT && unlikely(p.packet.tuple.dst_vrf) && skb->skb_iif && was_forwarded(&p))
		return NF_ACCEPT;
	if (list == IPFI_LIST_OUT && unlikely(READ_ONCE(p.in->nat.active)) && !arrive_from_here(&p, &verdict))
		return verdict;

	if (unlikely(p.packet.icmp_kind == IPFI_ICMP_ERROR))
		return judge_error(&p);
	if (unlikely(p.packet.icmp_kind == IPFI_ICMP_SIGNAL))
		return ipfi_judge_first(&p, false);
	if (ipfi_must_be_believed(&p.packet) && ipfi_skb_checksum_bad(skb, &p.packet))
		return ipfi_passage_count(&p, IPFI_REASON_BAD_CHECKSUM, NF_DROP);

	for (lookups = 0; lookups < IPFI_LOOKUPS_MAX; lookups++) {
		ipfi_passage_key(&p);
		verdict = judge_once(&p);
		if (likely(verdict != IPFI_LOOK_AGAIN))
			return verdict;
	}
	return ipfi_passage_give_up(&p);
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

/* IPv4's first: ipfi_hooks_count(). */
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
	err = ipv6_mod_enabled() ? nf_defrag_ipv6_enable(net) : 0;
	if (err)
		goto disable_ipv4;
	err = nf_register_net_hooks(net, hooks, ipfi_hooks_count(ARRAY_SIZE(hooks)));
	if (err)
		goto disable_ipv6;
	return 0;

disable_ipv6:
	if (ipv6_mod_enabled())
		nf_defrag_ipv6_disable(net);
disable_ipv4:
	nf_defrag_ipv4_disable(net);
	return err;
}

void ipfi_hooks_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ipfi_hooks_count(ARRAY_SIZE(hooks)));
	if (ipv6_mod_enabled())
		nf_defrag_ipv6_disable(net);
	nf_defrag_ipv4_disable(net);
}
