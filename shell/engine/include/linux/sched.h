/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving way to others, of whom there are none. */
#ifndef IPFI_ENGINE_LINUX_SCHED_H
#define IPFI_ENGINE_LINUX_SCHED_H

#include <linux/types.h>

#define cond_resched() ((void)0)

#endif
