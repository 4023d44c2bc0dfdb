/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPsec: what a packet is said to have come by. A world has no policies. */
#ifndef IPFI_ENGINE_NET_XFRM_H
#define IPFI_ENGINE_NET_XFRM_H

#include <linux/skbuff.h>

static inline bool secpath_exists(const struct sk_buff *skb)
{
	return skb->ipsec;
}

#endif
