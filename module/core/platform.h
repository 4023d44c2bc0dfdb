/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place where the core sees which side it is built for. Everything else in core/ is the same source
 * in the kernel and in user space, and calls nothing but memcpy, memmove, memset and memcmp.
 */
#ifndef IPFI_CORE_PLATFORM_H
#define IPFI_CORE_PLATFORM_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/string.h>
#include <linux/compiler.h>
#include <linux/build_bug.h>
#include <linux/jhash.h>
#include <linux/ipfi.h>

#else

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/ipfi.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif
#ifndef static_assert
#define static_assert _Static_assert
#endif

/*
 * The same functions as the kernel's: Bob Jenkins' lookup3 (burtleburtle.net/bob/c/lookup3.c, public domain) over
 * words, with the kernel's initial value (0xdeadbeef and four times the number of words, added to the seed).
 */
static inline u32 ipfi_rotate_left(u32 word, unsigned int bits)
{
	return word << bits | word >> (32 - bits);
}

/* The last three words. */
static inline u32 ipfi_jhash_final(u32 a, u32 b, u32 c)
{
	c = (c ^ b) - ipfi_rotate_left(b, 14);
	a = (a ^ c) - ipfi_rotate_left(c, 11);
	b = (b ^ a) - ipfi_rotate_left(a, 25);
	c = (c ^ b) - ipfi_rotate_left(b, 16);
	a = (a ^ c) - ipfi_rotate_left(c, 4);
	b = (b ^ a) - ipfi_rotate_left(a, 14);
	return (c ^ b) - ipfi_rotate_left(b, 24);
}

static inline u32 jhash_3words(u32 a, u32 b, u32 c, u32 seed)
{
	seed += 0xdeadbeefU + (3U << 2);
	return ipfi_jhash_final(a + seed, b + seed, c + seed);
}

static inline u32 jhash2(const u32 *words, u32 count, u32 seed)
{
	u32 a = seed + 0xdeadbeefU + (count << 2), b = a, c = a;

	for (; count > 3; count -= 3, words += 3) {
		a += words[0];
		b += words[1];
		c += words[2];
		a = (a - c) ^ ipfi_rotate_left(c, 4);
		c += b;
		b = (b - a) ^ ipfi_rotate_left(a, 6);
		a += c;
		c = (c - b) ^ ipfi_rotate_left(b, 8);
		b += a;
		a = (a - c) ^ ipfi_rotate_left(c, 16);
		c += b;
		b = (b - a) ^ ipfi_rotate_left(a, 19);
		a += c;
		c = (c - b) ^ ipfi_rotate_left(b, 4);
		b += a;
	}
	if (!count)
		return c;
	if (count > 2)
		c += words[2];
	if (count > 1)
		b += words[1];
	return ipfi_jhash_final(a + words[0], b, c);
}

#endif

/*
 * Two words that stand one after the other in memory, as one: what is read whole soon after should be written
 * whole, or the processor has to wait for the parts to reach its cache.
 */
static inline u64 ipfi_pair32(u32 first, u32 second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (u64)second << 32 | first;
#else
	return (u64)first << 32 | second;
#endif
}

static inline u32 ipfi_pair16(u16 first, u16 second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (u32)second << 16 | first;
#else
	return (u32)first << 16 | second;
#endif
}

static inline u16 ipfi_pair8(u8 first, u8 second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (u16)(second << 8 | first);
#else
	return (u16)(first << 8 | second);
#endif
}

/* Numbers in network byte order at any alignment. */
static inline u16 ipfi_get16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static inline u32 ipfi_get32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

#endif /* IPFI_CORE_PLATFORM_H */
