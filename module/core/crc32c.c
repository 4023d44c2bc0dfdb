// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A CRC is the remainder of a polynomial over GF(2); the words here have its terms in reflected
 * order, 1 the highest bit. Four bytes that stand at the front of @length bytes, with zeros behind,
 * are the difference times x to the power of 8 * length.
 */
#include "module/core/crc32c.h"

#define POLYNOMIAL 0x82f63b78 /* of Castagnoli, reflected */

/* x to the power of 8 << i, modulo the polynomial: each is the square of the one before. */
static const u32 powers[] = {
	0x00800000, 0x00008000, 0x82f63b78, 0x6ea2d55c, 0x18b8ea18, 0x510ac59a,
	0xb82be955, 0xb8fdb1e7, 0x88e56f72, 0x74c360a4, 0xe4172b16, 0x0d65762a,
	0x35d73a62, 0x28461564, 0xbf455269, 0xe2ea32dc,
};

static u32 multiply(u32 a, u32 b)
{
	u32 product = 0;

	for (; a; a <<= 1) {
		if (a & 1U << 31)
			product ^= b;
		b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1;
	}
	return product;
}

u32 ipfi_crc32c_change(u32 difference, u32 length)
{
	u32 i;

	for (i = 0; i < sizeof(powers) / sizeof(powers[0]); i++)
		if (length >> i & 1)
			difference = multiply(difference, powers[i]);
	return difference;
}
