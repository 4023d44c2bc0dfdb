// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the hash of a connection's key costs, beside the two that it might be: every IPv6 packet pays it.
 * cc -O2 -I . -I include/uapi -o build/hash tests/bench/hash.c && build/hash
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "module/core/tuple.h"

#define KEYS 1024
#define TURNS 20
#define ROUNDS 200

static struct ipfi_key keys[KEYS];

static inline u64 turn(u64 word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

/* SipHash-c-d of a key (Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012), its secret from @seed. */
static __always_inline u32 siphash(const struct ipfi_key *key, u32 seed, unsigned int c, unsigned int d)
{
	const u64 k0 = seed * 0x9e3779b97f4a7c15ULL, k1 = ~k0;
	u64 words[7] = { [5] = (u64)sizeof(*key) << 56 };
	u64 v0 = k0 ^ 0x736f6d6570736575ULL, v1 = k1 ^ 0x646f72616e646f6dULL;
	u64 v2 = k0 ^ 0x6c7967656e657261ULL, v3 = k1 ^ 0x7465646279746573ULL;
	unsigned int i, round;

	memcpy(words, key, sizeof(*key));
	for (i = 0; i < 7; i++) {
		v3 ^= words[i];
		if (i == 6)
			v2 ^= 0xff;
		for (round = 0; round < (i < 6 ? c : d); round++) {
			v0 += v1;
			v1 = turn(v1, 13) ^ v0;
			v0 = turn(v0, 32);
			v2 += v3;
			v3 = turn(v3, 16) ^ v2;
			v0 += v3;
			v3 = turn(v3, 21) ^ v0;
			v2 += v1;
			v1 = turn(v1, 17) ^ v2;
			v2 = turn(v2, 32);
		}
		v0 ^= words[i];
	}
	return (u32)(v0 ^ v1 ^ v2 ^ v3);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Least nanoseconds for one: independent of each other, and each of a key that the last result chooses. */
#define MEASURE(name, hash)                                                                     \
	do {                                                                                    \
		double free = 1e9, bound = 1e9, took;                                           \
		volatile u32 sink;                                                              \
		unsigned int r, i;                                                              \
		u32 sum;                                                                        \
                                                                                                \
		for (r = 0; r < ROUNDS; r++) {                                                  \
			for (took = now(), sum = 0, i = 0; i < TURNS * KEYS; i++) {             \
				const struct ipfi_key *key = &keys[i % KEYS];                   \
				const u32 seed = 77;                                            \
				sum += hash;                                                    \
			}                                                                       \
			took = (now() - took) / KEYS / TURNS;                                   \
			free = took < free ? took : free;                                       \
			sink = sum;                                                             \
			for (took = now(), sum = 0, i = 0; i < TURNS * KEYS; i++) {             \
				const struct ipfi_key *key = &keys[(i + (sum & 1)) % KEYS];     \
				const u32 seed = 77 ^ sum;                                      \
				sum = hash;                                                     \
			}                                                                       \
			took = (now() - took) / KEYS / TURNS;                                   \
			bound = took < bound ? took : bound;                                    \
			sink = sum;                                                             \
		}                                                                               \
		(void)sink;                                                                     \
		printf("%-34s %5.1f ns, %5.1f ns when each waits for the last\n", name, free, bound); \
	} while (0)

int main(void)
{
	unsigned int i, j;

	for (i = 0; i < KEYS; i++)
		for (j = 0; j < 10; j++)
			keys[i].words[j] = (u32)rand() * 3U + (u32)rand();
	for (i = 0; i < KEYS; i++)
		keys[i].head.family = 6;
	MEASURE("IPv6: jhash2, nine words (in use)", ipfi_key_hash(key, seed));
	MEASURE("IPv6: SipHash-1-3", siphash(key, seed, 1, 3));
	MEASURE("IPv6: SipHash-2-4", siphash(key, seed, 2, 4));
	for (i = 0; i < KEYS; i++)
		keys[i].head.family = 4;
	MEASURE("IPv4: jhash_3words (in use)", ipfi_key_hash(key, seed));
	return 0;
}
