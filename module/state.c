// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/jiffies.h>
#include <linux/once.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include "helper.h"
#include "state.h"

static struct kmem_cache *plain_cache __ro_after_init, *wide_cache __ro_after_init;

int __init ipfi_state_caches_init(void)
{
	plain_cache = KMEM_CACHE(ipfi_state, 0);
	wide_cache = KMEM_CACHE(ipfi_wide_state, 0);
	if (plain_cache && wide_cache)
		return 0;
	ipfi_state_caches_exit();
	return -ENOMEM;
}

void ipfi_state_caches_exit(void)
{
	kmem_cache_destroy(plain_cache);
	kmem_cache_destroy(wide_cache);
}

unsigned int ipfi_state_size(void)
{
	return kmem_cache_size(plain_cache);
}

struct ipfi_state *ipfi_state_alloc(bool wide)
{
	struct ipfi_wide_state *one;

	if (likely(!wide))
		return kmem_cache_alloc(plain_cache, GFP_ATOMIC | __GFP_NOWARN);
	one = kmem_cache_zalloc(wide_cache, GFP_ATOMIC | __GFP_NOWARN);
	return one ? &one->state : NULL;
}

void ipfi_state_free(struct ipfi_state *state)
{
	struct ipfi_wide_state *wide = ipfi_state_wide(state);

	if (!wide) {
		kmem_cache_free(plain_cache, state);
		return;
	}
	ipfi_control_free(wide->control);
	ipfi_master_put(wide->master);
	kmem_cache_free(wide_cache, wide);
}

u64 ipfi_state_id(const struct ipfi_state *state)
{
	static siphash_key_t secret __read_mostly;

	net_get_random_once(&secret, sizeof(secret));
	return siphash_3u64((unsigned long)state, (u64)state->flow.created << 32, state->flow.key.ends, &secret) >> 11;
}

void ipfi_snapshot_take(struct ipfi_snapshot *snapshot, struct ipfi_state *state)
{
	const struct ipfi_wide_state *wide = ipfi_state_wide(state);

	snapshot->flow = state->flow;
	snapshot->deadline = state->deadline;
	snapshot->id = ipfi_state_id(state);
	snapshot->master = 0;
	snapshot->helper = IPFI_HELPER_NONE;
	if (!wide)
		return;
	snapshot->arriving = wide->arriving;
	snapshot->leaving = wide->leaving;
	if (wide->master)
		snapshot->master = wide->master->id;
	if (wide->control || wide->master)
		snapshot->helper = IPFI_HELPER_FTP;
}
