/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Divisions of 64 bits. */
#ifndef IPFI_ENGINE_LINUX_MATH64_H
#define IPFI_ENGINE_LINUX_MATH64_H

#include <linux/math.h>
#include <linux/types.h>

static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

#define DIV64_U64_ROUND_UP(n, d)                \
	({                                      \
		u64 divisor_ = (d);             \
		((n) + divisor_ - 1) / divisor_; \
	})

#endif
