/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who speaks to whom: a tuple has a direction, a key has none. Both directions of a connection give the same
 * key, and so the same hash.
 */
#ifndef IPFI_CORE_TUPLE_H
#define IPFI_CORE_TUPLE_H

#include "module/core/platform.h"

/* Host byte order, most significant word first. IPv4 stands in w[0], the others are 0. */
struct ipfi_addr {
	u32 w[4];
};

struct ipfi_tuple {
	struct ipfi_addr src;
	struct ipfi_addr dst;
	/* What is written as a whole is soon read as a whole: a load behind two smaller stores waits for both. */
	union {
		struct {
			u16 sport;
			u16 dport;
		};
		u32 ports;
	};
	union {
		struct {
			u8 proto;
			u8 family; /* 4 or 6 */
			u8 src_vrf, dst_vrf; /* the VRF that each end is reached in: a number of the caller's, 0 for none */
		};
		u32 kind;
	};
};

/*
 * The two end points in order, the lower first. Ports, protocol and the first word of each address are all that tells
 * apart those of IPv4; so they stand together, and where keys are kept those of IPv4 end there.
 */
struct ipfi_key_head {
	union {
		struct {
			u8 proto;
			u8 family;
			u8 lo_vrf;
			u8 hi_vrf;
			u16 lo_port;
			u16 hi_port;
			u32 lo;
			u32 hi;
		};
		struct {
			u64 ends, addrs; /* to copy and compare */
		};
	};
};

/* The other words of an address of IPv6. */
#define IPFI_ADDR_REST 3

struct ipfi_key_rest {
	u32 lo[IPFI_ADDR_REST];
	u32 hi[IPFI_ADDR_REST];
};

struct ipfi_key {
	union {
		struct {
			struct ipfi_key_head head;
			struct ipfi_key_rest rest; /* of IPv6 alone: nobody reads that of IPv4, or sets it */
		};
		u32 words[10]; /* to hash: protocol and family, ports, addresses */
	};
};

static_assert(sizeof(struct ipfi_key_head) == 16 && sizeof(struct ipfi_key) == 40, "ipfi_key has no padding");

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
	       a->dport == b->dport && a->src_vrf == b->src_vrf && a->dst_vrf == b->dst_vrf;
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

/* Copies the words of @from behind the first one. */
static inline void ipfi_addr_rest(u32 to[IPFI_ADDR_REST], const struct ipfi_addr *from)
{
	__builtin_memcpy(to, from->w + 1, IPFI_ADDR_REST * sizeof(*to));
}

/*
 * The key of @tuple. Returns true when the source is the higher end point, so that two tuples with one key
 * have the same direction when and only when this returned the same (an end point that speaks to itself
 * always counts as the lower).
 */
static __always_inline bool ipfi_key_from_tuple(struct ipfi_key *key, const struct ipfi_tuple *tuple)
{
	const u32 src = tuple->src.w[0], dst = tuple->dst.w[0];
	bool higher = src > dst;
	u32 kind, ports;

	if (unlikely(tuple->family != 4) || unlikely(src == dst)) {
		int order = ipfi_addr_compare(&tuple->src, &tuple->dst);

		higher = order > 0 || (order == 0 && (tuple->sport > tuple->dport ||
						      (tuple->sport == tuple->dport && tuple->src_vrf > tuple->dst_vrf)));
	}
	kind = tuple->kind;
	ports = tuple->ports;
	if (higher) {
		ports = ports << 16 | ports >> 16;
		if (unlikely(tuple->src_vrf != tuple->dst_vrf))
			kind = ipfi_pair16(ipfi_pair8(tuple->proto, tuple->family),
					   ipfi_pair8(tuple->dst_vrf, tuple->src_vrf));
	}
	key->head.ends = ipfi_pair32(kind, ports);
	key->head.addrs = higher ? ipfi_pair32(dst, src) : ipfi_pair32(src, dst);
	if (tuple->family != 4) {
		ipfi_addr_rest(key->rest.lo, higher ? &tuple->dst : &tuple->src);
		ipfi_addr_rest(key->rest.hi, higher ? &tuple->src : &tuple->dst);
	}
	return higher;
}

/* Is each end in a VRF of its own? */
static inline bool ipfi_tuple_crosses(const struct ipfi_tuple *tuple)
{
	return tuple->src_vrf != tuple->dst_vrf;
}

/* An address of a key by its @first word and the @rest, which is not read for IPv4. */
static inline void ipfi_key_addr(u8 family, u32 first, const u32 rest[IPFI_ADDR_REST], struct ipfi_addr *addr)
{
	if (family == 4)
		ipfi_addr_set(addr, first, 0, 0, 0);
	else
		ipfi_addr_set(addr, first, rest[0], rest[1], rest[2]);
}

/* The tuple of the key @head and @rest whose source is the higher end point if @higher. */
static inline void ipfi_key_to_tuple(const struct ipfi_key_head *head, const struct ipfi_key_rest *rest, bool higher,
				     struct ipfi_tuple *tuple)
{
	ipfi_key_addr(head->family, head->lo, rest->lo, higher ? &tuple->dst : &tuple->src);
	ipfi_key_addr(head->family, head->hi, rest->hi, higher ? &tuple->src : &tuple->dst);
	tuple->sport = higher ? head->hi_port : head->lo_port;
	tuple->dport = higher ? head->lo_port : head->hi_port;
	tuple->proto = head->proto;
	tuple->family = head->family;
	tuple->src_vrf = higher ? head->hi_vrf : head->lo_vrf;
	tuple->dst_vrf = higher ? head->lo_vrf : head->hi_vrf;
}

static __always_inline bool ipfi_key_head_equal(const struct ipfi_key_head *a, const struct ipfi_key_head *b)
{
	return !((a->addrs ^ b->addrs) | (a->ends ^ b->ends));
}

static inline bool ipfi_key_rest_equal(const struct ipfi_key_rest *a, const struct ipfi_key_rest *b)
{
	return !__builtin_memcmp(a, b, sizeof(*a));
}

static inline bool ipfi_key_equal(const struct ipfi_key *a, const struct ipfi_key *b)
{
	return ipfi_key_head_equal(&a->head, &b->head) &&
	       (a->head.family == 4 || ipfi_key_rest_equal(&a->rest, &b->rest));
}

/* A key is kept in two parts, and the rest only where there is one: the keeper of one of IPv4 may have no room for it. */
static inline void ipfi_key_put(struct ipfi_key_head *head, struct ipfi_key_rest *rest, const struct ipfi_key *key)
{
	*head = key->head;
	if (key->head.family != 4)
		*rest = key->rest;
}

static inline void ipfi_key_get(struct ipfi_key *key, const struct ipfi_key_head *head, const struct ipfi_key_rest *rest)
{
	key->head = *head;
	if (head->family != 4)
		key->rest = *rest;
}

/*
 * The symmetric hash of a connection; @seed is random and secret. Every word goes through the keyed hash as it is:
 * who owns a prefix chooses the words of many addresses, and what is combined before it is keyed collides under any
 * seed.
 */
static __always_inline u32 ipfi_key_hash(const struct ipfi_key *key, u32 seed)
{
	/* Many VRFs may have the same addresses in use. */
	seed += key->head.proto + ((u32)key->head.lo_vrf << 16) + ((u32)key->head.hi_vrf << 24);
	if (likely(key->head.family == 4))
		return jhash_3words(key->words[1], key->words[2], key->words[3], seed);
	return jhash2(key->words + 1, sizeof(key->words) / sizeof(u32) - 1, seed);
}

/* The hash of an address; likewise, also when it is one of IPv4. */
static inline u32 ipfi_addr_hash(const struct ipfi_addr *addr, u32 seed)
{
	return jhash2(addr->w, 4, seed);
}

#endif /* IPFI_CORE_TUPLE_H */
