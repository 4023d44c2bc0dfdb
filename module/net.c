// SPDX-License-Identifier: GPL-2.0-or-later
#include <net/netfilter/nf_log.h>
#include "module/net.h"

unsigned int ipfi_net_id __read_mostly;
struct workqueue_struct *ipfi_workqueue;

bool ipfi_log_allowed(const struct ipfi_net *in)
{
	return net_eq(in->net, &init_net) || READ_ONCE(sysctl_nf_log_all_netns);
}
