/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device: the devices of a world and their addresses. */
#ifndef IPFI_ENGINE_DEVICE_H
#define IPFI_ENGINE_DEVICE_H

#include <linux/netdevice.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "shell/engine/world.h"

struct device {
	struct net_device dev;
	struct list_head entry; /* in its world */
	struct engine_address *addresses;
	size_t address_count;
	bool standard;
	/* What leads to it. All begin with a struct dst_entry. */
	union {
		struct dst_entry dst;
		struct rtable ipv4;
		struct rt6_info ipv6;
	} way;
};

static inline struct device *device_of(const struct net_device *dev)
{
	return container_of(dev, struct device, dev);
}

#define for_each_device(device, one) list_for_each_entry(device, &(one)->devices, entry)

/* The world's device of that name, made with addresses of its own if it is not there. ERR_PTR(): -EINVAL, -ENOMEM. */
struct device *device_get(struct engine_world *one, const char *name);

/* The one of that name, NULL for none. */
struct device *device_find(struct engine_world *one, const char *name);

static inline unsigned int address_bits(u8 family)
{
	return family == 4 ? 32 : 128;
}

/* Are the first @length bits the same? */
bool address_same_bits(const u8 *a, const u8 *b, unsigned int length);

static inline bool address_is(const struct engine_address *address, u8 family, const void *bytes)
{
	return address->family == family && address_same_bits(address->bytes, bytes, address_bits(family));
}

static inline bool address_has(const struct engine_address *network, u8 family, const void *bytes)
{
	return network->family == family && address_same_bits(network->bytes, bytes, network->length);
}

/* Is it an address of the world's own, in @vrf, NULL for none? */
bool address_is_own(struct engine_world *one, const struct net_device *vrf, u8 family, const void *bytes);

/*
 * The device that leads to an address, in @vrf, NULL for none: a loopback device, or the VRF's, to those of the world's
 * own; NULL for none.
 */
struct device *device_towards(struct engine_world *one, const struct net_device *vrf, u8 family, const void *bytes);

#endif
