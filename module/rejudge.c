// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/netdevice.h>
#include "rejudge.h"

static const char *device_name(struct net *net, u32 index)
{
	const struct net_device *device = index ? dev_get_by_index_rcu(net, index) : NULL;

	return device ? device->name : NULL;
}

void ipfi_rejudge_names(struct net *net, const struct ipfi_flow *flow, struct ipfi_device_names *names)
{
	names->iif = flow->list == IPFI_LIST_OUT ? NULL : device_name(net, flow->iif);
	names->oif = device_name(net, flow->oif);
}

bool ipfi_rejudge_by_master(struct net *net, const struct ipfi_judge *judge, struct ipfi_flow *flow,
			    const struct ipfi_flow *first)
{
	struct ipfi_flow control = *first;
	struct ipfi_device_names names;
	struct ipfi_decision decision;

	ipfi_rejudge_names(net, &control, &names);
	if (!ipfi_decide_again(judge, &control, &names, &decision) || !decision.rule ||
	    decision.rule->helper != IPFI_HELPER_FTP)
		return false;
	flow->generation = judge->generation;
	flow->rule = decision.rule->id;
	return true;
}
