/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ticks of the clock of the world that is running. */
#ifndef IPFI_ENGINE_LINUX_JIFFIES_H
#define IPFI_ENGINE_LINUX_JIFFIES_H

#include <linux/types.h>

#define HZ 1000
#define MSEC_PER_SEC 1000L
#define NSEC_PER_SEC 1000000000L
#define NSEC_PER_MSEC 1000000L
#define NSEC_PER_USEC 1000L
#define USEC_PER_SEC 1000000L

extern unsigned long jiffies;

static inline u64 get_jiffies_64(void)
{
	return jiffies;
}

static inline unsigned int jiffies_to_msecs(unsigned long ticks)
{
	return (unsigned int)(ticks * (MSEC_PER_SEC / HZ));
}

static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return ms / (MSEC_PER_SEC / HZ);
}

#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)
#define time_before_eq(a, b) time_after_eq(b, a)

#endif
