// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <net/checksum.h>
#include <net/ip.h>
#include "module/core/crc32c.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/packet/rewrite.h"
#include "module/packet/skb.h"

/* Bytes of a transport header that are written at most: up to TCP's checksum and its end. */
#define TRANSPORT_WRITTEN 20

/* Where the Internet checksum stands in a transport header, -1 for none that translation changes.
 */
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
	if (ipfi_proto_has_ports(proto)) {
		places->source_size = 2;
		places->destination = 2;
		places->destination_size = 2;
		return;
	}
	switch (proto) {
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

/*
 * SCTP's checksum is a CRC of its header and chunks, without the addresses (RFC 9260 section 6.8).
 */
#define SCTP_CHECKSUM 8

/* Four bytes as SCTP writes its checksum, at any alignment. */
static u32 get_le32(const u8 *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24;
}

/* @before: the ports at @transport before they were written; the header and chunks have @length
 * bytes. */
static void fix_sctp(u8 *transport, u32 before, u32 length)
{
	const u32 difference = before ^ get_le32(transport);
	u32 change, i;

	if (!difference || length < SCTP_CHECKSUM + 4 || length > IPFI_CRC32C_LENGTH_MAX)
		return;
	change = ipfi_crc32c_change(difference, length);
	for (i = 0; i < 4; i++)
		transport[SCTP_CHECKSUM + i] ^= (u8)(change >> 8 * i);
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

/* Only addresses, ports and identifiers change: a tuple of another kind is of another packet. */
static bool is_of_kind(const struct ipfi_tuple *tuple, const struct ipfi_tuple *to)
{
	return tuple->family == to->family && tuple->proto == to->proto;
}

/* Bytes of a network header without options, which has the addresses. */
static unsigned int header_size(u8 family)
{
	return family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* Bytes of the transport header up to the last that ipfi_rewrite() must find there. */
static unsigned int written_size(u8 proto, u8 icmp_kind)
{
	const int check_at = checksum_offset(proto);
	struct port_places places;

	find_ports(proto, icmp_kind, &places);
	return max3(check_at < 0 ? 0 : check_at + (int)sizeof(__sum16), places.source + places.source_size,
		    places.destination + places.destination_size);
}

bool ipfi_rewrite(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_tuple *to)
{
	const u8 family = to->family, proto = to->proto;
	const int check_at = checksum_offset(proto);
	const bool sctp = proto == IPFI_PROTO_SCTP;
	struct port_places places;
	__sum16 *check = NULL;
	u8 *ip, *transport;
	u32 ports = 0;

	if (!is_of_kind(&packet->tuple, to) || packet->transport < header_size(family) ||
	    packet->transport + written_size(proto, packet->icmp_kind) > skb->len - skb_network_offset(skb))
		return false;
	if (!make_writable(skb,
			   packet->transport + (check_at < 0 && !sctp ? 0 : TRANSPORT_WRITTEN)))
		return false;
	ip = skb_network_header(skb);
	transport = ip + packet->transport;
	if (unlikely(sctp))
		ports = get_le32(transport);
	if (check_at >= 0 && !no_checksum(skb, proto, (__sum16 *)(transport + check_at)))
		check = (__sum16 *)(transport + check_at);

	write_addr(skb, ip, source_of(ip, family), family, &to->src, covers_addresses(proto) ? check : NULL);
	write_addr(skb, ip, destination_of(ip, family), family, &to->dst, covers_addresses(proto) ? check : NULL);
	find_ports(proto, packet->icmp_kind, &places);
	write_port(skb, transport, places.source, places.source_size, to->sport, check);
	write_port(skb, transport, places.destination, places.destination_size, to->dport, check);
	/* 0 would say that there is none (RFC 768), or is forbidden (RFC 3828 section 3.1). */
	if (check && (proto == IPFI_PROTO_UDP || proto == IPFI_PROTO_UDPLITE) && !*check &&
	    skb->ip_summed != CHECKSUM_PARTIAL)
		*check = CSUM_MANGLED_0;
	/* A partial one is made by who sends it on. A device that summed all of the packet knows
	 * nothing of the CRC. */
	if (unlikely(sctp) && skb->ip_summed != CHECKSUM_PARTIAL) {
		if (packet->transport + SCTP_CHECKSUM + sizeof(ports) <= skb->len - skb_network_offset(skb))
			fix_sctp(transport, ports, packet->length - packet->transport);
		if (skb->ip_summed == CHECKSUM_COMPLETE)
			skb->ip_summed = CHECKSUM_NONE;
	}
	packet->tuple = *to;
	ipfi_skb_moved(skb, packet);
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

static void write_quoted_port(u8 *transport, const u8 *end, u8 place, u8 size, u16 to, __sum16 *check)
{
	__be16 *at = (__be16 *)(transport + place);

	if (!size || transport + place + size > end || *at == htons(to))
		return;
	if (check)
		csum_replace2(check, *at, htons(to));
	*at = htons(to);
}

/* Bytes that the packet quoted at @ip had behind its network header of @header bytes; 0 if it does
 * not say. */
static u32 quoted_payload(const u8 *ip, u8 family, u32 header)
{
	u32 length = family == 4 ? ipfi_get16(ip + 2) : sizeof(struct ipv6hdr) + ipfi_get16(ip + 4);

	return length > header ? length - header : 0;
}

/* Rewrites the headers that are quoted from @ip to @end, as far as they are there; the addresses are. */
static void rewrite_quoted(const struct ipfi_packet *packet, u8 *ip, u8 *end, const struct ipfi_tuple *to)
{
	u8 *transport = ip + (packet->inner_transport - packet->inner_at);
	int check_at = checksum_offset(to->proto);
	const u32 payload = quoted_payload(ip, to->family, transport - ip);
	struct port_places places;
	__sum16 *check = NULL;
	u32 ports = 0;

	if (to->proto == IPFI_PROTO_SCTP && transport + sizeof(ports) <= end)
		ports = get_le32(transport);
	if (check_at >= 0 && transport + check_at + sizeof(*check) <= end)
		check = (__sum16 *)(transport + check_at);
	if (check && to->proto == IPFI_PROTO_UDP && !*check)
		check = NULL;
	write_quoted_addr(ip, source_of(ip, to->family), to->family, &to->src,
			  covers_addresses(to->proto) ? check : NULL);
	write_quoted_addr(ip, destination_of(ip, to->family), to->family, &to->dst,
			  covers_addresses(to->proto) ? check : NULL);
	find_ports(to->proto, packet->inner_icmp_kind, &places);
	write_quoted_port(transport, end, places.source, places.source_size, to->sport, check);
	write_quoted_port(transport, end, places.destination, places.destination_size, to->dport, check);
	if (to->proto == IPFI_PROTO_SCTP && transport + SCTP_CHECKSUM + sizeof(ports) <= end)
		fix_sctp(transport, ports, payload);
}

/*
 * What an ICMP message quotes has changed: its sum was @before and is @after. It stands at an even place of the message,
 * so its sum is a part of the message's.
 */
static void fix_message(struct sk_buff *skb, const struct ipfi_packet *packet, __wsum before, __wsum after)
{
	/* Type, code and checksum stand where ICMPv6 has them. */
	struct icmphdr *icmp = (struct icmphdr *)(skb_network_header(skb) + packet->transport);

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		icmp->checksum = csum_fold(csum_add(csum_sub(~csum_unfold(icmp->checksum), before), after));
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
}

bool ipfi_rewrite_inner(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_tuple *to)
{
	unsigned int length = packet->inner_transport + TRANSPORT_WRITTEN;
	__wsum before;
	u8 *start, *end;

	if (!is_of_kind(&packet->inner, to) || packet->inner_at < packet->transport + sizeof(struct icmphdr) ||
	    packet->inner_transport < packet->inner_at + header_size(to->family) ||
	    packet->inner_transport > skb->len - skb_network_offset(skb))
		return false;
	if (!make_writable(skb, length))
		return false;
	start = skb_network_header(skb) + packet->inner_at;
	end = skb_network_header(skb) + min(length, skb->len - skb_network_offset(skb));
	before = csum_partial(start, end - start, 0);
	rewrite_quoted(packet, start, end, to);
	fix_message(skb, packet, before, csum_partial(start, end - start, 0));
	packet->inner = *to;
	return true;
}

/* Where TCP has its sequence number: the eight bytes that are quoted at least have it. */
#define TCP_SEQUENCE 4

bool ipfi_rewrite_inner_seq(struct sk_buff *skb, struct ipfi_packet *packet, u32 seq)
{
	unsigned int length = packet->inner_transport + TRANSPORT_WRITTEN;
	const int check_at = checksum_offset(IPFI_PROTO_TCP);
	u8 *transport, *end;
	__be32 *at, was;
	__wsum before;

	if (packet->inner.proto != IPFI_PROTO_TCP || packet->inner_at < packet->transport + sizeof(struct icmphdr) ||
	    packet->inner_transport + TCP_SEQUENCE + sizeof(*at) > skb->len - skb_network_offset(skb) ||
	    !make_writable(skb, length))
		return false;
	transport = skb_network_header(skb) + packet->inner_transport;
	end = skb_network_header(skb) + min(length, skb->len - skb_network_offset(skb));
	before = csum_partial(transport, end - transport, 0);
	at = (__be32 *)(transport + TCP_SEQUENCE);
	was = *at;
	*at = htonl(seq);
	if (transport + check_at + sizeof(__sum16) <= end)
		csum_replace4((__sum16 *)(transport + check_at), was, *at);
	fix_message(skb, packet, before, csum_partial(transport, end - transport, 0));
	packet->inner_seq = seq;
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
