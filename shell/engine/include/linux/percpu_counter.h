/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that all CPUs count; here one does. */
#ifndef IPFI_ENGINE_LINUX_PERCPU_COUNTER_H
#define IPFI_ENGINE_LINUX_PERCPU_COUNTER_H

#include <linux/types.h>

struct percpu_counter {
	s64 count;
};

static inline int percpu_counter_init(struct percpu_counter *counter, s64 count, gfp_t flags)
{
	(void)flags;
	counter->count = count;
	return 0;
}

static inline void percpu_counter_destroy(struct percpu_counter *counter)
{
	(void)counter;
}

static inline void percpu_counter_add_batch(struct percpu_counter *counter, s64 by, s32 batch)
{
	(void)batch;
	counter->count += by;
}

static inline s64 percpu_counter_sum(struct percpu_counter *counter)
{
	return counter->count;
}

static inline s64 percpu_counter_read(const struct percpu_counter *counter)
{
	return counter->count;
}

#endif
