// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/kernel.h>
#include "module/core/platform.h"
#include "module/nat/conntrack.h"

#if IS_ENABLED(CONFIG_NF_CONNTRACK)
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>

static_assert((int)NF_IP_PRI_CONNTRACK == (int)NF_IP6_PRI_CONNTRACK);

/* It may be a module that is not there, so its hook is known by its place. Chains of nftables may have that too. */
static bool has_hook(const struct nf_hook_entries *entries)
{
	struct nf_hook_ops **ops;
	unsigned int i;

	if (!entries)
		return false;
	ops = nf_hook_entries_get_hook_ops(entries);
	for (i = 0; i < entries->num_hook_entries; i++)
		if (ops[i]->priority == NF_IP_PRI_CONNTRACK && ops[i]->hook_ops_type == NF_HOOK_OP_UNDEFINED)
			return true;
	return false;
}

bool ipfi_conntrack_is_active(struct net *net)
{
	bool active;

	rcu_read_lock();
	active = rcu_access_pointer(nf_ct_hook) &&
		 (has_hook(rcu_dereference(net->nf.hooks_ipv4[NF_INET_PRE_ROUTING])) ||
		  has_hook(rcu_dereference(net->nf.hooks_ipv6[NF_INET_PRE_ROUTING])));
	rcu_read_unlock();
	return active;
}
#endif
