/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spin locks. Nobody waits for one here: to take one that is held would hang a kernel, so it is a bug. */
#ifndef IPFI_ENGINE_LINUX_SPINLOCK_H
#define IPFI_ENGINE_LINUX_SPINLOCK_H

#include <linux/bottom_half.h>
#include <linux/bug.h>
#include <linux/lockdep.h>
#include <linux/types.h>

typedef struct {
	u32 held;
} spinlock_t;

#define DEFINE_SPINLOCK(name) spinlock_t name = {}

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = 0;
}

static inline bool spin_trylock(spinlock_t *lock)
{
	if (lock->held)
		return false;
	lock->held = 1;
	return true;
}

static inline void spin_lock(spinlock_t *lock)
{
	BUG_ON(!spin_trylock(lock));
}

static inline void spin_unlock(spinlock_t *lock)
{
	BUG_ON(!lock->held);
	lock->held = 0;
}

static inline void spin_lock_bh(spinlock_t *lock)
{
	local_bh_disable();
	spin_lock(lock);
}

static inline void spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock(lock);
	local_bh_enable();
}

#define spin_lock_irqsave(lock, flags) ((void)((flags) = 0), spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), spin_unlock(lock))

static inline bool spin_is_locked(const spinlock_t *lock)
{
	return lock->held;
}

#endif
