/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways of IPv6, found as those of IPv4. */
#ifndef IPFI_ENGINE_NET_IP6_ROUTE_H
#define IPFI_ENGINE_NET_IP6_ROUTE_H

#include <linux/ipv6.h>
#include <net/dst.h>
#include <net/flow.h>
#include <net/ip6_fib.h>

struct net;
struct sock;

struct rt6_info {
	struct dst_entry dst;
	struct fib6_info *from;
};

/* Never NULL: dst->error says that there is none. */
struct dst_entry *ip6_route_output(struct net *net, const struct sock *sk, struct flowi6 *flow);

#endif
