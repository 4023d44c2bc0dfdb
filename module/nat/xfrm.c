// SPDX-License-Identifier: GPL-2.0-or-later
#ifdef CONFIG_XFRM
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/sock.h>
#include <net/xfrm.h>
#include "module/compat.h"
#include "module/core/tuple.h"
#include "module/nat/xfrm.h"
#include "module/packet/context.h"
#include "module/packet/skb.h"
#include "module/packet/vrf.h"

static unsigned short family_of(const struct ipfi_pkt *p)
{
	return p->packet.tuple.family == 4 ? AF_INET : AF_INET6;
}

/* Do policies have a say about what comes in as this packet does? */
static bool are_asked(const struct net *net, const struct sk_buff *skb)
{
	return secpath_exists(skb) || READ_ONCE(net->xfrm.policy_count[XFRM_POLICY_IN]) ||
	       READ_ONCE(net->xfrm.policy_count[XFRM_POLICY_FWD]) ||
	       READ_ONCE(net->xfrm.policy_default[XFRM_POLICY_IN]) != XFRM_USERPOLICY_ACCEPT ||
	       READ_ONCE(net->xfrm.policy_default[XFRM_POLICY_FWD]) != XFRM_USERPOLICY_ACCEPT;
}

bool ipfi_xfrm_may_arrive(struct ipfi_pkt *p, const struct ipfi_addr *dst)
{
	bool here;

	if (p->dry_run || p->packet.list == IPFI_LIST_OUT || !are_asked(p->in->net, p->skb))
		return true;
	here = ipfi_addr_is_own(p->in->net, ipfi_vrf_of_packet(p->in, &p->packet), p->packet.tuple.family, dst);
	if (!xfrm_policy_check(NULL, here ? XFRM_POLICY_IN : XFRM_POLICY_FWD, p->skb, family_of(p)))
		return false;
	/* IPv6 has no such flag: without a note of how it came it is checked as one that came in clear text. */
	if (family_of(p) == AF_INET)
		IPCB(p->skb)->flags |= IPSKB_NOPOLICY;
	else
		secpath_reset(p->skb);
	return true;
}

static bool is_transformed(const struct ipfi_pkt *p)
{
	return family_of(p) == AF_INET ? IPCB(p->skb)->flags & IPSKB_XFRM_TRANSFORMED :
					 IP6CB(p->skb)->flags & IP6SKB_XFRM_TRANSFORMED;
}

/* Has the namespace no policy for what leaves? */
static bool has_none(const struct net *net)
{
	return !READ_ONCE(net->xfrm.policy_count[XFRM_POLICY_OUT]) &&
	       READ_ONCE(net->xfrm.policy_default[XFRM_POLICY_OUT]) == XFRM_USERPOLICY_ACCEPT;
}

bool ipfi_xfrm_find_again(struct ipfi_pkt *p)
{
	struct sk_buff *skb = p->skb;
	struct dst_entry *dst = skb_dst(skb);
	struct sock *sk = skb->sk;
	unsigned int room;
	struct flowi flow;

	if (p->dry_run || !dst || is_transformed(p) || (!dst->xfrm && has_none(p->in->net)))
		return true;
	if (ipfi_xfrm_decode_session(p->in->net, skb, &flow, family_of(p)) < 0)
		return false;
	/* The route as it was before a policy was found. */
	if (dst->xfrm)
		dst = ((struct xfrm_dst *)dst)->route;
	if (!dst_hold_safe(dst))
		return false;
	if (sk && !net_eq(p->in->net, sock_net(sk)))
		sk = NULL;
	dst = xfrm_lookup(p->in->net, dst, &flow, sk, 0);
	if (IS_ERR(dst))
		return false;
	skb_dst_drop(skb);
	skb_dst_set(skb, dst);
	room = dst->dev->hard_header_len;
	return skb_headroom(skb) >= room || !pskb_expand_head(skb, room - skb_headroom(skb), 0, GFP_ATOMIC);
}
#endif
