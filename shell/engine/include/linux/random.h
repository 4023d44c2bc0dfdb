/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers: the generator of the world that is running, which its seed determines. */
#ifndef IPFI_ENGINE_LINUX_RANDOM_H
#define IPFI_ENGINE_LINUX_RANDOM_H

#include <linux/types.h>

u32 get_random_u32(void);
u64 get_random_u64(void);
void get_random_bytes(void *to, size_t size);

static inline u32 get_random_u32_below(u32 ceiling)
{
	return (u32)((u64)get_random_u32() * ceiling >> 32);
}

#endif
