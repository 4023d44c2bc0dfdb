/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 addresses of devices. */
#ifndef IPFI_ENGINE_LINUX_INETDEVICE_H
#define IPFI_ENGINE_LINUX_INETDEVICE_H

#include <asm/byteorder.h>
#include <linux/netdevice.h>

struct in_device {
	struct net_device *dev;
};

struct in_ifaddr {
	__be32 ifa_local;
	struct in_device *ifa_dev;
};

int register_inetaddr_notifier(struct notifier_block *block);
void unregister_inetaddr_notifier(struct notifier_block *block);

/* The device's address that @destination is asked from, or another one; 0 for none. */
__be32 inet_select_addr(const struct net_device *device, __be32 destination, int scope);

#endif
