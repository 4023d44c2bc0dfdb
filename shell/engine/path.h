/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path: the way of a packet through the hooks. */
#ifndef IPFI_ENGINE_PATH_H
#define IPFI_ENGINE_PATH_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>

#include "shell/engine/device.h"

static inline bool skb_is_ipv6(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6);
}

/* A packet's addresses, and its family. They are there: the packet has a header. */
static inline u8 family_of(const struct sk_buff *skb)
{
	return skb_is_ipv6(skb) ? 6 : 4;
}

static inline const void *source_of(const struct sk_buff *skb)
{
	return skb_is_ipv6(skb) ? (void *)&ipv6_hdr(skb)->saddr : (void *)&ip_hdr(skb)->saddr;
}

static inline const void *destination_of(const struct sk_buff *skb)
{
	return skb_is_ipv6(skb) ? (void *)&ipv6_hdr(skb)->daddr : (void *)&ip_hdr(skb)->daddr;
}

/* Does @skb pass all hooks of this place? */
bool netfilter_pass(struct sk_buff *skb, unsigned int hook, struct net_device *in, struct net_device *out);

/*
 * Sends @skb, made here, by @out (NULL: as its destination says): it is an answer to the packet that is passing, if
 * it passes itself. It is the path's then.
 */
void path_answer(struct sk_buff *skb, struct device *out);

#endif
