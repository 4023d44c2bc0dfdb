/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who speaks to whom: a tuple has a direction, a key has none. Both directions of a connection give the same
 * key, and so the same hash.
 */
#ifndef IPFI_CORE_TUPLE_H
#define IPFI_CORE_TUPLE_H

#include "platform.h"

/* Host byte order, most significant word first. IPv4 stands in w[0], the others are 0. */
struct ipfi_addr {
	u32 w[4];
};

struct ipfi_tuple {
	struct ipfi_addr src;
	struct ipfi_addr dst;
	u16 sport;
	u16 dport;
	u8 proto;
	u8 family; /* 4 or 6 */
};

/* The two end points in order, the lower first. */
struct ipfi_key {
	union {
		struct {
			struct ipfi_addr lo;
			struct ipfi_addr hi;
			u16 lo_port;
			u16 hi_port;
			u8 proto;
			u8 family;
			u16 zero; /* so that all bytes are defined */
		};
		struct {
			u64 addrs[4]; /* to copy and compare */
			u64 ends;
		};
	};
};

static_assert(sizeof(struct ipfi_key) == 40, "ipfi_key has no padding");

/* Writes all of an address in two stores, for it is copied in two loads soon after. */
static inline void ipfi_addr_set(struct ipfi_addr *addr, u32 w0, u32 w1, u32 w2, u32 w3)
{
	const u64 pairs[2] = { ipfi_pair32(w0, w1), ipfi_pair32(w2, w3) };

	__builtin_memcpy(addr->w, pairs, sizeof(pairs));
}

/* <0, 0, >0 as a is lower than, equal to, higher than b. */
static inline int ipfi_addr_compare(const struct ipfi_addr *a, const struct ipfi_addr *b)
{
	int i;

	for (i = 0; i < 4; i++)
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	return 0;
}

static inline bool ipfi_addr_equal(const struct ipfi_addr *a, const struct ipfi_addr *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3]));
}

/* Have both the same ends, each in its place? They are of one family and protocol. */
static inline bool ipfi_tuple_equal(const struct ipfi_tuple *a, const struct ipfi_tuple *b)
{
	return ipfi_addr_equal(&a->src, &b->src) && ipfi_addr_equal(&a->dst, &b->dst) && a->sport == b->sport &&
	       a->dport == b->dport;
}

/* The mask of a prefix of @length bits; of an IPv4 prefix all but the first word are 0. */
static inline void ipfi_prefix_mask(struct ipfi_addr *mask, unsigned int length)
{
	unsigned int i, bits;

	for (i = 0; i < 4; i++, length -= bits) {
		bits = length < 32 ? length : 32;
		mask->w[i] = bits ? ~0U << (32 - bits) : 0;
	}
}

/*
 * The key of @tuple. Returns true when the source is the higher end point, so that two tuples with one key
 * have the same direction when and only when this returned the same (an end point that speaks to itself
 * always counts as the lower).
 */
static inline bool ipfi_key_from_tuple(struct ipfi_key *key, const struct ipfi_tuple *tuple)
{
	int order = ipfi_addr_compare(&tuple->src, &tuple->dst);
	bool higher = order > 0 || (order == 0 && tuple->sport > tuple->dport);

	key->lo = higher ? tuple->dst : tuple->src;
	key->hi = higher ? tuple->src : tuple->dst;
	key->ends = ipfi_pair32(higher ? ipfi_pair16(tuple->dport, tuple->sport) :
					 ipfi_pair16(tuple->sport, tuple->dport),
				ipfi_pair16(ipfi_pair8(tuple->proto, tuple->family), 0));
	return higher;
}

/* The tuple of @key whose source is the higher end point if @higher. */
static inline void ipfi_key_to_tuple(const struct ipfi_key *key, bool higher, struct ipfi_tuple *tuple)
{
	tuple->src = higher ? key->hi : key->lo;
	tuple->dst = higher ? key->lo : key->hi;
	tuple->sport = higher ? key->hi_port : key->lo_port;
	tuple->dport = higher ? key->lo_port : key->hi_port;
	tuple->proto = key->proto;
	tuple->family = key->family;
}

static __always_inline bool ipfi_key_equal(const struct ipfi_key *a, const struct ipfi_key *b)
{
	return !((a->addrs[0] ^ b->addrs[0]) | (a->addrs[1] ^ b->addrs[1]) | (a->addrs[2] ^ b->addrs[2]) |
		 (a->addrs[3] ^ b->addrs[3]) | (a->ends ^ b->ends));
}

/*
 * An IPv6 address folded into one word. Keyed, because who holds a prefix chooses 64 bits of it and could
 * otherwise pick addresses that fold alike.
 */
static inline u32 ipfi_addr_fold(const struct ipfi_addr *a, u32 seed)
{
	return jhash_3words(a->w[0] ^ a->w[1], a->w[2], a->w[3], seed);
}

/* The symmetric hash of a connection; @seed is random and secret. */
static __always_inline u32 ipfi_key_hash(const struct ipfi_key *key, u32 seed)
{
	u32 ports = (u32)key->lo_port << 16 | key->hi_port;

	seed += key->proto;
	if (likely(key->family == 4))
		return jhash_3words(key->lo.w[0], key->hi.w[0], ports, seed);
	return jhash_3words(ipfi_addr_fold(&key->lo, seed), ipfi_addr_fold(&key->hi, seed), ports, seed);
}

#endif /* IPFI_CORE_TUPLE_H */
