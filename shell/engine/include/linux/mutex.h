/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mutexes; as with spin locks, nobody waits. */
#ifndef IPFI_ENGINE_LINUX_MUTEX_H
#define IPFI_ENGINE_LINUX_MUTEX_H

#include <linux/bug.h>
#include <linux/lockdep.h>
#include <linux/types.h>

struct mutex {
	u32 held;
};

#define DEFINE_MUTEX(name) struct mutex name = {}

static inline void mutex_init(struct mutex *mutex)
{
	mutex->held = 0;
}

static inline bool mutex_trylock(struct mutex *mutex)
{
	if (mutex->held)
		return false;
	mutex->held = 1;
	return true;
}

static inline void mutex_lock(struct mutex *mutex)
{
	BUG_ON(!mutex_trylock(mutex));
}

static inline void mutex_unlock(struct mutex *mutex)
{
	BUG_ON(!mutex->held);
	mutex->held = 0;
}

#endif
