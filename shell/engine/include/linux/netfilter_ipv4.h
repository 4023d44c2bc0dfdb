/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks of IPv4. */
#ifndef IPFI_ENGINE_LINUX_NETFILTER_IPV4_H
#define IPFI_ENGINE_LINUX_NETFILTER_IPV4_H

#include_next <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <linux/netfilter.h>

/* The way again, after what decides it was changed. 0 or -errno. */
int ip_route_me_harder(struct net *net, struct sock *sk, struct sk_buff *skb, unsigned int type);

#endif
