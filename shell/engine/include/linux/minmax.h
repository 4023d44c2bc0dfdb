/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least, the most, and what lies between. */
#ifndef IPFI_ENGINE_LINUX_MINMAX_H
#define IPFI_ENGINE_LINUX_MINMAX_H

#define min_t(type, a, b)                                  \
	({                                                 \
		type min_a_ = (a), min_b_ = (b);           \
		min_a_ < min_b_ ? min_a_ : min_b_;         \
	})
#define max_t(type, a, b)                                  \
	({                                                 \
		type max_a_ = (a), max_b_ = (b);           \
		max_a_ > max_b_ ? max_a_ : max_b_;         \
	})
#define min(a, b) min_t(__typeof__((a) + (b)), a, b)
#define max(a, b) max_t(__typeof__((a) + (b)), a, b)
#define max3(a, b, c) max(max(a, b), c)
#define clamp_t(type, value, least, most) min_t(type, max_t(type, value, least), most)
#define clamp(value, least, most) clamp_t(__typeof__(value), value, least, most)
#define swap(a, b)                             \
	do {                                   \
		__typeof__(a) swap_ = (a);     \
		(a) = (b);                     \
		(b) = swap_;                   \
	} while (0)

#endif
