// SPDX-License-Identifier: GPL-2.0-or-later
#include <net/netfilter/nf_log.h>
#include "shell/engine/path.h"

int sysctl_nf_log_all_netns;

static const struct nf_hook_ops **place_of(struct net *net, const struct nf_hook_ops *hook)
{
	return world_of(net)->hooks[hook->pf == NFPROTO_IPV6][hook->hooknum];
}

static void insert(const struct nf_hook_ops **place, const struct nf_hook_ops *hook)
{
	unsigned int i = 0, last;

	while (place[i] && place[i]->priority <= hook->priority)
		i++;
	for (last = i; place[last]; last++)
		;
	BUG_ON(last == HOOKS_MOST);
	memmove(&place[i + 1], &place[i], (last - i) * sizeof(*place));
	place[i] = hook;
}

int nf_register_net_hooks(struct net *net, const struct nf_hook_ops *hooks, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		insert(place_of(net, &hooks[i]), &hooks[i]);
	return 0;
}

void nf_unregister_net_hooks(struct net *net, const struct nf_hook_ops *hooks, unsigned int count)
{
	const struct nf_hook_ops **place;
	unsigned int i;

	world_of(net)->hooks_gone++;
	for (i = 0; i < count; i++) {
		place = place_of(net, &hooks[i]);
		while (*place != &hooks[i])
			place++;
		for (; *place; place++)
			*place = place[1];
	}
}

bool netfilter_pass(struct sk_buff *skb, unsigned int hook, struct net_device *in, struct net_device *out)
{
	const bool v6 = skb->protocol == htons(ETH_P_IPV6);
	const struct nf_hook_state state = {
		.hook = (u8)hook,
		.pf = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
		.in = in,
		.out = out,
		.sk = skb->sk,
		.net = &world->net,
	};
	const struct nf_hook_ops **place = world->hooks[v6][hook];
	unsigned int verdict = NF_ACCEPT;

	rcu_read_lock();
	for (; *place && verdict == NF_ACCEPT; place++)
		verdict = (*place)->hook((*place)->priv, skb, &state);
	rcu_read_unlock();
	BUG_ON(verdict != NF_ACCEPT && (verdict & NF_VERDICT_MASK) != NF_DROP);
	return verdict == NF_ACCEPT;
}
