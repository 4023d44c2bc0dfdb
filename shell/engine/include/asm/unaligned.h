/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of network byte order at any place. */
#ifndef IPFI_ENGINE_ASM_UNALIGNED_H
#define IPFI_ENGINE_ASM_UNALIGNED_H

#include <linux/types.h>

static inline u16 get_unaligned_be16(const void *from)
{
	const u8 *p = from;

	return (u16)(p[0] << 8 | p[1]);
}

static inline u32 get_unaligned_be32(const void *from)
{
	const u8 *p = from;

	return (u32)get_unaligned_be16(p) << 16 | get_unaligned_be16(p + 2);
}

static inline void put_unaligned_be16(u16 value, void *to)
{
	u8 *p = to;

	p[0] = (u8)(value >> 8);
	p[1] = (u8)value;
}

static inline void put_unaligned_be32(u32 value, void *to)
{
	put_unaligned_be16((u16)(value >> 16), to);
	put_unaligned_be16((u16)value, (u8 *)to + 2);
}

#endif
