// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>

static u32 fold64(u64 sum)
{
	sum = (sum & U32_MAX) + (sum >> 32);
	sum = (sum & U32_MAX) + (sum >> 32);
	return (u32)sum;
}

__wsum csum_partial(const void *data, int length, __wsum sum)
{
	const u8 *at = data;
	u64 total = sum;
	u32 word;

	for (; length >= 4; length -= 4, at += 4) {
		memcpy(&word, at, sizeof(word));
		total += word;
	}
	/* What is missing of the last word is 0. */
	word = 0;
	if (length > 0)
		memcpy(&word, at, (size_t)length);
	return fold64(total + word);
}

__wsum skb_checksum(const struct sk_buff *skb, int offset, int length, __wsum sum)
{
	return csum_partial(skb->data + offset, length, sum);
}

__sum16 csum_fold(__wsum sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__sum16)~sum;
}

__wsum csum_add(__wsum a, __wsum b)
{
	return fold64((u64)a + b);
}

__sum16 csum_tcpudp_magic(__be32 source, __be32 destination, u32 length, u8 proto, __wsum sum)
{
	return csum_fold(fold64((u64)sum + source + destination + htonl(length) + htonl(proto)));
}

__sum16 csum_ipv6_magic(const struct in6_addr *source, const struct in6_addr *destination, u32 length, u8 proto,
			__wsum sum)
{
	u64 total = (u64)sum + htonl(length) + htonl(proto);

	total += csum_partial(source, sizeof(*source), 0);
	total += csum_partial(destination, sizeof(*destination), 0);
	return csum_fold(fold64(total));
}

void inet_proto_csum_replace4(__sum16 *sum, struct sk_buff *skb, __be32 from, __be32 to, bool pseudo)
{
	/* Here all packets have their checksums made: none is left to a device. */
	BUG_ON(skb->ip_summed == CHECKSUM_PARTIAL);
	(void)pseudo;
	csum_replace4(sum, from, to);
}

void inet_proto_csum_replace16(__sum16 *sum, struct sk_buff *skb, const __be32 *from, const __be32 *to, bool pseudo)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		inet_proto_csum_replace4(sum, skb, from[i], to[i], pseudo);
}

__sum16 nf_checksum(struct sk_buff *skb, unsigned int hook, unsigned int offset, u8 proto, unsigned short family)
{
	const u32 length = skb->len - offset;
	__wsum sum;

	(void)hook;
	if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		return 0;
	sum = csum_partial(skb->data + offset, (int)length, 0);
	if (family == AF_INET6)
		return csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, length, proto, sum);
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return csum_fold(sum);
	return csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, length, proto, sum);
}
