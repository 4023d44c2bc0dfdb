// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/jiffies.h>
#include <linux/once.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/memory.h"
#include "module/net.h"
#include "module/table/expect.h"
#include "module/table/state.h"

static struct kmem_cache *caches[IPFI_STATE_KINDS] __ro_after_init;

int __init ipfi_state_caches_init(void)
{
	caches[IPFI_STATE_KIND_IPV4] = kmem_cache_create("ipfi_state_ipv4", IPFI_STATE_SIZE_IPV4,
							 __alignof__(struct ipfi_state), 0, NULL);
	caches[IPFI_STATE_KIND_IPV6] = kmem_cache_create("ipfi_state_ipv6", sizeof(struct ipfi_state),
							 __alignof__(struct ipfi_state), 0, NULL);
	caches[IPFI_STATE_KIND_EXT] = KMEM_CACHE(ipfi_state_ext, 0);
	if (caches[IPFI_STATE_KIND_IPV4] && caches[IPFI_STATE_KIND_IPV6] && caches[IPFI_STATE_KIND_EXT])
		return 0;
	ipfi_state_caches_exit();
	return -ENOMEM;
}

void ipfi_state_caches_exit(void)
{
	unsigned int kind;

	for (kind = 0; kind < IPFI_STATE_KINDS; kind++)
		kmem_cache_destroy(caches[kind]);
}

unsigned int ipfi_state_size(enum ipfi_state_kind kind)
{
	return kmem_cache_size(caches[kind]);
}

struct ipfi_state *ipfi_state_alloc(struct ipfi_net *in, u8 family, bool ext)
{
	const enum ipfi_state_kind kind = ipfi_state_kind(family, ext);
	struct ipfi_state *state = ipfi_memory_alloc(in, caches[kind], 0);

	if (!state)
		return NULL;
	if (ext)
		memset(state, 0, sizeof(struct ipfi_state_ext));
	state->flow.key.family = family;
	state->flow.flags = ext ? IPFI_FLOW_F_EXT : 0;
	if (unlikely(kind != IPFI_STATE_KIND_IPV4))
		atomic_inc(&in->table.of_kind[kind]);
	return state;
}

void ipfi_state_free(struct ipfi_net *in, struct ipfi_state *state)
{
	struct ipfi_state_ext *ext = ipfi_state_extended(state);
	const enum ipfi_state_kind kind = ipfi_state_kind(state->flow.key.family, ext);

	ipfi_memory_give(in->memory.counted, ipfi_state_size(kind));
	if (ext) {
		ipfi_control_free(in, ext->control);
		ipfi_master_put(ext->master);
	}
	kmem_cache_free(caches[kind], state);
	if (unlikely(kind != IPFI_STATE_KIND_IPV4))
		atomic_dec(&in->table.of_kind[kind]);
}

u64 ipfi_state_id(const struct ipfi_state *state)
{
	static siphash_key_t secret __read_mostly;

	net_get_random_once(&secret, sizeof(secret));
	return siphash_3u64((unsigned long)state, (u64)state->flow.created << 32, state->flow.key.ends, &secret) >> 11;
}

void ipfi_snapshot_take(struct ipfi_snapshot *snapshot, struct ipfi_state *state)
{
	const struct ipfi_state_ext *ext = ipfi_state_extended(state);

	ipfi_flow_copy(&snapshot->flow, &state->flow);
	snapshot->deadline = state->deadline;
	snapshot->id = ipfi_state_id(state);
	snapshot->master = 0;
	snapshot->helper = IPFI_HELPER_NONE;
	if (!ext)
		return;
	snapshot->arriving = ext->arriving;
	snapshot->leaving = ext->leaving;
	if (ext->master)
		snapshot->master = ext->master->id;
	if (ext->control || ext->master)
		snapshot->helper = IPFI_HELPER_FTP;
}
