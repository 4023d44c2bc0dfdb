// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/hash.h>
#include "module/core/platform.h"
#include "module/net.h"
#include "module/table/state.h"
#include "module/table/wheel.h"

static struct ipfi_wheel_shard *shard_of(struct ipfi_wheel *wheel, const struct ipfi_state *state)
{
	return wheel->shards[hash_ptr(state, 16) & wheel->shard_mask];
}

struct hlist_head *ipfi_wheel_slot(struct ipfi_wheel_shard *shard, const struct ipfi_state *state)
{
	s32 ahead = ipfi_wheel_ahead(shard->turned, ipfi_wheel_tick(READ_ONCE(state->deadline)) + 1);

	lockdep_assert_held(&shard->lock);
	/* The slot "turned" is in the worker's hands or has been. */
	ahead = clamp(ahead, 1, IPFI_WHEEL_SLOTS - 1);
	return &shard->slots[(shard->turned + ahead) & (IPFI_WHEEL_SLOTS - 1)];
}

void ipfi_wheel_add(struct ipfi_net *in, struct ipfi_state *state)
{
	struct ipfi_wheel *wheel = &in->table.wheel;
	struct ipfi_wheel_shard *shard = shard_of(wheel, state);

	lockdep_assert_held(&state->lock);
	spin_lock(&shard->lock);
	hlist_add_head(&state->wheel, ipfi_wheel_slot(shard, state));
	spin_unlock(&shard->lock);
}

void ipfi_wheel_advance(struct ipfi_net *in, struct ipfi_state *state)
{
	struct ipfi_wheel *wheel = &in->table.wheel;
	struct ipfi_wheel_shard *shard = shard_of(wheel, state);

	lockdep_assert_held(&state->lock);
	spin_lock(&shard->lock);
	/* Unhashed: the worker has it in hand and will put it back by its new deadline. */
	if (!hlist_unhashed(&state->wheel)) {
		hlist_del_init(&state->wheel);
		hlist_add_head(&state->wheel, ipfi_wheel_slot(shard, state));
	}
	spin_unlock(&shard->lock);
}

void ipfi_wheel_remove(struct ipfi_net *in, struct ipfi_state *state)
{
	struct ipfi_wheel *wheel = &in->table.wheel;
	struct ipfi_wheel_shard *shard = shard_of(wheel, state);

	spin_lock(&shard->lock);
	hlist_del_init(&state->wheel);
	spin_unlock(&shard->lock);
	llist_add(&state->dying, &wheel->dying);
	if (unlikely(atomic_inc_return(&in->table.dying) == IPFI_DYING_SOON))
		mod_delayed_work(ipfi_workqueue, &wheel->work, 0);
}

