/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 addresses of devices. */
#ifndef IPFI_ENGINE_NET_ADDRCONF_H
#define IPFI_ENGINE_NET_ADDRCONF_H

#include <linux/in6.h>
#include <linux/netdevice.h>

struct inet6_dev {
	struct net_device *dev;
};

struct inet6_ifaddr {
	struct in6_addr addr;
	struct inet6_dev *idev;
};

int register_inet6addr_notifier(struct notifier_block *block);
void unregister_inet6addr_notifier(struct notifier_block *block);

static inline bool ipv6_addr_any(const struct in6_addr *addr)
{
	return !(addr->s6_addr32[0] | addr->s6_addr32[1] | addr->s6_addr32[2] | addr->s6_addr32[3]);
}

#define IPV6_ADDR_LINKLOCAL 0x20U

/* No more of it than whether it is link-local. */
static inline int ipv6_addr_type(const struct in6_addr *addr)
{
	return (ntohl(addr->s6_addr32[0]) & 0xffc00000) == 0xfe800000 ? (int)IPV6_ADDR_LINKLOCAL : 0;
}

/* Is it one of this machine's? @device: one of the VRF that is asked about, NULL for what is in none. */
int ipv6_chk_addr(struct net *net, const struct in6_addr *addr, const struct net_device *device, int strict);

/* The source that @destination is asked from (RFC 6724, its rules 1, 2 and 8). 0 or -EADDRNOTAVAIL. */
int ipv6_dev_get_saddr(struct net *net, const struct net_device *device, const struct in6_addr *destination,
		       unsigned int preferences, struct in6_addr *source);

#endif
