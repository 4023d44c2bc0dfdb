// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <net/checksum.h>
#include <net/ip.h>
#include "rewrite.h"

/* Bytes of a transport header that are written at most: up to TCP's checksum and its end. */
#define TRANSPORT_WRITTEN 20

/* Where the checksum stands in a transport header, -1 for none that translation changes. */
static int checksum_offset(u8 proto)
{
	switch (proto) {
	case IPFI_PROTO_TCP:
		return 16;
	case IPFI_PROTO_UDP:
	case IPFI_PROTO_UDPLITE:
	case IPFI_PROTO_DCCP:
		return 6;
	case IPFI_PROTO_ICMP:
	case IPFI_PROTO_ICMPV6:
		return 2;
	default:
		return -1;
	}
}

/* Is the checksum also one of the addresses? */
static bool covers_addresses(u8 proto)
{
	return proto != IPFI_PROTO_ICMP;
}

/* Where a tuple's two ports stand in the transport header, 0 bytes for one that is not translated. */
struct port_places {
	u8 source, source_size, destination, destination_size;
};

static void find_ports(u8 proto, u8 icmp_kind, struct port_places *places)
{
	memset(places, 0, sizeof(*places));
	switch (proto) {
	case IPFI_PROTO_TCP:
	case IPFI_PROTO_UDP:
		places->source_size = 2;
		places->destination = 2;
		places->destination_size = 2;
		break;
	case IPFI_PROTO_ICMP:
	case IPFI_PROTO_ICMPV6:
		/* The asker's port is the identifier. */
		if (icmp_kind == IPFI_ICMP_QUERY) {
			places->source = 4;
			places->source_size = 2;
		} else if (icmp_kind == IPFI_ICMP_REPLY) {
			places->destination = 4;
			places->destination_size = 2;
		}
	}
}

/* A change of one address, in network byte order. */
struct addr_change {
	__be32 from[4], to[4];
	unsigned int words;
};

static bool read_change(struct addr_change *change, u8 family, const void *at, const struct ipfi_addr *to)
{
	unsigned int i;

	change->words = family == 4 ? 1 : 4;
	memcpy(change->from, at, change->words * sizeof(__be32));
	for (i = 0; i < change->words; i++)
		change->to[i] = htonl(to->w[i]);
	return memcmp(change->from, change->to, change->words * sizeof(__be32));
}

static void *source_of(void *ip, u8 family)
{
	return family == 4 ? (void *)&((struct iphdr *)ip)->saddr : &((struct ipv6hdr *)ip)->saddr;
}

static void *destination_of(void *ip, u8 family)
{
	return family == 4 ? (void *)&((struct iphdr *)ip)->daddr : &((struct ipv6hdr *)ip)->daddr;
}

/* Who keeps the transport checksum right: the packet's own, with all that offloading asks for. */
static void fix_addr(struct sk_buff *skb, __sum16 *check, const struct addr_change *change)
{
	if (change->words == 1)
		inet_proto_csum_replace4(check, skb, change->from[0], change->to[0], true);
	else
		inet_proto_csum_replace16(check, skb, change->from, change->to, true);
}

static void write_addr(struct sk_buff *skb, void *ip, void *at, u8 family, const struct ipfi_addr *to, __sum16 *check)
{
	struct addr_change change;

	if (!read_change(&change, family, at, to))
		return;
	if (check)
		fix_addr(skb, check, &change);
	if (family == 4)
		csum_replace4(&((struct iphdr *)ip)->check, change.from[0], change.to[0]);
	memcpy(at, change.to, change.words * sizeof(__be32));
}

static void write_port(struct sk_buff *skb, u8 *transport, u8 place, u8 size, u16 to, __sum16 *check)
{
	__be16 *at = (__be16 *)(transport + place);

	if (!size || *at == htons(to))
		return;
	if (check)
		inet_proto_csum_replace2(check, skb, *at, htons(to), false);
	*at = htons(to);
}

/* How much of the packet from its network header on is to be writable: never more than there is. */
static bool make_writable(struct sk_buff *skb, unsigned int length)
{
	return !skb_ensure_writable(skb, skb_network_offset(skb) + min(length, skb->len - skb_network_offset(skb)));
}

static bool no_checksum(const struct sk_buff *skb, u8 proto, const __sum16 *check)
{
	/* RFC 768: none was made. A partial one is 0 by chance only, and is filled in later. */
	return proto == IPFI_PROTO_UDP && !*check && skb->ip_summed != CHECKSUM_PARTIAL;
}

bool ipfi_rewrite(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_tuple *to)
{
	const u8 family = to->family, proto = to->proto;
	const int check_at = checksum_offset(proto);
	struct port_places places;
	__sum16 *check = NULL;
	u8 *ip, *transport;

	if (!make_writable(skb, packet->transport + (check_at < 0 ? 0 : TRANSPORT_WRITTEN)))
		return false;
	ip = skb_network_header(skb);
	transport = ip + packet->transport;
	if (check_at >= 0 && !no_checksum(skb, proto, (__sum16 *)(transport + check_at)))
		check = (__sum16 *)(transport + check_at);

	write_addr(skb, ip, source_of(ip, family), family, &to->src, covers_addresses(proto) ? check : NULL);
	write_addr(skb, ip, destination_of(ip, family), family, &to->dst, covers_addresses(proto) ? check : NULL);
	find_ports(proto, packet->icmp_kind, &places);
	write_port(skb, transport, places.source, places.source_size, to->sport, check);
	write_port(skb, transport, places.destination, places.destination_size, to->dport, check);
	/* 0 would say that there is none. */
	if (check && proto == IPFI_PROTO_UDP && !*check && skb->ip_summed != CHECKSUM_PARTIAL)
		*check = CSUM_MANGLED_0;
	packet->tuple = *to;
	if (packet->tcp_options)
		packet->tcp_options = transport + 20;
	return true;
}

/* Writes one's complement sums over what is quoted, without a packet around it. */
static void write_quoted_addr(void *ip, void *at, u8 family, const struct ipfi_addr *to, __sum16 *check)
{
	struct addr_change change;
	unsigned int i;

	if (!read_change(&change, family, at, to))
		return;
	for (i = 0; i < change.words; i++) {
		if (check)
			csum_replace4(check, change.from[i], change.to[i]);
		if (family == 4)
			csum_replace4(&((struct iphdr *)ip)->check, change.from[i], change.to[i]);
	}
	memcpy(at, change.to, change.words * sizeof(__be32));
}

static void write_quoted_port(u8 *transport, u8 place, u8 size, u16 to, __sum16 *check)
{
	__be16 *at = (__be16 *)(transport + place);

	if (!size || *at == htons(to))
		return;
	if (check)
		csum_replace2(check, *at, htons(to));
	*at = htons(to);
}

/* Rewrites the headers that are quoted from @ip to @end, as far as they are there. */
static void rewrite_quoted(const struct ipfi_packet *packet, u8 *ip, u8 *end, const struct ipfi_tuple *to)
{
	u8 *transport = ip + (packet->inner_transport - packet->inner_at);
	int check_at = checksum_offset(to->proto);
	struct port_places places;
	__sum16 *check = NULL;

	if (check_at >= 0 && transport + check_at + sizeof(*check) <= end)
		check = (__sum16 *)(transport + check_at);
	if (check && to->proto == IPFI_PROTO_UDP && !*check)
		check = NULL;
	write_quoted_addr(ip, source_of(ip, to->family), to->family, &to->src,
			  covers_addresses(to->proto) ? check : NULL);
	write_quoted_addr(ip, destination_of(ip, to->family), to->family, &to->dst,
			  covers_addresses(to->proto) ? check : NULL);
	find_ports(to->proto, packet->inner_icmp_kind, &places);
	write_quoted_port(transport, places.source, places.source_size, to->sport, check);
	write_quoted_port(transport, places.destination, places.destination_size, to->dport, check);
}

bool ipfi_rewrite_inner(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_tuple *to)
{
	unsigned int length = packet->inner_transport + TRANSPORT_WRITTEN;
	struct icmphdr *icmp; /* type, code and checksum stand where ICMPv6 has them */
	__wsum before, after;
	u8 *start, *end;

	if (!make_writable(skb, length))
		return false;
	icmp = (struct icmphdr *)(skb_network_header(skb) + packet->transport);
	start = skb_network_header(skb) + packet->inner_at;
	end = skb_network_header(skb) + min(length, skb->len - skb_network_offset(skb));
	before = csum_partial(start, end - start, 0);
	rewrite_quoted(packet, start, end, to);
	after = csum_partial(start, end - start, 0);
	/* The quote stands at an even place of the message, so its sum is a part of the message's. */
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		icmp->checksum = csum_fold(csum_add(csum_sub(~csum_unfold(icmp->checksum), before), after));
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	packet->inner = *to;
	return true;
}

bool ipfi_rewrite_outer(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_addr *src,
			const struct ipfi_addr *dst)
{
	struct ipfi_tuple to = packet->tuple;

	if (src)
		to.src = *src;
	if (dst)
		to.dst = *dst;
	return ipfi_rewrite(skb, packet, &to);
}
