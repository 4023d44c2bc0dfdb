/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock of the world that is running: ns since it was started, and since the epoch. */
#ifndef IPFI_ENGINE_LINUX_KTIME_H
#define IPFI_ENGINE_LINUX_KTIME_H

#include <linux/jiffies.h>
#include <linux/types.h>

typedef s64 ktime_t;

u64 ktime_get_ns(void);
u64 ktime_get_real_ns(void);

static inline ktime_t ktime_get(void)
{
	return (ktime_t)ktime_get_ns();
}

static inline ktime_t ktime_get_real(void)
{
	return (ktime_t)ktime_get_real_ns();
}

static inline u64 ktime_get_boottime_ns(void)
{
	return ktime_get_ns();
}

static inline s64 ktime_get_seconds(void)
{
	return (s64)(ktime_get_ns() / NSEC_PER_SEC);
}

static inline s64 ktime_get_real_seconds(void)
{
	return (s64)(ktime_get_real_ns() / NSEC_PER_SEC);
}

#endif
