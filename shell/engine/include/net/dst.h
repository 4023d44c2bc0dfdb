/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a packet goes. */
#ifndef IPFI_ENGINE_NET_DST_H
#define IPFI_ENGINE_NET_DST_H

#include <linux/types.h>

struct net_device;

struct dst_entry {
	struct net_device *dev;
	int error;
	const void *xfrm; /* not NULL: it leads through IPsec */
};

static inline const void *dst_xfrm(const struct dst_entry *dst)
{
	return dst->xfrm;
}

/* They are parts of their devices: nobody counts who uses them. */
static inline void dst_release(struct dst_entry *dst)
{
	(void)dst;
}

u32 dst_mtu(const struct dst_entry *dst);

#endif
