/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network devices, those of the world that is running (../../device.c). */
#ifndef IPFI_ENGINE_LINUX_NETDEVICE_H
#define IPFI_ENGINE_LINUX_NETDEVICE_H

#include <linux/notifier.h>
#include <linux/if.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct net;

#define NETDEV_UP 1
#define NETDEV_DOWN 2
#define NETDEV_REGISTER 5
#define NETDEV_UNREGISTER 6
#define NETDEV_CHANGENAME 11

struct net_device {
	char name[IFNAMSIZ];
	int ifindex;
	unsigned int flags; /* IFF_* */
	unsigned int mtu;
	struct net *net;
	struct net_device *l3mdev; /* the VRF that it belongs to, itself if it is one; NULL for none */
};

static inline bool netif_is_l3_master(const struct net_device *device)
{
	return device->l3mdev == device;
}

static inline bool netif_is_l3_slave(const struct net_device *device)
{
	return device->l3mdev && device->l3mdev != device;
}

struct netdev_notifier_info {
	struct net_device *dev;
};

static inline struct net *dev_net(const struct net_device *device)
{
	return device->net;
}

static inline struct net_device *netdev_notifier_info_to_dev(void *info)
{
	return ((struct netdev_notifier_info *)info)->dev;
}

/* Under RCU. NULL for none. */
struct net_device *dev_get_by_index_rcu(struct net *net, int index);
struct net_device *dev_get_by_name_rcu(struct net *net, const char *name);

int register_netdevice_notifier(struct notifier_block *block);
void unregister_netdevice_notifier(struct notifier_block *block);

#endif
