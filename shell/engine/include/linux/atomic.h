/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that many change; here one. */
#ifndef IPFI_ENGINE_LINUX_ATOMIC_H
#define IPFI_ENGINE_LINUX_ATOMIC_H

#include <linux/types.h>

#define ATOMIC_INIT(value) { (value) }
#define ATOMIC64_INIT(value) { (value) }

#define ATOMIC_OF_(type, number, prefix)                                             \
	static inline number prefix##_read(const type *v)                            \
	{                                                                            \
		return v->counter;                                                   \
	}                                                                            \
	static inline void prefix##_set(type *v, number value)                       \
	{                                                                            \
		v->counter = value;                                                  \
	}                                                                            \
	static inline void prefix##_add(number value, type *v)                       \
	{                                                                            \
		v->counter += value;                                                 \
	}                                                                            \
	static inline void prefix##_sub(number value, type *v)                       \
	{                                                                            \
		v->counter -= value;                                                 \
	}                                                                            \
	static inline void prefix##_inc(type *v)                                     \
	{                                                                            \
		v->counter++;                                                        \
	}                                                                            \
	static inline void prefix##_dec(type *v)                                     \
	{                                                                            \
		v->counter--;                                                        \
	}                                                                            \
	static inline number prefix##_inc_return(type *v)                            \
	{                                                                            \
		return ++v->counter;                                                 \
	}                                                                            \
	static inline number prefix##_add_return(number value, type *v)              \
	{                                                                            \
		return v->counter += value;                                          \
	}                                                                            \
	static inline number prefix##_fetch_inc(type *v)                             \
	{                                                                            \
		return v->counter++;                                                 \
	}                                                                            \
	static inline number prefix##_xchg(type *v, number value)                    \
	{                                                                            \
		number old = v->counter;                                             \
		v->counter = value;                                                  \
		return old;                                                          \
	}                                                                            \
	static inline number prefix##_cmpxchg(type *v, number old, number value)     \
	{                                                                            \
		number now = v->counter;                                             \
		if (now == old)                                                      \
			v->counter = value;                                          \
		return now;                                                          \
	}                                                                            \
	static inline bool prefix##_dec_and_test(type *v)                            \
	{                                                                            \
		return !--v->counter;                                                \
	}                                                                            \
	static inline bool prefix##_try_cmpxchg(type *v, number *old, number value)  \
	{                                                                            \
		bool same = v->counter == *old;                                      \
		if (same)                                                            \
			v->counter = value;                                          \
		else                                                                 \
			*old = v->counter;                                           \
		return same;                                                         \
	}
ATOMIC_OF_(atomic_t, int, atomic)
ATOMIC_OF_(atomic64_t, s64, atomic64)

#endif
