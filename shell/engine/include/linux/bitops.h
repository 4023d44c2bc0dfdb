/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bits of words. */
#ifndef IPFI_ENGINE_LINUX_BITOPS_H
#define IPFI_ENGINE_LINUX_BITOPS_H

#include <linux/types.h>

#define BITS_PER_LONG 64
_Static_assert(sizeof(long) == 8, "words of 64 bits");
#define BIT(n) (1UL << (n))
#define BITS_TO_LONGS(bits) (((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define __ffs(word) ((unsigned int)__builtin_ctzl(word))

static inline void __set_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] |= BIT(bit % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] &= ~BIT(bit % BITS_PER_LONG);
}

static inline bool test_bit(unsigned long bit, const unsigned long *map)
{
	return map[bit / BITS_PER_LONG] >> bit % BITS_PER_LONG & 1;
}

#define set_bit(bit, map) __set_bit(bit, map)
#define clear_bit(bit, map) __clear_bit(bit, map)

#endif
