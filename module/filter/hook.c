// SPDX-License-Identifier: GPL-2.0-or-later
/* Where packets come in. */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include "module/compat.h"
#include "module/core/platform.h"
#include "module/filter/established.h"
#include "module/filter/hook.h"
#include "module/nat/translate.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/packet/reject.h"
#include "module/packet/skb.h"
#include "module/packet/verdict.h"
#include "module/packet/vrf.h"
#include "module/table/state.h"

/* What is made here arrives here. True if it may go on. */
static bool arrive_from_here(struct ipfi_pkt *p, unsigned int *verdict)
{
	u8 refused;

	*verdict = ipfi_nat_arrive(p);
	if (*verdict != NF_ACCEPT)
		return false;
	/* Its way out may be another one now. */
	refused = ipfi_skb_fill_env(p->skb, p->hook, IPFI_LIST_OUT, &p->packet);
	if (unlikely(refused))
		*verdict = ipfi_pkt_count(p, refused, NF_DROP);
	return !refused;
}

/*
 * A packet that was forwarded to a VRF's interface is sent from there as if it were made here. It has been evaluated
 * and shows what it shows as it leaves: what arrives in its connection's other direction, the ends exchanged.
 */
static noinline bool was_forwarded(struct ipfi_pkt *p)
{
	struct ipfi_state *state;
	bool forwarded;

	ipfi_pkt_key(p);
	state = ipfi_pkt_find(p, ipfi_table_arrives(!p->higher));
	if (!state)
		return false;
	forwarded = state->flow.list == IPFI_LIST_FORWARD && !ipfi_state_hidden(state);
	spin_unlock(&state->lock);
	return forwarded;
}

static unsigned int judge(struct sk_buff *skb, const struct nf_hook_state *hook, enum ipfi_list list)
{
	struct ipfi_pkt p ipfi_uninitialized;
	unsigned int verdict;
	u8 refused;
	int err;

	if (!ipfi_pkt_begin(&p, skb, hook))
		return NF_ACCEPT;
	if (list == IPFI_LIST_OUT && ipfi_vrf_is_other_pass(skb, hook))
		return NF_ACCEPT;
	if (list == IPFI_LIST_OUT && ipfi_reject_is_own(hook->net))
		return ipfi_pkt_count(&p, IPFI_REASON_OWN_REJECT, NF_ACCEPT);
	err = ipfi_skb_parse(skb, &p.packet);
	refused = ipfi_skb_fill_env(skb, hook, list, &p.packet);
	if (unlikely(err | refused))
		return ipfi_pkt_count(&p, err ? -err : refused, NF_DROP);
	if (list == IPFI_LIST_OUT && unlikely(p.packet.tuple.dst_vrf) && skb->skb_iif && was_forwarded(&p))
		return NF_ACCEPT;
	if (list == IPFI_LIST_OUT && unlikely(READ_ONCE(p.in->nat.active)) && !arrive_from_here(&p, &verdict))
		return verdict;

	return ipfi_filter_packet(&p);
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
