// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the machine sends to reject a packet: a reset (RFC 9293 section 3.10.7.1), or an ICMP error (RFC 792, RFC
 * 1812 section 4.3, RFC 4443 section 3.1). As in the kernel, nothing answers a packet whose checksum is wrong.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/tcp.h>
#include <net/addrconf.h>
#include <net/ip6_checksum.h>
#include <net/netfilter/ipv4/nf_reject.h>
#include <net/netfilter/ipv6/nf_reject.h>

#include "shell/engine/path.h"

#define HOPS 64
#define FRAGMENT_OFFSET 0x1fff

/* The most that an error may be, its headers included (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4). */
#define ERROR_MOST_IPV4 576
#define ERROR_MOST_IPV6 1280

/* The precedence of what keeps a network going (RFC 1812 section 4.3.2.5). */
#define TOS_OF_ERRORS(tos) (((tos) & 0x1e) | 0xc0)

/* Back by the device that it came by; to who is here, by the loopback device. */
static struct device *way_back(const struct sk_buff *packet)
{
	return packet->dev ? device_of(packet->dev) : device_find(world, "lo");
}

static struct sk_buff *start(unsigned int length, __be16 protocol)
{
	struct sk_buff *skb = skb_make(length, 0);

	if (!skb)
		return NULL;
	memset(skb_put(skb, length), 0, length);
	skb_reset_network_header(skb);
	skb->protocol = protocol;
	return skb;
}

static struct sk_buff *start_ipv4(unsigned int payload, u8 proto, __be32 source, __be32 destination)
{
	struct sk_buff *skb = start(sizeof(struct iphdr) + payload, htons(ETH_P_IP));
	struct iphdr *ip;

	if (!skb)
		return NULL;
	ip = ip_hdr(skb);
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = htons((u16)skb->len);
	ip->frag_off = htons(0x4000);
	ip->ttl = HOPS;
	ip->protocol = proto;
	ip->saddr = source;
	ip->daddr = destination;
	return skb;
}

static void finish_ipv4(struct sk_buff *skb)
{
	struct iphdr *ip = ip_hdr(skb);

	ip->check = csum_fold(csum_partial(ip, sizeof(*ip), 0));
}

static struct sk_buff *start_ipv6(unsigned int payload, u8 proto, const struct in6_addr *source,
				  const struct in6_addr *destination)
{
	struct sk_buff *skb = start(sizeof(struct ipv6hdr) + payload, htons(ETH_P_IPV6));
	struct ipv6hdr *ip;

	if (!skb)
		return NULL;
	ip = ipv6_hdr(skb);
	ip->version = 6;
	ip->payload_len = htons((u16)payload);
	ip->nexthdr = proto;
	ip->hop_limit = HOPS;
	ip->saddr = *source;
	ip->daddr = *destination;
	return skb;
}

/* The reset that answers a segment of @length bytes, its header included. */
static void write_reset(struct tcphdr *reset, const struct tcphdr *segment, unsigned int length)
{
	reset->source = segment->dest;
	reset->dest = segment->source;
	reset->doff = sizeof(*reset) / 4;
	reset->rst = 1;
	if (segment->ack) {
		reset->seq = segment->ack_seq;
		return;
	}
	reset->ack = 1;
	reset->ack_seq = htonl(ntohl(segment->seq) + segment->syn + segment->fin + length -
			       (unsigned int)segment->doff * 4);
}

/* The TCP header at @offset, NULL when there is none that may be answered. */
static const struct tcphdr *segment_at(struct sk_buff *packet, unsigned int offset, unsigned short family)
{
	const struct tcphdr *segment = (const void *)(packet->data + offset);

	if (packet->len < offset + sizeof(*segment) || segment->rst ||
	    nf_checksum(packet, 0, offset, IPPROTO_TCP, family))
		return NULL;
	return segment;
}

void nf_send_reset(struct net *net, struct sock *sk, struct sk_buff *packet, int hook)
{
	const struct iphdr *ip = ip_hdr(packet);
	const unsigned int offset = ip->ihl * 4U;
	const struct tcphdr *segment;
	struct sk_buff *skb;
	struct tcphdr *reset;

	(void)net;
	(void)sk;
	(void)hook;
	segment = ntohs(ip->frag_off) & FRAGMENT_OFFSET ? NULL : segment_at(packet, offset, AF_INET);
	skb = segment ? start_ipv4(sizeof(*reset), IPPROTO_TCP, ip->daddr, ip->saddr) : NULL;
	if (!skb)
		return;
	reset = (struct tcphdr *)(ip_hdr(skb) + 1);
	write_reset(reset, segment, packet->len - offset);
	reset->check = csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, sizeof(*reset), IPPROTO_TCP,
					 csum_partial(reset, sizeof(*reset), 0));
	finish_ipv4(skb);
	path_answer(skb, way_back(packet));
}

/* Where the header behind the extension headers is, and which. */
static unsigned int behind_extensions(const struct sk_buff *packet, u8 *proto)
{
	unsigned int offset = sizeof(struct ipv6hdr);

	*proto = ipv6_hdr(packet)->nexthdr;
	while ((*proto == IPPROTO_HOPOPTS || *proto == IPPROTO_ROUTING || *proto == IPPROTO_DSTOPTS) &&
	       offset + 8 <= packet->len) {
		*proto = packet->data[offset];
		offset += (packet->data[offset + 1] + 1U) * 8;
	}
	return offset;
}

void nf_send_reset6(struct net *net, struct sock *sk, struct sk_buff *packet, int hook)
{
	const struct ipv6hdr *ip = ipv6_hdr(packet);
	const struct tcphdr *segment;
	struct tcphdr *reset;
	struct sk_buff *skb;
	unsigned int offset;
	u8 proto;

	(void)net;
	(void)sk;
	(void)hook;
	offset = behind_extensions(packet, &proto);
	segment = proto == IPPROTO_TCP ? segment_at(packet, offset, AF_INET6) : NULL;
	skb = segment ? start_ipv6(sizeof(*reset), IPPROTO_TCP, &ip->daddr, &ip->saddr) : NULL;
	if (!skb)
		return;
	reset = (struct tcphdr *)(ipv6_hdr(skb) + 1);
	write_reset(reset, segment, packet->len - offset);
	reset->check = csum_ipv6_magic(&ip->daddr, &ip->saddr, sizeof(*reset), IPPROTO_TCP,
				       csum_partial(reset, sizeof(*reset), 0));
	path_answer(skb, way_back(packet));
}

/*
 * The transport's checksum. Of a protocol that nobody here knows the kernel believes that it has one over all of the
 * packet, as most have.
 */
static bool is_sound(struct sk_buff *packet, unsigned int offset, u8 proto, unsigned short family)
{
	switch (proto) {
	case IPPROTO_UDP:
		if (packet->len >= offset + 8 && !packet->data[offset + 6] && !packet->data[offset + 7])
			return true;
		break;
	case IPPROTO_GRE:
	case IPPROTO_AH:
	case IPPROTO_ESP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
		return true;
	}
	return offset <= packet->len && !nf_checksum(packet, 0, offset, proto, family);
}

static bool is_sound_ipv4(struct sk_buff *packet)
{
	const struct iphdr *ip = ip_hdr(packet);

	return !(ntohs(ip->frag_off) & FRAGMENT_OFFSET) && is_sound(packet, ip->ihl * 4U, ip->protocol, AF_INET);
}

/*
 * Nothing answers an ICMP message that tells something itself, or that nobody knows (RFC 1122 section 3.2.2): such
 * as redirects (5) and source quench (4), and types beyond those of RFC 950.
 */
static bool is_answered_ipv4(const struct sk_buff *packet)
{
	const struct iphdr *ip = ip_hdr(packet);
	const unsigned int offset = ip->ihl * 4U;
	const u8 type = packet->len > offset ? packet->data[offset] : 0;

	return ip->protocol != IPPROTO_ICMP || (type != 4 && type != 5 && type <= 18);
}

/* Nobody is told of what was sent to many. */
static bool is_to_one_ipv4(const struct iphdr *ip)
{
	const unsigned int type = inet_addr_type(&world->net, ip->daddr);

	return type != RTN_BROADCAST && type != RTN_MULTICAST && ip->saddr;
}

void nf_send_unreach(struct sk_buff *packet, int code, int hook)
{
	const struct iphdr *ip = ip_hdr(packet);
	struct device *back = way_back(packet);
	struct icmphdr *icmp;
	unsigned int quoted;
	struct sk_buff *skb;
	__be32 source;

	(void)hook;
	if (!is_to_one_ipv4(ip) || !is_sound_ipv4(packet) || !is_answered_ipv4(packet))
		return;
	source = inet_addr_type(&world->net, ip->daddr) == RTN_LOCAL ? ip->daddr :
								       inet_select_addr(&back->dev, ip->saddr, 0);
	quoted = min_t(unsigned int, packet->len, ERROR_MOST_IPV4 - sizeof(*ip) - sizeof(*icmp));
	skb = start_ipv4(sizeof(*icmp) + quoted, IPPROTO_ICMP, source, ip->saddr);
	if (!skb)
		return;
	ip_hdr(skb)->tos = TOS_OF_ERRORS(ip->tos);
	icmp = (struct icmphdr *)(ip_hdr(skb) + 1);
	icmp->type = ICMP_DEST_UNREACH;
	icmp->code = (u8)code;
	memcpy(icmp + 1, packet->data, quoted);
	icmp->checksum = csum_fold(csum_partial(icmp, (int)(sizeof(*icmp) + quoted), 0));
	finish_ipv4(skb);
	path_answer(skb, back);
}

static bool is_sound_ipv6(struct sk_buff *packet)
{
	u8 proto;
	unsigned int offset = behind_extensions(packet, &proto);

	return is_sound(packet, offset, proto, AF_INET6);
}

void nf_send_unreach6(struct net *net, struct sk_buff *packet, unsigned char code, unsigned int hook)
{
	const struct ipv6hdr *ip = ipv6_hdr(packet);
	struct device *back = way_back(packet);
	struct in6_addr source = ip->daddr;
	struct icmp6hdr *icmp;
	unsigned int quoted;
	struct sk_buff *skb;

	(void)hook;
	if (ip->daddr.s6_addr[0] == 0xff || ip->saddr.s6_addr[0] == 0xff || ipv6_addr_any(&ip->saddr) ||
	    !is_sound_ipv6(packet))
		return;
	if (!ipv6_chk_addr(net, &source, NULL, 0) && ipv6_dev_get_saddr(net, &back->dev, &ip->saddr, 0, &source))
		return;
	quoted = min_t(unsigned int, packet->len, ERROR_MOST_IPV6 - sizeof(*ip) - sizeof(*icmp));
	skb = start_ipv6(sizeof(*icmp) + quoted, IPPROTO_ICMPV6, &source, &ip->saddr);
	if (!skb)
		return;
	icmp = (struct icmp6hdr *)(ipv6_hdr(skb) + 1);
	icmp->icmp6_type = ICMPV6_DEST_UNREACH;
	icmp->icmp6_code = code;
	memcpy(icmp + 1, packet->data, quoted);
	icmp->icmp6_cksum = csum_ipv6_magic(&source, &ip->saddr, sizeof(*icmp) + quoted, IPPROTO_ICMPV6,
					    csum_partial(icmp, (int)(sizeof(*icmp) + quoted), 0));
	path_answer(skb, back);
}
