// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/inetdevice.h>
#include <net/addrconf.h>

#include "shell/engine/device.h"

#define MTU 1500
#define MTU_LOOPBACK 65536

/* Who is told of devices that go down and of addresses that go. */
static struct notifier_block *devices_told[3], *ipv4_told, *ipv6_told;

static struct notifier_block **place_of(const struct notifier_block *block)
{
	unsigned int i = 0;

	while (devices_told[i] != block)
		BUG_ON(++i == ARRAY_SIZE(devices_told));
	return &devices_told[i];
}

int register_netdevice_notifier(struct notifier_block *block)
{
	*place_of(NULL) = block;
	return 0;
}

void unregister_netdevice_notifier(struct notifier_block *block)
{
	*place_of(block) = NULL;
}

int register_inetaddr_notifier(struct notifier_block *block)
{
	ipv4_told = block;
	return 0;
}

void unregister_inetaddr_notifier(struct notifier_block *block)
{
	BUG_ON(ipv4_told != block);
	ipv4_told = NULL;
}

int register_inet6addr_notifier(struct notifier_block *block)
{
	ipv6_told = block;
	return 0;
}

void unregister_inet6addr_notifier(struct notifier_block *block)
{
	BUG_ON(ipv6_told != block);
	ipv6_told = NULL;
}

static void tell(struct notifier_block *block, void *data)
{
	if (block)
		block->notifier_call(block, NETDEV_DOWN, data);
}

static void tell_address_gone(struct device *device, const struct engine_address *address)
{
	struct in_device ipv4_device = { .dev = &device->dev };
	struct inet6_dev ipv6_device = { .dev = &device->dev };
	struct in_ifaddr ipv4 = { .ifa_dev = &ipv4_device };
	struct inet6_ifaddr ipv6 = { .idev = &ipv6_device };

	if (address->family == 4) {
		memcpy(&ipv4.ifa_local, address->bytes, sizeof(ipv4.ifa_local));
		tell(ipv4_told, &ipv4);
	} else {
		memcpy(&ipv6.addr, address->bytes, sizeof(ipv6.addr));
		tell(ipv6_told, &ipv6);
	}
}

bool address_same_bits(const u8 *a, const u8 *b, unsigned int length)
{
	const unsigned int bytes = length / 8, bits = length % 8;

	return !memcmp(a, b, bytes) && (!bits || !((a[bytes] ^ b[bytes]) >> (8 - bits)));
}

struct net_device *dev_get_by_index_rcu(struct net *net, int index)
{
	struct device *device;

	for_each_device(device, world_of(net))
		if (device->dev.ifindex == index)
			return &device->dev;
	return NULL;
}

struct net_device *dev_get_by_name_rcu(struct net *net, const char *name)
{
	struct device *device = device_find(world_of(net), name);

	return device ? &device->dev : NULL;
}

struct device *device_find(struct engine_world *one, const char *name)
{
	struct device *device;

	for_each_device(device, one)
		if (!strcmp(device->dev.name, name))
			return device;
	return NULL;
}

/* What the kernel accepts as a device's name. */
static bool is_name(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && strcmp(name, ".") && strcmp(name, "..") &&
	       !strpbrk(name, "/: \t\n\v\f\r");
}

static struct device *make(struct engine_world *one, const char *name)
{
	struct device *device;

	if (!is_name(name))
		return ERR_PTR(-EINVAL);
	device = calloc(1, sizeof(*device));
	if (!device)
		return ERR_PTR(-ENOMEM);
	strscpy(device->dev.name, name, sizeof(device->dev.name));
	device->dev.ifindex = ++one->last_index;
	device->dev.net = &one->net;
	device->way.dst.dev = &device->dev;
	list_add_tail(&device->entry, &one->devices);
	return device;
}

static bool has_address(const struct engine_address *addresses, size_t count, const struct engine_address *address)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (address_is(&addresses[i], address->family, address->bytes))
			return true;
	return false;
}

static void tell_changes(struct device *device, const struct engine_address *old, size_t count, bool went_down)
{
	struct netdev_notifier_info info = { .dev = &device->dev };
	size_t i;

	for (i = 0; went_down && i < ARRAY_SIZE(devices_told); i++)
		tell(devices_told[i], &info);
	for (i = 0; i < count; i++)
		if (!has_address(device->addresses, device->address_count, &old[i]))
			tell_address_gone(device, &old[i]);
}

static int change(struct device *device, const struct engine_device *to)
{
	const bool went_down = device->dev.flags & IFF_UP && to->down;
	struct device *vrf = to->vrf ? device_find(world_of(device->dev.net), to->vrf) : NULL;
	struct engine_address *addresses, *old = device->addresses;
	size_t count = device->address_count;

	if (to->vrf && (!vrf || !netif_is_l3_master(&vrf->dev)))
		return -ENODEV;
	addresses = malloc((to->address_count + 1) * sizeof(*addresses));
	if (!addresses)
		return -ENOMEM;
	if (to->address_count)
		memcpy(addresses, to->addresses, to->address_count * sizeof(*addresses));
	device->addresses = addresses;
	device->address_count = to->address_count;
	device->dev.flags = (to->down ? 0 : IFF_UP) | (to->loopback ? IFF_LOOPBACK : 0);
	device->dev.mtu = to->mtu ? to->mtu : to->loopback ? MTU_LOOPBACK : MTU;
	device->standard = to->standard;
	device->dev.l3mdev = to->is_vrf ? &device->dev : vrf ? &vrf->dev : NULL;
	tell_changes(device, old, count, went_down);
	free(old);
	return 0;
}

int engine_set_device(struct engine_world *one, const struct engine_device *to)
{
	struct device *device = device_find(one, to->name);
	int err;

	if (!device)
		device = make(one, to->name);
	if (IS_ERR(device))
		return (int)PTR_ERR(device);
	world_enter(one);
	err = change(device, to);
	world_leave();
	return err ? err : device->dev.ifindex;
}

/* 198.18.N.1/24 of the benchmarks' range (RFC 2544) and 2001:db8:N::1/64 of the documentation's (RFC 3849). */
static int give_addresses(struct device *device)
{
	const u8 n = (u8)device->dev.ifindex;
	const struct engine_address addresses[] = {
		{ .family = 4, .length = 24, .bytes = { 198, 18, n, 1 } },
		{ .family = 6, .length = 64,
		  .bytes = { 0x20, 0x01, 0x0d, 0xb8, (u8)(device->dev.ifindex >> 8), n, [15] = 1 } },
	};
	const struct engine_device as = { .addresses = addresses, .address_count = ARRAY_SIZE(addresses) };

	return change(device, &as);
}

struct device *device_get(struct engine_world *one, const char *name)
{
	struct device *device = device_find(one, name);
	int err;

	if (device)
		return device;
	device = make(one, name);
	if (IS_ERR(device))
		return device;
	err = give_addresses(device);
	return err ? ERR_PTR(err) : device;
}

int device_begin(struct engine_world *one)
{
	static const struct engine_address addresses[] = {
		{ .family = 4, .length = 8, .bytes = { 127, 0, 0, 1 } },
		{ .family = 6, .length = 128, .bytes = { [15] = 1 } },
	};
	static const struct engine_device loopback = {
		.addresses = addresses,
		.address_count = ARRAY_SIZE(addresses),
		.loopback = true,
	};
	struct device *device = make(one, "lo");

	return IS_ERR(device) ? (int)PTR_ERR(device) : change(device, &loopback);
}

void device_end(struct engine_world *one)
{
	struct device *device, *next;

	list_for_each_entry_safe(device, next, &one->devices, entry) {
		free(device->addresses);
		free(device);
	}
}

int engine_device_index(struct engine_world *one, const char *name)
{
	const struct device *device = device_find(one, name);

	return device ? device->dev.ifindex : 0;
}

const char *engine_device_name(struct engine_world *one, int index)
{
	const struct net_device *dev = dev_get_by_index_rcu(&one->net, index);

	return dev ? dev->name : NULL;
}
