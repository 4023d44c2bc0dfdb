/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet checksum (RFC 1071, RFC 1624): one's complement sums over words as they lie in memory (../../checksum.c). */
#ifndef IPFI_ENGINE_NET_CHECKSUM_H
#define IPFI_ENGINE_NET_CHECKSUM_H

#include <asm/byteorder.h>
#include <linux/types.h>

struct sk_buff;

#define CSUM_MANGLED_0 ((__sum16)0xffff)

__wsum csum_partial(const void *data, int length, __wsum sum);
__sum16 csum_fold(__wsum sum);

/* Of @length bytes of a buffer from @offset on. */
__wsum skb_checksum(const struct sk_buff *skb, int offset, int length, __wsum sum);
__wsum csum_add(__wsum a, __wsum b);

static inline __wsum csum_sub(__wsum a, __wsum b)
{
	return csum_add(a, ~b);
}

static inline __wsum csum_unfold(__sum16 sum)
{
	return sum;
}

static inline void csum_replace4(__sum16 *sum, __be32 from, __be32 to)
{
	*sum = csum_fold(csum_add(csum_sub(~csum_unfold(*sum), (__wsum)from), (__wsum)to));
}

static inline void csum_replace2(__sum16 *sum, __be16 from, __be16 to)
{
	csum_replace4(sum, from, to);
}

/* With the pseudo header, the length in host byte order. */
__sum16 csum_tcpudp_magic(__be32 source, __be32 destination, u32 length, u8 proto, __wsum sum);

/* In the checksum of @skb's packet; @pseudo: the change is one of the pseudo header. */
void inet_proto_csum_replace4(__sum16 *sum, struct sk_buff *skb, __be32 from, __be32 to, bool pseudo);
void inet_proto_csum_replace16(__sum16 *sum, struct sk_buff *skb, const __be32 *from, const __be32 *to, bool pseudo);

static inline void inet_proto_csum_replace2(__sum16 *sum, struct sk_buff *skb, __be16 from, __be16 to, bool pseudo)
{
	inet_proto_csum_replace4(sum, skb, from, to, pseudo);
}

#endif
