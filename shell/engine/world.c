// SPDX-License-Identifier: GPL-2.0-or-later
/* Worlds: made and ended; the module begins with the first and ends with the last. */
#include <linux/bottom_half.h>
#include <linux/ipv6.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "shell/engine/world.h"

/* Where the kernel's own ticks begin, so that their low word wraps after five minutes. */
#define JIFFIES_BEGIN ((unsigned long)(u32)(-300 * HZ))

/* What a machine has been up for when its firewall comes: 0 would be a time like no other. */
#define UPTIME (60 * (u64)NSEC_PER_SEC)

struct engine_world *world;
unsigned long jiffies;
unsigned int bottom_halves_off;

static struct pernet_operations *namespaces;
static unsigned int worlds;

struct net *first_namespace(void)
{
	return world->outside ? &world->outside->net : &world->net;
}

bool ipv6_mod_enabled(void)
{
	return !world->without_ipv6;
}

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
