/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4, put together. */
#ifndef IPFI_ENGINE_NET_IP_H
#define IPFI_ENGINE_NET_IP_H

#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/checksum.h>

/* The index of the device that a packet of a VRF came in by, once it is the VRF's; else 0. */
static inline int inet_sdif(const struct sk_buff *skb)
{
	return skb->ip.flags & IPSKB_L3SLAVE ? skb->ip.iif : 0;
}

static inline int inet6_sdif(const struct sk_buff *skb)
{
	return inet_sdif(skb);
}

#endif
