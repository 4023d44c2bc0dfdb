/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6's header. */
#ifndef IPFI_ENGINE_LINUX_IPV6_H
#define IPFI_ENGINE_LINUX_IPV6_H

#include_next <linux/ipv6.h>
#include <linux/in6.h>
#include <linux/skbuff.h>

#define IPV6_MIN_MTU 1280

static inline struct ipv6hdr *ipv6_hdr(const struct sk_buff *skb)
{
	return (struct ipv6hdr *)skb_network_header(skb);
}

/* Of the world that is running: engine_settings.without_ipv6. */
bool ipv6_mod_enabled(void);

#endif
