/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VRFs: which one a device belongs to. */
#ifndef IPFI_ENGINE_NET_L3MDEV_H
#define IPFI_ENGINE_NET_L3MDEV_H

#include <linux/netdevice.h>

static inline struct net_device *l3mdev_master_dev_rcu(const struct net_device *device)
{
	return device ? device->l3mdev : NULL;
}

static inline int l3mdev_master_ifindex_rcu(const struct net_device *device)
{
	return device && device->l3mdev ? device->l3mdev->ifindex : 0;
}

#endif
