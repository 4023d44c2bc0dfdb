// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu_counter.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <asm/barrier.h>
#include "module/core/platform.h"
#include "module/memory.h"
#include "module/net.h"

/* The share of the machine's memory that all namespaces but the first may have by default. */
#define MEMORY_SHARE 8

/* Bytes that a CPU counts by itself before it tells the others, some 300 states; so far is the cap exact. */
#define BATCH 65536

static unsigned int namespaces_memory;
module_param(namespaces_memory, uint, 0644);
MODULE_PARM_DESC(namespaces_memory,
		 "MiB that all network namespaces but the first may have together (default 0: an eighth of the memory)");

static struct percpu_counter held;

int __init ipfi_memory_init(void)
{
	return percpu_counter_init(&held, 0, GFP_KERNEL);
}

void ipfi_memory_exit(void)
{
	WARN_ON_ONCE(percpu_counter_sum(&held));
	percpu_counter_destroy(&held);
}

void ipfi_memory_begin(struct ipfi_net *in)
{
	in->memory.counted = !net_eq(in->net, &init_net);
}

void ipfi_memory_end(struct ipfi_net *in)
{
	mem_cgroup_put(in->memory.payer);
}

void ipfi_memory_pay(struct ipfi_net *in)
{
	lockdep_assert_held(&in->mutex);
	if (in->memory.counted && !in->memory.payer)
		smp_store_release(&in->memory.payer, get_mem_cgroup_from_mm(current->mm));
}

static s64 cap(void)
{
	unsigned int set = READ_ONCE(namespaces_memory);

	return set ? (s64)set << 20 : (s64)(((u64)totalram_pages() << PAGE_SHIFT) / MEMORY_SHARE);
}

bool ipfi_memory_take(bool counted, size_t bytes)
{
	if (likely(!counted))
		return true;
	percpu_counter_add_batch(&held, bytes, BATCH);
	if (likely(percpu_counter_read(&held) <= cap()))
		return true;
	percpu_counter_add_batch(&held, -(s64)bytes, BATCH);
	return false;
}

void ipfi_memory_give(bool counted, size_t bytes)
{
	if (unlikely(counted))
		percpu_counter_add_batch(&held, -(s64)bytes, BATCH);
}

static void *alloc(struct kmem_cache *cache, size_t size, gfp_t flags)
{
	return cache ? kmem_cache_alloc(cache, flags) : kmalloc(size, flags);
}

void *ipfi_memory_alloc(struct ipfi_net *in, struct kmem_cache *cache, size_t size)
{
	const size_t bytes = cache ? kmem_cache_size(cache) : size;
	struct mem_cgroup *before;
	void *object;

	if (likely(!in->memory.counted))
		return alloc(cache, size, GFP_ATOMIC | __GFP_NOWARN);
	if (!ipfi_memory_take(true, bytes))
		return NULL;
	/* Without the reserves: with them a cgroup that has spent its memory would be charged beyond its limit. */
	before = set_active_memcg(smp_load_acquire(&in->memory.payer));
	object = alloc(cache, size, GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
	set_active_memcg(before);
	if (unlikely(!object))
		ipfi_memory_give(true, bytes);
	return object;
}
