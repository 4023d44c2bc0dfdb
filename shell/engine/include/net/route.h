/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways of IPv4: to a device's own network by that, all else by the world's default device (../../route.c). */
#ifndef IPFI_ENGINE_NET_ROUTE_H
#define IPFI_ENGINE_NET_ROUTE_H

#include <linux/err.h>
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <net/dst.h>
#include <net/flow.h>

struct net;

struct rtable {
	struct dst_entry dst;
};

/* Also finds flow->saddr when that is 0. ERR_PTR() for no way. */
struct rtable *ip_route_output_key(struct net *net, struct flowi4 *flow);

static inline void ip_rt_put(struct rtable *route)
{
	(void)route;
}

/* RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST or RTN_UNICAST. */
unsigned int inet_addr_type(struct net *net, __be32 addr);

/* The same of the VRF that the device belongs to. */
unsigned int inet_addr_type_dev_table(struct net *net, const struct net_device *device, __be32 addr);

/* The same, where RTN_LOCAL is what is the device's own. */
unsigned int inet_dev_addr_type(struct net *net, const struct net_device *device, __be32 addr);

#endif
