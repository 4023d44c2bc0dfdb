// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/netdevice.h>
#include <net/ip6_route.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include "module/core/tuple.h"
#include "module/explain/route.h"

static struct net_device *way_ipv4(struct net *net, int vrf, const struct ipfi_tuple *tuple, u32 mark)
{
	struct flowi4 flow = {
		.daddr = htonl(tuple->dst.w[0]),
		.flowi4_oif = vrf,
		.flowi4_mark = mark,
		.flowi4_proto = tuple->proto,
	};
	struct rtable *route = ip_route_output_key(net, &flow);
	struct net_device *device;

	if (IS_ERR(route))
		return NULL;
	device = route->dst.dev;
	ip_rt_put(route);
	return device;
}

static struct net_device *way_ipv6(struct net *net, int vrf, const struct ipfi_tuple *tuple, u32 mark)
{
	struct flowi6 flow = {
		.flowi6_oif = vrf,
		.flowi6_mark = mark,
		.flowi6_proto = tuple->proto,
	};
	struct net_device *device = NULL;
	struct dst_entry *dst;
	unsigned int i;

	for (i = 0; i < 4; i++)
		flow.daddr.s6_addr32[i] = htonl(tuple->dst.w[i]);
	dst = ip6_route_output(net, NULL, &flow);
	if (!dst->error)
		device = dst->dev;
	dst_release(dst);
	return device;
}

struct net_device *ipfi_route_oif(struct net *net, const struct net_device *in, const struct ipfi_tuple *tuple, u32 mark)
{
	/* A VRF has routes of its own, found by its interface. */
	const int vrf = l3mdev_master_ifindex_rcu(in);

	return tuple->family == 4 ? way_ipv4(net, vrf, tuple, mark) : way_ipv6(net, vrf, tuple, mark);
}
