// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grace periods and work.
 *
 * What waits for a grace period, and work without a delay, is done when the world that asked for it is left, or
 * earlier when the module itself waits for it; so the two queues below hold nothing of a world that is not
 * running. Work with a delay waits in its world until the clock is moved.
 */
#include <linux/bottom_half.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "shell/engine/world.h"

unsigned int rcu_readers;

static struct rcu_head *waiting, **waiting_end = &waiting;
static LIST_HEAD(ready);

struct workqueue_struct {
	char name[24];
};

void rcu_after(struct rcu_head *head, void (*done)(void *owner), void *owner)
{
	head->next = NULL;
	head->done = done;
	head->owner = owner;
	*waiting_end = head;
	waiting_end = &head->next;
}

void rcu_free_(void *owner)
{
	free(owner);
}

void synchronize_rcu(void)
{
	struct rcu_head *head;
	void *owner;

	BUG_ON(rcu_readers || bottom_halves_off);
	while ((head = waiting)) {
		waiting = head->next;
		if (!waiting)
			waiting_end = &waiting;
		owner = head->owner;
		head->done(owner);
	}
}

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int most)
{
	struct workqueue_struct *queue = calloc(1, sizeof(*queue));

	(void)flags;
	(void)most;
	if (queue)
		strscpy(queue->name, name, sizeof(queue->name));
	return queue;
}

void destroy_workqueue(struct workqueue_struct *queue)
{
	flush_workqueue(queue);
	free(queue);
}

void work_init(struct work_struct *work, work_func_t func)
{
	work->func = func;
	work->entry.next = NULL;
	work->entry.prev = NULL;
}

static bool is_queued(const struct work_struct *work)
{
	return work->entry.next;
}

bool queue_work(struct workqueue_struct *queue, struct work_struct *work)
{
	(void)queue;
	if (is_queued(work))
		return false;
	list_add_tail(&work->entry, &ready);
	return true;
}

static void grace_period_is_over(void *owner)
{
	struct rcu_work *work = owner;

	queue_work(NULL, &work->work);
}

bool queue_rcu_work(struct workqueue_struct *queue, struct rcu_work *work)
{
	(void)queue;
	rcu_after(&work->rcu, grace_period_is_over, work);
	return true;
}

bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *work, unsigned long delay)
{
	struct delayed_work *before;
	struct list_head *behind = &world->delayed;

	(void)queue;
	if (is_queued(&work->work))
		return false;
	work->due = get_jiffies_64() + delay;
	/* Behind all that are due at the same time or earlier. */
	while (behind->prev != &world->delayed) {
		before = list_entry(behind->prev, struct delayed_work, work.entry);
		if (before->due <= work->due)
			break;
		behind = behind->prev;
	}
	list_add_tail(&work->work.entry, behind);
	return true;
}

bool cancel_work_sync(struct work_struct *work)
{
	if (!is_queued(work))
		return false;
	list_del(&work->entry);
	return true;
}

bool cancel_delayed_work(struct delayed_work *work)
{
	return cancel_work_sync(&work->work);
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	return cancel_work_sync(&work->work);
}

bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *work, unsigned long delay)
{
	bool queued = cancel_delayed_work(work);

	queue_delayed_work(queue, work, delay);
	return queued;
}

bool delayed_work_pending(const struct delayed_work *work)
{
	return is_queued(&work->work);
}

void work_run(struct work_struct *work)
{
	/* It may queue itself again, or be freed by what it does. */
	list_del(&work->entry);
	work->func(work);
	BUG_ON(rcu_readers || bottom_halves_off);
}

bool flush_work(struct work_struct *work)
{
	if (!is_queued(work))
		return false;
	work_run(work);
	return true;
}

/* Not what waits for a grace period: that is for rcu_barrier(). */
void flush_workqueue(struct workqueue_struct *queue)
{
	(void)queue;
	while (!list_empty(&ready))
		work_run(list_first_entry(&ready, struct work_struct, entry));
}

void work_settle(void)
{
	while (waiting || !list_empty(&ready)) {
		synchronize_rcu();
		flush_workqueue(NULL);
	}
}
