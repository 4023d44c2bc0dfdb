/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes of numbers: Fibonacci hashing (Knuth, TAOCP volume 3, section 6.4), by 2^64 over the golden ratio. */
#ifndef IPFI_ENGINE_LINUX_HASH_H
#define IPFI_ENGINE_LINUX_HASH_H

#include <linux/types.h>

static inline u32 hash_64(u64 value, unsigned int bits)
{
	return (u32)(value * 0x9e3779b97f4a7c15ULL >> (64 - bits));
}

static inline u32 hash_ptr(const void *pointer, unsigned int bits)
{
	return hash_64((u64)(unsigned long)pointer, bits);
}

#endif
