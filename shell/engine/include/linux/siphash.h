/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SipHash-2-4 of three words (Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012). */
#ifndef IPFI_ENGINE_LINUX_SIPHASH_H
#define IPFI_ENGINE_LINUX_SIPHASH_H

#include <linux/types.h>

typedef struct {
	u64 key[2];
} siphash_key_t;

u64 siphash_3u64(u64 a, u64 b, u64 c, const siphash_key_t *key);

#endif
