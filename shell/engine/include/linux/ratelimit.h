/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often something may be said: burst times an interval. */
#ifndef IPFI_ENGINE_LINUX_RATELIMIT_H
#define IPFI_ENGINE_LINUX_RATELIMIT_H

#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/ratelimit_types.h>

static inline void ratelimit_state_init(struct ratelimit_state *state, int interval, int burst)
{
	*state = (struct ratelimit_state){ .interval = interval, .burst = burst };
}

static inline void ratelimit_set_flags(struct ratelimit_state *state, unsigned long flags)
{
	(void)state;
	(void)flags;
}

/* True when it may. */
static inline int __ratelimit(struct ratelimit_state *state)
{
	if (!state->interval)
		return 1;
	if (!state->begun || time_after(jiffies, state->begin + (unsigned long)state->interval)) {
		state->begun = true;
		state->begin = jiffies;
		state->printed = 0;
	}
	return state->printed < state->burst ? ++state->printed : 0;
}

#endif
