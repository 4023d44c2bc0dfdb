/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4's header. */
#ifndef IPFI_ENGINE_LINUX_IP_H
#define IPFI_ENGINE_LINUX_IP_H

#include_next <linux/ip.h>
#include <linux/in.h>
#include <linux/skbuff.h>

static inline struct iphdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct iphdr *)skb_network_header(skb);
}

#endif
