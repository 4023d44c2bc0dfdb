// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bottom_half.h>

#include "shell/engine/world.h"

void world_enter(struct engine_world *one)
{
	BUG_ON(world);
	world = one;
	clock_set(one->clock);
}

void world_leave(void)
{
	work_settle();
	BUG_ON(bottom_halves_off);
	world = NULL;
}
