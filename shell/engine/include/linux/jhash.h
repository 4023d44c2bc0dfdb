/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes of words: the core's jhash_3words() over three at a time. */
#ifndef IPFI_ENGINE_LINUX_JHASH_H
#define IPFI_ENGINE_LINUX_JHASH_H

#include "core/platform.h"

static inline u32 jhash2(const u32 *words, u32 count, u32 seed)
{
	u32 hash = seed + count;

	for (; count >= 3; count -= 3, words += 3)
		hash = jhash_3words(words[0], words[1], words[2], hash);
	return count ? jhash_3words(words[0], count > 1 ? words[1] : 0, 0, hash) : hash;
}

#endif
