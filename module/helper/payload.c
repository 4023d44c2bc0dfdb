// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>
#include "module/compat.h"
#include "module/core/packet.h"
#include "module/core/sequence.h"
#include "module/helper/payload.h"
#include "module/packet/skb.h"

static struct tcphdr *tcp_of(struct sk_buff *skb, const struct ipfi_packet *packet)
{
	return (struct tcphdr *)(skb_network_header(skb) + packet->transport);
}

bool ipfi_payload_open(struct sk_buff *skb, struct ipfi_packet *packet)
{
	if (skb_ensure_writable(skb, skb->len))
		return false;
	ipfi_skb_moved(skb, packet);
	return true;
}

/* The checksum anew; where a device is to make it, what it needs for that. The segment was found good before. */
static void make_checksum(struct sk_buff *skb, const struct ipfi_packet *packet)
{
	struct tcphdr *tcp = tcp_of(skb, packet);
	unsigned int length = skb->len - skb_network_offset(skb) - packet->transport;
	bool partial = skb->ip_summed == CHECKSUM_PARTIAL;
	__wsum sum = 0;
	__sum16 check;

	tcp->check = 0;
	if (!partial)
		sum = csum_partial(tcp, length, 0);
	if (packet->tuple.family == 4) {
		const struct iphdr *ip = ip_hdr(skb);

		check = csum_tcpudp_magic(ip->saddr, ip->daddr, length, IPPROTO_TCP, sum);
	} else {
		const struct ipv6hdr *ip = ipv6_hdr(skb);

		check = csum_ipv6_magic(&ip->saddr, &ip->daddr, length, IPPROTO_TCP, sum);
	}
	tcp->check = partial ? ~check : check;
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
}

/* RFC 2018: kind 5, then pairs of a left and a right edge. */
static void map_sack(u8 *options, unsigned int length, const struct ipfi_seqadj *sequence)
{
	unsigned int at = 0, block, size;

	while (at < length && options[at] != TCPOPT_EOL) {
		if (options[at] == TCPOPT_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= length)
			return;
		size = options[at + 1];
		if (size < 2 || at + size > length)
			return;
		for (block = at + 2; options[at] == TCPOPT_SACK && block + 8 <= at + size; block += 8) {
			u8 *left = options + block, *right = left + 4;

			put_unaligned_be32(ipfi_seqadj_back_left(sequence, get_unaligned_be32(left)), left);
			put_unaligned_be32(ipfi_seqadj_back(sequence, get_unaligned_be32(right)), right);
		}
		at += size;
	}
}

void ipfi_payload_map_ack(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_seqadj *sequence)
{
	struct tcphdr *tcp = tcp_of(skb, packet);

	if (!tcp->ack)
		return;
	packet->ack = ipfi_seqadj_back(sequence, packet->ack);
	tcp->ack_seq = htonl(packet->ack);
	map_sack((u8 *)(tcp + 1), packet->tcp_options_length, sequence);
	make_checksum(skb, packet);
}

/* Room for @more bytes at the end. */
static bool make_room(struct sk_buff *skb, unsigned int more)
{
	return more <= skb_tailroom(skb) || !pskb_expand_head(skb, 0, more - skb_tailroom(skb), GFP_ATOMIC);
}

/*
 * An aggregate, of which @payload bytes are left or have become: what fits into one segment is none any more. Nobody
 * would cut it, and whoever is told to refuses it.
 */
static void set_segments(struct sk_buff *skb, u32 payload)
{
	struct skb_shared_info *shared = skb_shinfo(skb);

	if (payload > shared->gso_size) {
		shared->gso_segs = DIV_ROUND_UP(payload, shared->gso_size);
		return;
	}
	shared->gso_size = 0;
	shared->gso_segs = 0;
	shared->gso_type = 0;
}

static void set_length(struct sk_buff *skb, struct ipfi_packet *packet)
{
	unsigned int length = skb->len - skb_network_offset(skb);

	if (packet->tuple.family == 4) {
		struct iphdr *ip = ip_hdr(skb);

		csum_replace2(&ip->check, ip->tot_len, htons(length));
		ip->tot_len = htons(length);
	} else {
		ipv6_hdr(skb)->payload_len = htons(length - sizeof(struct ipv6hdr));
	}
	packet->length = length;
	if (skb_is_gso(skb))
		set_segments(skb, packet->payload);
}

/* Bytes behind the head: @skip of them make way for the text. */
static void replace(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_seqadj_cut *cut)
{
	u8 *at = (u8 *)ipfi_payload_data(skb, packet) + cut->head;
	unsigned int rest = packet->payload - cut->head - cut->skip;
	int more = (int)cut->text_length - (int)cut->skip;

	if (more > 0)
		skb_put(skb, more);
	memmove(at + cut->text_length, at + cut->skip, rest);
	if (cut->text_length)
		memcpy(at, cut->text, cut->text_length);
	if (more < 0)
		skb_trim(skb, skb->len + more);
	packet->payload += more;
}

bool ipfi_payload_write(struct sk_buff *skb, struct ipfi_packet *packet, const struct ipfi_seqadj_cut *cut)
{
	struct tcphdr *tcp;

	if (cut->text_length > cut->skip && !make_room(skb, cut->text_length - cut->skip))
		return false;
	tcp = tcp_of(skb, packet);
	ipfi_skb_moved(skb, packet);
	if (cut->text_length || cut->skip) {
		replace(skb, packet, cut);
		set_length(skb, packet);
	}
	tcp->seq = htonl(cut->seq);
	packet->seq = cut->seq;
	if (!cut->whole)
		tcp->fin = 0;
	make_checksum(skb, packet);
	return true;
}
