// SPDX-License-Identifier: GPL-2.0-or-later
/* Worlds: made, moved on in time and ended. The module begins with the first and ends with the last. */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "shell/engine/world.h"

static struct pernet_operations *namespaces;
static unsigned int worlds;

int register_pernet_subsys(struct pernet_operations *operations)
{
	namespaces = operations;
	*operations->id = 1;
	return 0;
}

void unregister_pernet_subsys(struct pernet_operations *operations)
{
	BUG_ON(namespaces != operations);
	namespaces = NULL;
}

/* What the module has of a namespace may want to begin at a cache line. */
static int make_namespace(struct engine_world *one)
{
	const size_t size = ALIGN(namespaces->size, 64);

	one->net.generic = aligned_alloc(64, size);
	if (!one->net.generic)
		return -ENOMEM;
	memset(one->net.generic, 0, size);
	return namespaces->init(&one->net);
}

static int begin(struct engine_world *one)
{
	int err = worlds ? 0 : module_begin();

	if (err)
		return err;
	worlds++;
	err = device_begin(one);
	if (!err)
		err = make_namespace(one);
	if (!err)
		return 0;
	device_end(one);
	free(one->net.generic);
	if (!--worlds)
		module_end();
	return err;
}

int engine_world_new(const struct engine_settings *settings, struct engine_world **made)
{
	struct engine_world *one = calloc(1, sizeof(*one));
	int err;

	if (!one)
		return -ENOMEM;
	one->random = settings->seed;
	one->epoch = settings->time;
	one->without_ipv6 = settings->without_ipv6;
	one->outside = settings->inside;
	INIT_LIST_HEAD(&one->devices);
	INIT_LIST_HEAD(&one->sockets);
	INIT_LIST_HEAD(&one->delayed);
	INIT_LIST_HEAD(&one->said);
	world_enter(one);
	err = begin(one);
	world_leave();
	if (err) {
		free(one);
		return err;
	}
	if (one->outside)
		one->outside->inside++;
	*made = one;
	return 0;
}

static void forget_lines(struct engine_world *one)
{
	struct line *line, *next;

	list_for_each_entry_safe(line, next, &one->said, entry)
		free(line);
	free(one->told);
}

void engine_world_free(struct engine_world *one)
{
	if (!one)
		return;
	BUG_ON(one->inside);
	world_enter(one);
	socket_orphan(one);
	path_forget(one);
	namespaces->pre_exit(&one->net);
	synchronize_rcu();
	namespaces->exit(&one->net);
	work_settle();
	BUG_ON(!list_empty(&one->delayed));
	if (!--worlds)
		module_end();
	world_leave();
	device_end(one);
	if (one->outside)
		one->outside->inside--;
	forget_lines(one);
	free(one->net.generic);
	free(one);
}

uint64_t engine_now(const struct engine_world *one)
{
	return one->clock;
}

/* What is due at one tick is done at its beginning. */
static u64 clock_at(u64 due)
{
	const u64 ticks = due - get_jiffies_64();

	return (world->clock / (NSEC_PER_SEC / HZ) + ticks) * (NSEC_PER_SEC / HZ);
}

void engine_advance(struct engine_world *one, uint64_t ns)
{
	const u64 end = ns > U64_MAX - one->clock ? U64_MAX : one->clock + ns;
	struct delayed_work *first;

	world_enter(one);
	while ((first = list_first_entry_or_null(&one->delayed, struct delayed_work, work.entry))) {
		if (first->due > get_jiffies_64()) {
			if (clock_at(first->due) > end)
				break;
			clock_set(clock_at(first->due));
		}
		work_run(&first->work);
		work_settle();
	}
	clock_set(end);
	world_leave();
}
