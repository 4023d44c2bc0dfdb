// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ways and source addresses. A world has no table of ways: what is in a device's own network is reached by that
 * device, the world's own addresses by its loopback device, and all else by its standard device.
 */
#include <linux/ip.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/addrconf.h>

#include "shell/engine/device.h"

const struct in6_addr in6addr_loopback = { .s6_addr = { [15] = 1 } };

u32 dst_mtu(const struct dst_entry *dst)
{
	return dst->dev->mtu;
}

/* All of 127/8 is a loopback device's. */
static bool is_of(const struct device *device, const struct engine_address *address, u8 family, const void *bytes)
{
	if (family == 4 && device->dev.flags & IFF_LOOPBACK)
		return address_has(address, family, bytes);
	return address_is(address, family, bytes);
}

#define for_each_address(device, address) \
	for ((address) = (device)->addresses; (address) < (device)->addresses + (device)->address_count; (address)++)

static bool is_up(const struct device *device)
{
	return device->dev.flags & IFF_UP;
}

static bool device_has(const struct device *device, u8 family, const void *bytes)
{
	const struct engine_address *address;

	if (!is_up(device))
		return false;
	for_each_address(device, address)
		if (is_of(device, address, family, bytes))
			return true;
	return false;
}

/* Does it lead to what is in @vrf, NULL for no VRF? A VRF's own device is a part of it. */
static bool is_in(const struct device *device, const struct net_device *vrf)
{
	return device->dev.l3mdev == vrf;
}

bool address_is_own(struct engine_world *one, const struct net_device *vrf, u8 family, const void *bytes)
{
	const struct device *device;

	if (one->borrowed && address_is(one->borrowed, family, bytes))
		return true;
	for_each_device(device, one)
		if (is_in(device, vrf) && device_has(device, family, bytes))
			return true;
	return false;
}

static bool is_broadcast(struct engine_world *one, const struct net_device *vrf, __be32 addr)
{
	const struct engine_address *address;
	const struct device *device;

	for_each_device(device, one)
		for_each_address(device, address)
			if (is_in(device, vrf) && address->length < 31 && address_has(address, 4, &addr) &&
			    !(~ntohl(addr) & U32_MAX >> address->length))
				return true;
	return false;
}

static unsigned int type_of(struct engine_world *one, const struct net_device *vrf, __be32 addr)
{
	if (ntohl(addr) >> 24 == 0 || addr == htonl(INADDR_BROADCAST))
		return RTN_BROADCAST;
	if (ipv4_is_multicast(addr))
		return RTN_MULTICAST;
	if (address_is_own(one, vrf, 4, &addr))
		return RTN_LOCAL;
	return is_broadcast(one, vrf, addr) ? RTN_BROADCAST : RTN_UNICAST;
}

unsigned int inet_addr_type(struct net *net, __be32 addr)
{
	return type_of(world_of(net), NULL, addr);
}

unsigned int inet_addr_type_dev_table(struct net *net, const struct net_device *device, __be32 addr)
{
	return type_of(world_of(net), device->l3mdev, addr);
}

unsigned int inet_dev_addr_type(struct net *net, const struct net_device *device, __be32 addr)
{
	const unsigned int type = inet_addr_type_dev_table(net, device, addr);

	if (type != RTN_LOCAL)
		return type;
	return device_has(container_of(device, const struct device, dev), 4, &addr) ? RTN_LOCAL : RTN_UNICAST;
}

int ipv6_chk_addr(struct net *net, const struct in6_addr *addr, const struct net_device *device, int strict)
{
	if (device && strict)
		return device_has(container_of(device, const struct device, dev), 6, addr);
	return address_is_own(world_of(net), device ? device->l3mdev : NULL, 6, addr);
}

static struct device *loopback_of(struct engine_world *one, const struct net_device *vrf)
{
	struct device *device;

	if (vrf)
		return container_of(vrf, struct device, dev);
	for_each_device(device, one)
		if (device->dev.flags & IFF_LOOPBACK)
			return device;
	return NULL;
}

/* The one that says so, else the first that is no loopback device. */
static struct device *standard_of(struct engine_world *one, const struct net_device *vrf)
{
	struct device *device, *first = NULL;

	for_each_device(device, one) {
		if (!is_up(device) || !is_in(device, vrf) || &device->dev == vrf || device->dev.flags & IFF_LOOPBACK)
			continue;
		if (device->standard)
			return device;
		if (!first)
			first = device;
	}
	return first;
}

struct device *device_towards(struct engine_world *one, const struct net_device *vrf, u8 family, const void *bytes)
{
	const struct engine_address *address;
	struct device *device, *found = NULL;
	int longest = -1;

	if (address_is_own(one, vrf, family, bytes))
		return loopback_of(one, vrf);
	for_each_device(device, one) {
		if (!is_up(device) || !is_in(device, vrf))
			continue;
		for_each_address(device, address) {
			if (address->length > longest && address_has(address, family, bytes)) {
				longest = address->length;
				found = device;
			}
		}
	}
	return found ? found : standard_of(one, vrf);
}

/* The device's first address, or the first of its own network for who is in that. */
static __be32 select_of(const struct device *device, __be32 destination)
{
	const struct engine_address *address;
	__be32 first = 0, own;

	for_each_address(device, address) {
		if (address->family != 4)
			continue;
		memcpy(&own, address->bytes, sizeof(own));
		if (destination && address_has(address, 4, &destination))
			return own;
		if (!first)
			first = own;
	}
	return first;
}

/* One that has none lets another answer, but no loopback device: its addresses mean nothing elsewhere. */
__be32 inet_select_addr(const struct net_device *dev, __be32 destination, int scope)
{
	__be32 source = select_of(device_of(dev), destination);
	const struct device *device;

	(void)scope;
	for_each_device(device, world_of(dev->net))
		if (!source && !(device->dev.flags & IFF_LOOPBACK))
			source = select_of(device, 0);
	return source;
}

static bool is_link_local(const u8 *bytes)
{
	return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

static unsigned int common_bits(const u8 *a, const u8 *b)
{
	unsigned int length = 128;

	while (!address_same_bits(a, b, length))
		length--;
	return length;
}

/* How well a source suits a destination: the same address, then the same scope, then the longest common prefix. */
static unsigned int suits(const u8 *source, const u8 *destination)
{
	const unsigned int common = common_bits(source, destination);

	return common + (is_link_local(source) == is_link_local(destination) ? 256 : 0) + (common == 128 ? 512 : 0) + 1;
}

int ipv6_dev_get_saddr(struct net *net, const struct net_device *dev, const struct in6_addr *destination,
		       unsigned int preferences, struct in6_addr *source)
{
	const struct engine_address *address;
	unsigned int best = 0, suited;

	(void)net;
	(void)preferences;
	for_each_address(device_of(dev), address) {
		if (address->family != 6)
			continue;
		suited = suits(address->bytes, destination->s6_addr);
		if (suited > best) {
			best = suited;
			memcpy(source, address->bytes, sizeof(*source));
		}
	}
	return best ? 0 : -EADDRNOTAVAIL;
}

static struct device *device_by_index(struct net *net, int index)
{
	struct net_device *dev = dev_get_by_index_rcu(net, index);

	return dev ? device_of(dev) : NULL;
}

/* The device of that index (0: none), or, if it is a VRF, the one that leads on in it. */
static struct device *by_way_of(struct net *net, int index, u8 family, const void *destination)
{
	struct device *device = index ? device_by_index(net, index) : NULL;

	if (index && !(device && netif_is_l3_master(&device->dev)))
		return device;
	return device_towards(world_of(net), device ? &device->dev : NULL, family, destination);
}

struct rtable *ip_route_output_key(struct net *net, struct flowi4 *flow)
{
	struct device *device = by_way_of(net, flow->flowi4_oif, 4, &flow->daddr);

	if (!device)
		return ERR_PTR(-ENETUNREACH);
	if (!flow->saddr)
		flow->saddr = inet_select_addr(&device->dev, flow->daddr, RT_SCOPE_UNIVERSE);
	return &device->way.ipv4;
}

struct dst_entry *ip6_route_output(struct net *net, const struct sock *sk, struct flowi6 *flow)
{
	static struct dst_entry none = { .error = -ENETUNREACH };
	struct device *device = by_way_of(net, flow->flowi6_oif, 6, &flow->daddr);

	(void)sk;
	return device ? &device->way.dst : &none;
}

static int find_way(struct net *net, struct sk_buff *skb, u8 family, const void *destination)
{
	struct net_device *vrf = skb_dst(skb) ? skb_dst(skb)->dev->l3mdev : NULL;
	struct device *device = device_towards(world_of(net), vrf, family, destination);

	if (!device)
		return -EHOSTUNREACH;
	skb_dst_set(skb, &device->way.dst);
	/* As the kernel does for a device whose header needs more room. */
	return skb_move(skb);
}

int ip_route_me_harder(struct net *net, struct sock *sk, struct sk_buff *skb, unsigned int type)
{
	(void)sk;
	(void)type;
	return find_way(net, skb, 4, &ip_hdr(skb)->daddr);
}

int ip6_route_me_harder(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	(void)sk;
	return find_way(net, skb, 6, &ipv6_hdr(skb)->daddr);
}
