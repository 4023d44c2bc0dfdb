// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/netdevice.h>
#include "module/net.h"
#include "module/ruleset/interface.h"
#include "module/ruleset/ruleset.h"

static void renew(struct work_struct *work)
{
	struct ipfi_net *in = container_of(work, struct ipfi_net, interface_names.renew);

	mutex_lock(&in->mutex);
	ipfi_generations_renew_all(in);
	mutex_unlock(&in->mutex);
}

/* Indexes are given away in ascending order: one that is not greater than all before has been another's, perhaps. */
static bool is_index_used(struct ipfi_interface_names *names, u32 index)
{
	if (index <= names->most)
		return true;
	names->most = index;
	return false;
}

/* Under RTNL, which is not to be held together with in->mutex: hence the work. */
static int device_event(struct notifier_block *block, unsigned long event, void *data)
{
	const struct net_device *device = netdev_notifier_info_to_dev(data);
	struct ipfi_net *in = ipfi_net(dev_net(device));

	if (event == NETDEV_CHANGENAME ||
	    (event == NETDEV_REGISTER && is_index_used(&in->interface_names, device->ifindex)))
		queue_work(ipfi_workqueue, &in->interface_names.renew);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = { .notifier_call = device_event };

void ipfi_interface_names_init(struct ipfi_net *in)
{
	INIT_WORK(&in->interface_names.renew, renew);
}

void ipfi_interface_names_exit(struct ipfi_net *in)
{
	cancel_work_sync(&in->interface_names.renew);
}

int __init ipfi_interface_init(void)
{
	return register_netdevice_notifier(&device_notifier);
}

void ipfi_interface_exit(void)
{
	unregister_netdevice_notifier(&device_notifier);
}
