// SPDX-License-Identifier: GPL-2.0-or-later
/* The world that runs, and its clock. */
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "shell/engine/world.h"

/* Where the kernel's own ticks begin, so that their low word wraps after five minutes. */
#define JIFFIES_BEGIN ((unsigned long)(u32)(-300 * HZ))

/* What a machine has been up for when its firewall comes: 0 would be a time like no other. */
#define UPTIME (60 * (u64)NSEC_PER_SEC)

struct engine_world *world;
unsigned long jiffies;
unsigned int bottom_halves_off;

struct net *first_namespace(void)
{
	return world->outside ? &world->outside->net : &world->net;
}

bool ipv6_mod_enabled(void)
{
	return !world->without_ipv6;
}

void clock_set(u64 clock)
{
	world->clock = clock;
	jiffies = JIFFIES_BEGIN + (unsigned long)(clock / (NSEC_PER_SEC / HZ));
}

u64 ktime_get_ns(void)
{
	return UPTIME + world->clock;
}

u64 ktime_get_real_ns(void)
{
	return world->epoch + world->clock;
}
