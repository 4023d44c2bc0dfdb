/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks of IPv6. */
#ifndef IPFI_ENGINE_LINUX_NETFILTER_IPV6_H
#define IPFI_ENGINE_LINUX_NETFILTER_IPV6_H

#include_next <linux/netfilter_ipv6.h>
#include <linux/netfilter.h>

int ip6_route_me_harder(struct net *net, struct sock *sk, struct sk_buff *skb);

#endif
