/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Powers of two. */
#ifndef IPFI_ENGINE_LINUX_LOG2_H
#define IPFI_ENGINE_LINUX_LOG2_H

#include <linux/types.h>

#define ilog2(n) (63 - __builtin_clzll((unsigned long long)(n)))

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n <= 1 ? 1 : 1UL << (ilog2(n - 1) + 1);
}

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

#define order_base_2(n) ((n) > 1 ? ilog2((n) - 1) + 1 : 0)

#endif
