// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip6_checksum.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/xfrm.h>
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/pseudo.h"
#include "module/core/tuple.h"
#include "module/packet/skb.h"
#include "module/packet/vrf.h"

int ipfi_skb_parse(struct sk_buff *skb, struct ipfi_packet *packet)
{
	unsigned int offset = skb_network_offset(skb);
	int need;

	for (;;) {
		need = ipfi_packet_parse(packet, skb->data + offset, skb_headlen(skb) - offset,
					 skb->len - offset, skb_is_gso(skb));
		if (likely(need <= 0))
			return need;
		if (!pskb_may_pull(skb, offset + need))
			return -IPFI_REASON_NO_MEMORY;
	}
}

u8 ipfi_skb_fill_env(const struct sk_buff *skb, const struct nf_hook_state *hook, enum ipfi_list list,
			   struct ipfi_packet *packet)
{
	const struct net_device *iif = list == IPFI_LIST_OUT ? NULL : hook->in;
	const struct net_device *oif = list == IPFI_LIST_IN ? NULL : hook->out;

	/* A translation may have found another way for what is sent here. */
	if (list == IPFI_LIST_OUT && skb_dst(skb))
		oif = skb_dst(skb)->dev;

	packet->list = list;
	packet->loopback = 0;
	packet->iif_vrf = NULL;
	packet->oif_vrf = NULL;
	packet->mark = skb->mark;
	packet->has_user = 0;
	packet->user = 0;
	packet->unknown = 0;
	/* What leaves because it was forwarded has come from hook->in, which may be of a VRF when oif is of none. */
	if (unlikely(ipfi_vrf_has(hook->in) || ipfi_vrf_has(oif))) {
		ipfi_vrf_fill_env(skb, hook, iif, oif, packet);
		return max(packet->tuple.src_vrf, packet->tuple.dst_vrf) == IPFI_VRF_FULL ? IPFI_REASON_VRF_FULL : 0;
	}
	/* It may have been of one at another hook. */
	if (unlikely(packet->tuple.src_vrf | packet->tuple.dst_vrf)) {
		packet->tuple.src_vrf = 0;
		packet->tuple.dst_vrf = 0;
	}
	/* What leaves by a loopback device enters by it: that is both its devices, in both lists. */
	if (list == IPFI_LIST_OUT && oif && oif->flags & IFF_LOOPBACK) {
		iif = oif;
		packet->loopback = 1;
	} else if (list == IPFI_LIST_IN && iif && iif->flags & IFF_LOOPBACK) {
		oif = iif;
		packet->loopback = 1;
	}
	packet->iif = iif ? iif->ifindex : 0;
	packet->oif = oif ? oif->ifindex : 0;
	packet->iif_name = iif ? iif->name : NULL;
	packet->oif_name = oif ? oif->name : NULL;
	return 0;
}

void ipfi_skb_ipsec(const struct sk_buff *skb, struct ipfi_packet *packet)
{
	packet->came_by_ipsec = secpath_exists(skb);
	packet->leaves_by_ipsec = skb_dst(skb) && dst_xfrm(skb_dst(skb));
}

void ipfi_skb_user(const struct sk_buff *skb, const struct nf_hook_state *hook, struct ipfi_packet *packet)
{
	const struct sock *sk = skb_to_full_sk(skb);

	if (packet->list != IPFI_LIST_OUT || !sk || !sk_fullsock(sk))
		return;
	packet->user = from_kuid_munged(hook->net->user_ns, sk->sk_uid);
	packet->has_user = 1;
}

static void to_ipv6(const struct ipfi_addr *addr, struct in6_addr *v6)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		v6->s6_addr32[i] = htonl(addr->w[i]);
}

bool ipfi_addr_is_own(struct net *net, const struct net_device *of_vrf, u8 family, const struct ipfi_addr *addr)
{
	struct in6_addr v6;

	if (family == 4 && of_vrf)
		return inet_addr_type_dev_table(net, of_vrf, htonl(addr->w[0])) == RTN_LOCAL;
	if (family == 4)
		return inet_addr_type(net, htonl(addr->w[0])) == RTN_LOCAL;
	to_ipv6(addr, &v6);
	return ipv6_chk_addr(net, &v6, of_vrf, 0);
}

bool ipfi_addr_is_of(struct net *net, u32 index, u8 family, const struct ipfi_addr *addr)
{
	const struct net_device *device = index ? dev_get_by_index_rcu(net, index) : NULL;
	struct in6_addr v6;

	if (!device)
		return false;
	if (family == 4)
		return inet_dev_addr_type(net, device, htonl(addr->w[0])) == RTN_LOCAL;
	to_ipv6(addr, &v6);
	return ipv6_chk_addr(net, &v6, device, 1);
}

/*
 * The same of an IPv6 packet with extension headers, which may say other addresses than its header. What the device or
 * this machine has taken care of is right.
 */
static noinline bool checksum_bad_behind_extensions(struct sk_buff *skb, const struct ipfi_packet *packet,
						    unsigned int offset)
{
	const u8 *header = skb->data + skb_network_offset(skb);
	const unsigned int length = skb->len - offset;
	struct in6_addr source, destination;
	u32 src, dst;

	if (skb->ip_summed == CHECKSUM_UNNECESSARY || skb->ip_summed == CHECKSUM_PARTIAL)
		return false;
	if (!ipfi_pseudo_addresses(header, packet->transport, &src, &dst))
		return false;
	memcpy(&source, header + src, sizeof(source));
	memcpy(&destination, header + dst, sizeof(destination));
	return csum_ipv6_magic(&source, &destination, length, packet->tuple.proto,
			       skb_checksum(skb, (int)offset, (int)length, 0));
}

bool ipfi_skb_checksum_bad(struct sk_buff *skb, const struct ipfi_packet *packet)
{
	unsigned int offset = skb_network_offset(skb) + packet->transport;
	u8 proto = packet->tuple.proto;

	if (packet->list == IPFI_LIST_OUT || packet->loopback)
		return false;
	switch (proto) {
	case IPFI_PROTO_UDP: {
		const struct udphdr *udp = (const void *)(skb->data + offset);

		/* The header is linear since it was parsed; no checksum is a sender's choice (RFC 768). */
		if (!udp->check)
			return false;
		break;
	}
	case IPFI_PROTO_TCP:
	case IPFI_PROTO_ICMP:
	case IPFI_PROTO_ICMPV6:
		break;
	default:
		return false;
	}
	if (unlikely(packet->tuple.family == 6 && packet->transport > sizeof(struct ipv6hdr)))
		return checksum_bad_behind_extensions(skb, packet, offset);
	/* Forwarded packets are checked as those that come in: this is the only place that does. */
	return nf_checksum(skb, NF_INET_PRE_ROUTING, offset, proto,
			   packet->tuple.family == 4 ? AF_INET : AF_INET6);
}
