/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often something may be said. */
#ifndef IPFI_ENGINE_LINUX_RATELIMIT_TYPES_H
#define IPFI_ENGINE_LINUX_RATELIMIT_TYPES_H

#include <linux/types.h>

#define RATELIMIT_MSG_ON_RELEASE (1UL << 0)

struct ratelimit_state {
	int interval; /* jiffies; 0: no limit */
	int burst;
	int printed;
	bool begun;
	unsigned long begin;
};

#endif
