// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/tcp.h>
#include <net/dst.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/tcp.h>
#include "module/compat.h"
#include "module/core/packet.h"
#include "module/core/tuple.h"
#include "module/packet/context.h"
#include "module/packet/mss.h"
#include "module/packet/skb.h"

/* No packet of the Internet's need be smaller (RFC 791 and RFC 8200): a route that says less is not believed. */
#define LEAST_MTU_IPV4 68
#define LEAST_MTU_IPV6 IPV6_MIN_MTU

/* The MTU of the way back to the sender, 0 when there is none. */
static u32 mtu_back(struct ipfi_pkt *p)
{
	const struct ipfi_addr *src = &p->packet.tuple.src;
	struct dst_entry *dst = NULL;
	unsigned int i;
	u32 mtu = 0;

	if (p->packet.tuple.family == 4) {
		struct flowi4 flow = { .daddr = htonl(src->w[0]) };
		struct rtable *route = ip_route_output_key(p->in->net, &flow);

		dst = IS_ERR(route) ? NULL : &route->dst;
	} else {
		struct flowi6 flow = {};

		for (i = 0; i < 4; i++)
			flow.daddr.s6_addr32[i] = htonl(src->w[i]);
		dst = ip6_route_output(p->in->net, NULL, &flow);
	}
	if (dst && !dst->error)
		mtu = dst_mtu(dst);
	dst_release(dst);
	return mtu;
}

static u16 most_by_path(struct ipfi_pkt *p)
{
	const bool v4 = p->packet.tuple.family == 4;
	const u32 headers = (v4 ? 20 : 40) + sizeof(struct tcphdr);
	const u32 least = v4 ? LEAST_MTU_IPV4 : LEAST_MTU_IPV6;
	u32 mtu = skb_dst(p->skb) ? dst_mtu(skb_dst(p->skb)) : 0, back = mtu_back(p);

	if (!mtu || (back && back < mtu))
		mtu = back;
	if (!mtu)
		return U16_MAX;
	return min_t(u32, max(mtu, least) - headers, U16_MAX);
}

/* The value of the option, NULL for none. */
static u8 *find_option(u8 *options, unsigned int length)
{
	unsigned int at = 0;

	while (at < length && options[at] != TCPOPT_EOL) {
		if (options[at] == TCPOPT_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= length || options[at + 1] < 2 || at + options[at + 1] > length)
			return NULL;
		if (options[at] == TCPOPT_MSS && options[at + 1] == TCPOLEN_MSS)
			return options + at + 2;
		at += options[at + 1];
	}
	return NULL;
}

bool ipfi_mss_clamp(struct ipfi_pkt *p, u16 most)
{
	const unsigned int header = sizeof(struct tcphdr) + p->packet.tcp_options_length;
	struct tcphdr *tcp;
	u8 *value;
	u16 old;

	if (p->packet.tuple.proto != IPFI_PROTO_TCP || !(p->packet.tcp_flags & IPFI_TCP_SYN))
		return true;
	if (most == IPFI_MSS_PMTU)
		most = most_by_path(p);
	if (skb_ensure_writable(p->skb, skb_network_offset(p->skb) + p->packet.transport + header))
		return false;
	tcp = (struct tcphdr *)(skb_network_header(p->skb) + p->packet.transport);
	ipfi_skb_moved(p->skb, &p->packet);
	value = find_option((u8 *)(tcp + 1), p->packet.tcp_options_length);
	if (!value)
		return true;
	old = get_unaligned_be16(value);
	if (old <= most)
		return true;
	put_unaligned_be16(most, value);
	/* At an odd place its bytes count the other way round. */
	if ((value - (u8 *)tcp) & 1)
		inet_proto_csum_replace2(&tcp->check, p->skb, (__force __be16)swab16(htons(old)),
					 (__force __be16)swab16(htons(most)), false);
	else
		inet_proto_csum_replace2(&tcp->check, p->skb, htons(old), htons(most), false);
	return true;
}
