/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work for later. What has no delay is done before the engine returns to who called it, the rest as its world's clock is moved (../work.c). */
#ifndef IPFI_ENGINE_LINUX_WORKQUEUE_H
#define IPFI_ENGINE_LINUX_WORKQUEUE_H

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct workqueue_struct;
struct work_struct;
struct engine_world;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t func;
	struct list_head entry; /* NULLs: not queued */
};

struct delayed_work {
	struct work_struct work;
	u64 due; /* jiffies64, while it is queued */
};

struct rcu_work {
	struct work_struct work;
	struct rcu_head rcu;
};

#define WQ_UNBOUND (1 << 1)
#define WQ_MEM_RECLAIM (1 << 3)

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int most);
void destroy_workqueue(struct workqueue_struct *queue);
void flush_workqueue(struct workqueue_struct *queue);

void work_init(struct work_struct *work, work_func_t func);
#define INIT_WORK(one, function) work_init(one, function)
#define INIT_DELAYED_WORK(one, function) work_init(&(one)->work, function)
#define INIT_RCU_WORK(one, function) work_init(&(one)->work, function)
#define to_delayed_work(one) container_of(one, struct delayed_work, work)
#define to_rcu_work(one) container_of(one, struct rcu_work, work)

/* False when it is queued already. Delays in jiffies. */
bool queue_work(struct workqueue_struct *queue, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *work, unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *work, unsigned long delay);
bool queue_rcu_work(struct workqueue_struct *queue, struct rcu_work *work);

/* True when it was queued. */
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work(struct delayed_work *work);
bool cancel_delayed_work_sync(struct delayed_work *work);
bool flush_work(struct work_struct *work);
bool delayed_work_pending(const struct delayed_work *work);

#endif
