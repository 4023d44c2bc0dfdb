// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/dst.h>
#include <net/ip.h>
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/nat/reroute.h"
#include "module/nat/xfrm.h"
#include "module/packet/context.h"
#include "module/packet/skb.h"

/*
 * A packet that this machine sends shows another destination now than the one that its route was looked up for.
 */
static bool look_up_again(struct ipfi_pkt *p)
{
	int err;

	if (p->packet.tuple.family == 4)
		err = ip_route_me_harder(p->in->net, p->hook->sk, p->skb, RTN_UNSPEC);
	else
		err = ip6_route_me_harder(p->in->net, p->hook->sk, p->skb);
	ipfi_skb_moved(p->skb, &p->packet);
	return !err;
}

bool ipfi_nat_reroute(struct ipfi_pkt *p, const struct ipfi_addr *before)
{
	/* A question has no route. */
	if (unlikely(p->dry_run))
		return true;
	if (ipfi_addr_equal(before, &p->packet.tuple.dst))
		return p->packet.list != IPFI_LIST_OUT || ipfi_xfrm_find_again(p);
	if (p->packet.list == IPFI_LIST_OUT)
		return look_up_again(p);
	skb_dst_drop(p->skb);
	return true;
}

bool ipfi_nat_find_policy(struct ipfi_pkt *p, const struct ipfi_addr *before)
{
	return p->packet.list == IPFI_LIST_IN || ipfi_addr_equal(before, &p->packet.tuple.src) ||
	       ipfi_xfrm_find_again(p);
}
