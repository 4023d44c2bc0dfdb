// SPDX-License-Identifier: GPL-2.0-or-later
/* Tuples, keys and their hash: both directions of a connection are one, no two connections are. */
#include "module/core/tuple.h"
#include "support.h"

static u32 random_state = 1;

/* A number that is the same in every run (xorshift32, Marsaglia 2003). */
static u32 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* A tuple whose end points differ little or much, so that every word decides the order at times. */
static struct ipfi_tuple random_tuple(void)
{
	struct ipfi_tuple tuple = { .family = next_random() & 1 ? 4 : 6,
				    .proto = (u8)(next_random() % 200) };
	int words = tuple.family == 4 ? 1 : 4, i;

	for (i = 0; i < words; i++) {
		tuple.src.w[i] = next_random();
		tuple.dst.w[i] = next_random() & 1 ? tuple.src.w[i] : next_random();
	}
	tuple.sport = (u16)next_random();
	tuple.dport = next_random() & 1 ? tuple.sport : (u16)next_random();
	return tuple;
}

static struct ipfi_tuple turned(const struct ipfi_tuple *tuple)
{
	struct ipfi_tuple other = *tuple;

	other.src = tuple->dst;
	other.dst = tuple->src;
	other.sport = tuple->dport;
	other.dport = tuple->sport;
	return other;
}

static bool same_tuple(const struct ipfi_tuple *a, const struct ipfi_tuple *b)
{
	return ipfi_addr_equal(&a->src, &b->src) && ipfi_addr_equal(&a->dst, &b->dst) &&
	       a->sport == b->sport && a->dport == b->dport && a->proto == b->proto &&
	       a->family == b->family;
}

static void compares_addresses(void **state)
{
	const struct ipfi_addr a = ip6(1, 2, 3, 4);
	struct ipfi_addr b;
	int i;

	(void)state;
	assert_int_equal(ipfi_addr_compare(&a, &a), 0);
	assert_true(ipfi_addr_equal(&a, &a));
	for (i = 0; i < 4; i++) {
		b = a;
		b.w[i] ^= 1;
		assert_false(ipfi_addr_equal(&a, &b));
		/* A higher word decides whatever the lower ones say, and words have no sign. */
		memset(b.w + i, 0, sizeof(b) - i * sizeof(b.w[0]));
		b.w[i] = a.w[i] | 0x80000000;
		assert_true(ipfi_addr_compare(&a, &b) < 0);
		assert_true(ipfi_addr_compare(&b, &a) > 0);
	}
}

static void key_has_no_direction(void **state)
{
	struct ipfi_tuple tuple, other, again;
	struct ipfi_key key, turned_key;
	bool higher, turned_higher;
	u32 seed;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		tuple = random_tuple();
		other = turned(&tuple);
		seed = next_random();
		memset(&key, 0xff, sizeof(key));
		memset(&turned_key, 0, sizeof(turned_key));
		higher = ipfi_key_from_tuple(&key, &tuple);
		turned_higher = ipfi_key_from_tuple(&turned_key, &other);

		assert_memory_equal(&key, &turned_key, tuple.family == 4 ? sizeof(key.head) : sizeof(key));
		assert_true(ipfi_key_equal(&key, &turned_key));
		assert_int_equal(ipfi_key_hash(&key, seed), ipfi_key_hash(&turned_key, seed));
		ipfi_key_to_tuple(&key.head, &key.rest, false, &again);
		assert_true(ipfi_addr_compare(&again.src, &again.dst) <= 0);

		ipfi_key_to_tuple(&key.head, &key.rest, higher, &again);
		assert_true(same_tuple(&tuple, &again));
		/* The two directions are told apart unless they are the same. */
		if (same_tuple(&tuple, &other)) {
			assert_false(higher);
			assert_false(turned_higher);
		} else {
			assert_true(higher != turned_higher);
		}
	}
}

/* Any bit of a tuple makes another key, and nearly always another hash. */
static void every_bit_counts(void **state)
{
	struct ipfi_tuple tuple, other;
	struct ipfi_key key, other_key;
	unsigned int same = 0, all = 0;
	int i, bit, bits;

	(void)state;
	for (i = 0; i < 200; i++) {
		tuple = random_tuple();
		tuple.src.w[0] ^= ~tuple.dst.w[0] & 1; /* no end point speaks to itself */
		ipfi_key_from_tuple(&key, &tuple);
		bits = (tuple.family == 4 ? 1 : 4) * 32;
		for (bit = 0; bit < 2 * bits + 40; bit++) {
			other = tuple;
			if (bit < bits)
				other.src.w[bit / 32] ^= 1U << bit % 32;
			else if (bit < 2 * bits)
				other.dst.w[(bit - bits) / 32] ^= 1U << bit % 32;
			else if (bit < 2 * bits + 16)
				other.sport ^= (u16)(1U << (bit - 2 * bits));
			else if (bit < 2 * bits + 32)
				other.dport ^= (u16)(1U << (bit - 2 * bits - 16));
			else
				other.proto ^= (u8)(1U << (bit - 2 * bits - 32));
			ipfi_key_from_tuple(&other_key, &other);
			if (same_tuple(&tuple, &other))
				continue;
			/* Turned ports between equal addresses are the same connection. */
			other = turned(&other);
			if (same_tuple(&tuple, &other))
				continue;
			assert_false(ipfi_key_equal(&key, &other_key));
			same += ipfi_key_hash(&key, 7) == ipfi_key_hash(&other_key, 7);
			all++;
		}
	}
	assert_true(all > 20000);
	assert_true(same <= 1);
}

/* The families have keys of their own, even where all words agree. */
static void families_differ(void **state)
{
	struct ipfi_tuple four = { .family = 4, .proto = 17, .sport = 1, .dport = 2 }, six = four;
	struct ipfi_key a, b;

	(void)state;
	four.src = ip4(10, 0, 0, 1);
	four.dst = ip4(10, 0, 0, 2);
	six = four;
	six.family = 6;
	ipfi_key_from_tuple(&a, &four);
	ipfi_key_from_tuple(&b, &six);
	assert_false(ipfi_key_equal(&a, &b));
}

/*
 * Values of lookup3's final mix for three words, computed from its definition by another program,
 * and by the kernel's include/linux/jhash.h, which gives the same.
 */
static void hashes_as_lookup3(void **state)
{
	(void)state;
	assert_int_equal(jhash_3words(0, 0, 0, 0), 0x1b68e557);
	assert_int_equal(jhash_3words(1, 2, 3, 4), 0x8103143f);
	assert_int_equal(jhash_3words(~0U, ~0U, ~0U, ~0U), 0xc343af0b);
	assert_int_equal(jhash_3words(0xc0a80001, 0x0a000001, 0x9c4001bb, 0x12345678), 0x9acebf03);
}

/* The key's words reach the hash in the order ports, lo, hi, with the protocol in the seed. */
static void hashes_key_words(void **state)
{
	struct ipfi_tuple tuple = { .family = 4, .proto = 6, .sport = 40000, .dport = 443 };
	struct ipfi_key key;

	(void)state;
	tuple.src = ip4(192, 168, 0, 1);
	tuple.dst = ip4(10, 0, 0, 1);
	ipfi_key_from_tuple(&key, &tuple);
	assert_int_equal(ipfi_key_hash(&key, 0x12345678),
			 jhash_3words(ipfi_pair16(443, 40000), 0x0a000001, 0xc0a80001, 0x12345678 + 6));
}

/*
 * Who owns a prefix and so 64 bits of its addresses finds, for one seed, addresses that hash alike;
 * under another seed they are scattered again, so that a secret seed makes the search idle.
 */
static void addresses_hash_is_keyed(void **state)
{
	const unsigned int wanted = 4096;
	unsigned int found = 0, alike = 0;
	struct ipfi_addr addr;
	u32 i;

	(void)state;
	for (i = 0; found < wanted; i++) {
		addr = ip6(0x20010db8, 0, 0, i);
		if (ipfi_addr_hash(&addr, 1) & 0xff)
			continue;
		found++;
		alike += !(ipfi_addr_hash(&addr, 2) & 0xff);
	}
	assert_true(alike < wanted / 100);
}

/* Keys of hosts and ports that count up, as real ones do, fill buckets evenly. */
static void fills_buckets_evenly(void **state)
{
	static unsigned int buckets[1024];
	const unsigned int mean = 64;
	struct ipfi_tuple tuple = { .proto = 6, .dport = 443 };
	unsigned int most, i;
	struct ipfi_key key;
	int family;

	(void)state;
	for (family = 4; family <= 6; family += 2) {
		memset(buckets, 0, sizeof(buckets));
		tuple.family = (u8)family;
		tuple.dst = host(tuple.family, 9);
		for (i = 0; i < COUNT(buckets) * mean; i++) {
			tuple.src = host(tuple.family, (u8)(i >> 8));
			tuple.sport = (u16)(32768 + (i & 255));
			ipfi_key_from_tuple(&key, &tuple);
			buckets[ipfi_key_hash(&key, 0x5eed) % COUNT(buckets)]++;
		}
		for (most = 0, i = 0; i < COUNT(buckets); i++)
			most = buckets[i] > most ? buckets[i] : most;
		/* Six standard deviations of a Poisson distribution. */
		assert_true(most < mean + 6 * 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_addresses),
		cmocka_unit_test(key_has_no_direction),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(families_differ),
		cmocka_unit_test(hashes_as_lookup3),
		cmocka_unit_test(hashes_key_words),
		cmocka_unit_test(addresses_hash_is_keyed),
		cmocka_unit_test(fills_buckets_evenly),
	};

	return cmocka_run_group_tests_name("tuple", tests, NULL, NULL);
}
