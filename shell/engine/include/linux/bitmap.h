/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps of bits. */
#ifndef IPFI_ENGINE_LINUX_BITMAP_H
#define IPFI_ENGINE_LINUX_BITMAP_H

#include <linux/bitops.h>
#include <linux/slab.h>

#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
#define bitmap_zalloc(bits, flags) ((unsigned long *)calloc(BITS_TO_LONGS(bits) + 1, sizeof(long)))
#define bitmap_free(map) free(map)

/* The last bit set below @bits, or @bits. */
static inline unsigned long find_last_bit(const unsigned long *map, unsigned long bits)
{
	unsigned long at = bits;

	while (at--) {
		unsigned long word = map[at / BITS_PER_LONG] << (BITS_PER_LONG - 1 - at % BITS_PER_LONG);

		if (word)
			return at - (unsigned long)__builtin_clzl(word);
		at -= at % BITS_PER_LONG;
	}
	return bits;
}

/* The first bit from @at on that is @set, or @bits. */
static inline unsigned long find_bit_(const unsigned long *map, unsigned long bits, unsigned long at, bool set)
{
	while (at < bits && test_bit(at, map) != set)
		at++;
	return at;
}

#define for_each_bit_(bit, map, bits, set)                                   \
	for ((bit) = find_bit_(map, bits, 0, set); (bit) < (bits);           \
	     (bit) = find_bit_(map, bits, (bit) + 1, set))
#define for_each_set_bit(bit, map, bits) for_each_bit_(bit, map, bits, true)
#define for_each_clear_bit(bit, map, bits) for_each_bit_(bit, map, bits, false)

#endif
