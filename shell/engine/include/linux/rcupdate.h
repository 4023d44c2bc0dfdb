/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Read-copy-update of one thread: what waits for the end of a grace period waits until nobody reads any more, which is before the engine returns to who called it (../rcu.c). */
#ifndef IPFI_ENGINE_LINUX_RCUPDATE_H
#define IPFI_ENGINE_LINUX_RCUPDATE_H

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>

extern unsigned int rcu_readers;

static inline void rcu_read_lock(void)
{
	rcu_readers++;
}

static inline void rcu_read_unlock(void)
{
	BUG_ON(!rcu_readers);
	rcu_readers--;
}

#define rcu_read_lock_held() (rcu_readers > 0)
#define rcu_dereference(pointer)             \
	({                                   \
		BUG_ON(!rcu_readers);        \
		(pointer);                   \
	})
#define rcu_dereference_check(pointer, condition)          \
	({                                                 \
		BUG_ON(!rcu_readers && !(condition));      \
		(pointer);                                 \
	})
#define rcu_dereference_protected(pointer, condition) \
	({                                            \
		BUG_ON(!(condition));                 \
		(pointer);                            \
	})
#define rcu_access_pointer(pointer) (pointer)
#define rcu_assign_pointer(pointer, value) ((void)((pointer) = (value)))
#define RCU_INIT_POINTER(pointer, value) ((void)((pointer) = (value)))
#define rcu_replace_pointer(pointer, value, condition)    \
	({                                                \
		__typeof__(pointer) old_ = (pointer);     \
		BUG_ON(!(condition));                     \
		(pointer) = (value);                      \
		old_;                                     \
	})

/* Calls done(owner) after a grace period. */
void rcu_after(struct rcu_head *head, void (*done)(void *owner), void *owner);

/* A grace period: nobody may be reading. */
void synchronize_rcu(void);
#define synchronize_net() synchronize_rcu()
#define rcu_barrier() synchronize_rcu()

/* The kernel's two ways to ask for one. */
void rcu_free_(void *owner);
#define kfree_rcu(object, member) rcu_after(&(object)->member, rcu_free_, object)
#define call_rcu(head, function) rcu_after(head, (void (*)(void *))(function), head)

#endif
