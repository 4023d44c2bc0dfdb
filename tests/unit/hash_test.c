// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hashes of addresses and connections: whoever owns a prefix can make a thousand addresses of any structure, and
 * under a seed that he does not know no structure may bring more of them together than chance does.
 */
#include "module/core/tuple.h"
#include "support.h"

#define KEYS 1024
#define SEEDS 16

/* The @i-th address of a family, below 2001:db8::/32 or of many prefixes. */
typedef void (*family_fn)(struct ipfi_addr *addr, u32 i);

/* Numbers without structure, the same in every run (a step of xorshift32, Marsaglia 2003, from each @i). */
static u32 scatter(u32 i)
{
	u32 x = (i + 1) * 2654435761U;

	x ^= x << 13;
	x ^= x >> 17;
	return x ^ x << 5;
}

/* What is combined before it is keyed: two words whose xor, or sum, or difference is always the same. */
#define CONSTANT(name, one, other, operation)                       \
	static void name(struct ipfi_addr *addr, u32 i)               \
	{                                                             \
		u32 x = scatter(i);                                   \
                                                                      \
		*addr = ip6(0x20010db8, 1, 2, 3);                     \
		addr->w[one] = x;                                     \
		addr->w[other] = operation;                           \
	}
CONSTANT(xor_0_1, 0, 1, x ^ 0x5eed5eed)
CONSTANT(xor_0_2, 0, 2, x ^ 0x5eed5eed)
CONSTANT(xor_0_3, 0, 3, x ^ 0x5eed5eed)
CONSTANT(xor_1_2, 1, 2, x ^ 0x5eed5eed)
CONSTANT(xor_1_3, 1, 3, x ^ 0x5eed5eed)
CONSTANT(xor_2_3, 2, 3, x ^ 0x5eed5eed)
CONSTANT(sum_0_1, 0, 1, 0x5eed5eed - x)
CONSTANT(sum_0_2, 0, 2, 0x5eed5eed - x)
CONSTANT(sum_0_3, 0, 3, 0x5eed5eed - x)
CONSTANT(sum_1_2, 1, 2, 0x5eed5eed - x)
CONSTANT(sum_1_3, 1, 3, 0x5eed5eed - x)
CONSTANT(sum_2_3, 2, 3, 0x5eed5eed - x)
CONSTANT(difference_0_1, 0, 1, x + 0x5eed)
CONSTANT(difference_2_3, 2, 3, x + 0x5eed)
CONSTANT(equal_0_3, 0, 3, x)
CONSTANT(turned_2_3, 2, 3, x << 16 | x >> 16)

/* The same four numbers in another order, of which there are 24 for each four. */
static void swapped(struct ipfi_addr *addr, u32 i)
{
	u32 words[4], order = i % 24, kind = i / 24, left, j, take;

	for (j = 0; j < 4; j++)
		words[j] = scatter(kind * 4 + j);
	for (left = 4, j = 0; left; left--, j++) {
		take = order % left;
		order /= left;
		addr->w[j] = words[take];
		words[take] = words[left - 1];
	}
}

static void hosts(struct ipfi_addr *addr, u32 i)
{
	*addr = ip6(0x20010db8, 0, 0, i);
}

static void networks(struct ipfi_addr *addr, u32 i)
{
	*addr = ip6(0x20010db8, i, 0, 1);
}

static void prefixes(struct ipfi_addr *addr, u32 i)
{
	*addr = ip6(0x20010000 + i * 4099, 0, 0, 1);
}

static void upper_bits(struct ipfi_addr *addr, u32 i)
{
	*addr = ip6(0x20010db8, i << 22, i << 22, i << 22);
}

/* One to three bits of 96 set: low entropy all over. */
static void few_bits(struct ipfi_addr *addr, u32 i)
{
	u32 a = i % 96, b = (i / 96 + a + 1) % 96;

	*addr = ip6(0x20010db8, 0, 0, 0);
	addr->w[1 + a / 32] |= 1U << a % 32;
	addr->w[1 + b / 32] |= 1U << b % 32;
}

/* Each of ten bits stands for the highest or lowest bits of some words: no carry of an addition spreads the former. */
static void chosen_bits(struct ipfi_addr *addr, u32 i)
{
	static const struct { u8 word; u32 bits; } flips[10] = {
		{ 0, 1U << 31 }, { 1, 1U << 31 }, { 2, 1U << 31 }, { 3, 1U << 31 }, { 0, 1 },
		{ 1, 1 }, { 2, 1 }, { 3, 1 }, { 1, 1U << 13 }, { 2, 1U << 17 },
	};
	u32 j;

	*addr = ip6(0x20010db8, 7, 7, 7);
	for (j = 0; j < COUNT(flips); j++)
		if (i >> j & 1)
			addr->w[flips[j].word] ^= flips[j].bits;
}

static void repeated(struct ipfi_addr *addr, u32 i)
{
	*addr = ip6(i, i, i, i);
}

static void from_ethernet(struct ipfi_addr *addr, u32 i)
{
	*addr = ip6(0x20010db8, 0x10, 0x020c29ff, 0xfe000000 | i * 257);
}

static const struct {
	const char *name;
	family_fn make;
} families[] = {
#define FAMILY(name) { #name, name }
	FAMILY(xor_0_1), FAMILY(xor_0_2), FAMILY(xor_0_3), FAMILY(xor_1_2), FAMILY(xor_1_3), FAMILY(xor_2_3),
	FAMILY(sum_0_1), FAMILY(sum_0_2), FAMILY(sum_0_3), FAMILY(sum_1_2), FAMILY(sum_1_3), FAMILY(sum_2_3),
	FAMILY(difference_0_1), FAMILY(difference_2_3), FAMILY(equal_0_3), FAMILY(turned_2_3), FAMILY(swapped),
	FAMILY(hosts), FAMILY(networks), FAMILY(prefixes), FAMILY(upper_bits), FAMILY(few_bits), FAMILY(chosen_bits),
	FAMILY(repeated), FAMILY(from_ethernet),
};

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/*
 * Of KEYS hashes by chance 2^-13 pairs are equal; three are a defect. A table of as many buckets has 8 or so in its
 * fullest; 16 come together by chance once in 10^10 trials.
 */
static void must_be_scattered(u32 hashes[KEYS], const char *what, const char *family, u32 seed)
{
	unsigned int load[KEYS] = { 0 }, same = 0, most = 0, i;

	for (i = 0; i < KEYS; i++) {
		unsigned int now = ++load[hashes[i] % KEYS];

		most = now > most ? now : most;
	}
	qsort(hashes, KEYS, sizeof(*hashes), compare);
	for (i = 1; i < KEYS; i++)
		same += hashes[i] == hashes[i - 1];
	if (same >= 3 || most >= 16)
		fail_msg("%s, family %s, seed %08x: %u pairs with one hash, %u in one bucket of %u", what, family, seed,
			 same, most, KEYS);
}

/* Connections from a family's addresses to one, from one to them, and between two of the family. */
static void connections_are_scattered(void **state)
{
	static const char *const sides[] = { "by source", "by destination", "by both" };
	struct ipfi_tuple tuple = { .sport = 1234, .dport = 443, .proto = 6, .family = 6 };
	const struct ipfi_addr other = ip6(0x20010db8, 1, 0, 0x10);
	u32 hashes[KEYS], seed;
	unsigned int f, s, i, side;
	struct ipfi_key key;

	(void)state;
	for (f = 0; f < COUNT(families); f++)
		for (side = 0; side < COUNT(sides); side++)
			for (s = 0; s < SEEDS; s++) {
				seed = scatter(s * 77 + 5);
				for (i = 0; i < KEYS; i++) {
					tuple.src = tuple.dst = other;
					if (side != 1)
						families[f].make(&tuple.src, i);
					if (side != 0)
						families[f].make(&tuple.dst, side == 1 ? i : KEYS + i);
					ipfi_key_from_tuple(&key, &tuple);
					hashes[i] = ipfi_key_hash(&key, seed);
				}
				must_be_scattered(hashes, sides[side], families[f].name, seed);
			}
}

/* An address of one connection's end may be compensated by the other end's, or by the ports. */
static void ends_do_not_compensate(void **state)
{
	struct ipfi_tuple tuple = { .proto = 17, .family = 6 };
	u32 hashes[KEYS], seed, x;
	unsigned int s, i, w, v;
	struct ipfi_key key;

	(void)state;
	for (w = 0; w < 4; w++)
		for (v = 0; v < 5; v++)
			for (s = 0; s < SEEDS; s++) {
				seed = scatter(s * 77 + 5);
				for (i = 0; i < KEYS; i++) {
					x = scatter(i);
					tuple.src = ip6(0x20010db8, 1, 1, 1);
					tuple.dst = ip6(0x20010db9, 2, 2, 2);
					tuple.src.w[w] = x;
					if (v < 4)
						tuple.dst.w[v] = x ^ 0x5eed;
					tuple.sport = v < 4 ? 1 : (u16)(x ^ 0x5eed);
					tuple.dport = v < 4 ? 2 : (u16)(x >> 16);
					ipfi_key_from_tuple(&key, &tuple);
					hashes[i] = ipfi_key_hash(&key, seed);
				}
				must_be_scattered(hashes, "both ends", "one xor constant", seed);
			}
}

static void addresses_are_scattered(void **state)
{
	u32 hashes[KEYS], seed;
	struct ipfi_addr addr;
	unsigned int f, s, i;

	(void)state;
	for (f = 0; f < COUNT(families); f++)
		for (s = 0; s < SEEDS; s++) {
			seed = scatter(s * 77 + 5);
			for (i = 0; i < KEYS; i++) {
				families[f].make(&addr, i);
				hashes[i] = ipfi_addr_hash(&addr, seed);
			}
			must_be_scattered(hashes, "addresses", families[f].name, seed);
		}
}

/* Every byte of a key but its family makes another hash, in either family. */
static void all_of_a_key_counts(void **state)
{
	unsigned int family, word, bit;
	struct ipfi_key key, other;

	(void)state;
	for (family = 4; family <= 6; family += 2)
		for (word = 0; word < sizeof(key.words) / sizeof(*key.words); word++) {
			/* One of IPv4 ends here. */
			if (family == 4 && word == sizeof(key.head) / sizeof(u32))
				break;
			for (bit = 0; bit < 32; bit++) {
				memset(&key, 0, sizeof(key));
				key.head.family = (u8)family;
				other = key;
				other.words[word] ^= 1U << bit;
				if (other.head.family == family)
					assert_int_not_equal(ipfi_key_hash(&key, 77), ipfi_key_hash(&other, 77));
			}
		}
}

/* Values of the kernel's jhash2() (include/linux/jhash.h of 6.1) for i * 0x9e3779b9, i = 1, 2, ... */
static void hashes_words_as_the_kernel(void **state)
{
	static const u32 expected[] = { 0xf0e21567, 0xb5584aef, 0x8ccdfaf8, 0x62b63590, 0x22ba5d8a, 0xc1d50b1f,
					0xc44873b0, 0xab4f68c6, 0x6be1b217, 0xbf879c0f, 0xa7a8b0f1 };
	u32 words[COUNT(expected)], i;

	(void)state;
	for (i = 0; i < COUNT(expected); i++)
		words[i] = (i + 1) * 0x9e3779b9U;
	for (i = 0; i < COUNT(expected); i++)
		assert_int_equal(jhash2(words, i, 0x12345678), expected[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_scattered),
		cmocka_unit_test(ends_do_not_compensate),
		cmocka_unit_test(addresses_are_scattered),
		cmocka_unit_test(all_of_a_key_counts),
		cmocka_unit_test(hashes_words_as_the_kernel),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
