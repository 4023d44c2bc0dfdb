/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a way is looked up for. */
#ifndef IPFI_ENGINE_NET_FLOW_H
#define IPFI_ENGINE_NET_FLOW_H

#include <linux/in6.h>
#include <linux/types.h>

struct flowi4 {
	__be32 daddr, saddr;
	int flowi4_oif;
	u32 flowi4_mark;
	u8 flowi4_proto;
};

struct flowi6 {
	struct in6_addr daddr, saddr;
	int flowi6_oif;
	u32 flowi6_mark;
	u8 flowi6_proto;
};

#endif
