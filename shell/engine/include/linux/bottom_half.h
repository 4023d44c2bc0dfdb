/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bottom halves, off and on: counted. */
#ifndef IPFI_ENGINE_LINUX_BOTTOM_HALF_H
#define IPFI_ENGINE_LINUX_BOTTOM_HALF_H

#include <linux/bug.h>
#include <linux/types.h>

extern unsigned int bottom_halves_off;

static inline void local_bh_disable(void)
{
	bottom_halves_off++;
}

static inline void local_bh_enable(void)
{
	BUG_ON(!bottom_halves_off);
	bottom_halves_off--;
}

#define in_softirq() (bottom_halves_off > 0)

#endif
