// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "module/net.h"
#include "module/table/expect.h"
#include "module/table/gc.h"
#include "module/table/state.h"
#include "module/table/sweep.h"
#include "module/table/table.h"
#include "module/table/wheel.h"

/* States looked at under one hold of a shard's lock; keeps BHs off for some microseconds at most. */
#define BATCH 32

/*
 * @due were taken out of the wheel because their deadlines are past. Only this worker frees states, so all of
 * them are still there, but a packet may have renewed one or ended it meanwhile.
 */
static void end_or_put_back(struct ipfi_net *in, struct ipfi_state **due, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct ipfi_state *state = due[i];

		spin_lock_bh(&state->lock);
		if (state->flow.table & IPFI_TABLE_DEAD) {
			spin_unlock_bh(&state->lock);
		} else if ((s32)(state->deadline - (u32)jiffies) > 0) {
			ipfi_wheel_add(in, state);
			spin_unlock_bh(&state->lock);
		} else {
			if (!(state->flow.table & IPFI_TABLE_KILLED))
				__this_cpu_inc(in->counters->expired);
			ipfi_table_remove(in, state, IPFI_CAUSE_EXPIRED);
			local_bh_enable();
		}
	}
}

/* Turns one shard to @tick: ends what is due in the slot, moves on what is not. */
static void turn_slot(struct ipfi_net *in, struct ipfi_wheel_shard *shard, u32 tick)
{
	struct hlist_head *slot = &shard->slots[tick & (IPFI_WHEEL_SLOTS - 1)];
	struct ipfi_state *due[BATCH];
	struct ipfi_state *state;
	unsigned int looked, count;

	do {
		looked = count = 0;
		spin_lock_bh(&shard->lock);
		shard->turned = tick;
		while (looked < BATCH && !hlist_empty(slot)) {
			state = hlist_entry(slot->first, struct ipfi_state, wheel);
			hlist_del_init(&state->wheel);
			if ((s32)(READ_ONCE(state->deadline) - (u32)jiffies) > 0)
				hlist_add_head(&state->wheel, ipfi_wheel_slot(shard, state));
			else
				due[count++] = state;
			looked++;
		}
		spin_unlock_bh(&shard->lock);
		end_or_put_back(in, due, count);
		cond_resched();
	} while (looked == BATCH);
}

/*
 * Frees what has died. The states were unlinked before, so after a grace period no packet and no walk
 * holds one.
 */
static void free_dying(struct ipfi_net *in)
{
	struct llist_node *dead = llist_del_all(&in->table.wheel.dying);
	struct ipfi_state *state, *next;
	unsigned int freed = 0;

	if (!dead)
		return;
	synchronize_rcu();
	llist_for_each_entry_safe(state, next, dead, dying) {
		ipfi_state_free(in, state);
		atomic_dec(&in->table.dying);
		if (!(++freed & 1023))
			cond_resched();
	}
}

static void turn(struct work_struct *work)
{
	struct ipfi_net *in = container_of(to_delayed_work(work), struct ipfi_net, table.wheel.work);
	struct ipfi_wheel *wheel = &in->table.wheel;
	u32 now = ipfi_wheel_tick((u32)jiffies);
	unsigned int i;

	for (; ipfi_wheel_ahead(wheel->turned, now) > 0; wheel->turned++)
		for (i = 0; i <= wheel->shard_mask; i++)
			turn_slot(in, wheel->shards[i], wheel->turned + 1);
	free_dying(in);
	ipfi_expect_expire(in);
	/* What died meanwhile asked for this worker while it was at work, or not at all. */
	queue_delayed_work(ipfi_workqueue, &wheel->work,
			   atomic_read(&in->table.dying) < IPFI_DYING_SOON ? 1 << IPFI_WHEEL_SHIFT : 0);
}

void ipfi_gc_init(struct ipfi_net *in)
{
	struct ipfi_wheel *wheel = &in->table.wheel;

	init_llist_head(&wheel->dying);
	INIT_DELAYED_WORK(&wheel->work, turn);
}

static void free_shards(struct ipfi_wheel *wheel)
{
	unsigned int i;

	if (!wheel->shards)
		return;
	for (i = 0; i <= wheel->shard_mask; i++)
		kvfree(wheel->shards[i]);
	kfree(wheel->shards);
	wheel->shards = NULL;
}

int ipfi_gc_start(struct ipfi_net *in)
{
	struct ipfi_wheel *wheel = &in->table.wheel;
	unsigned int count = min_t(unsigned int, roundup_pow_of_two(num_possible_cpus()), IPFI_WHEEL_SHARDS);
	u32 now = ipfi_wheel_tick((u32)jiffies);
	unsigned int i, s;

	if (wheel->shards)
		return 0;
	wheel->shards = kcalloc(count, sizeof(*wheel->shards), GFP_KERNEL_ACCOUNT);
	if (!wheel->shards)
		return -ENOMEM;
	wheel->shard_mask = count - 1;
	for (i = 0; i < count; i++) {
		struct ipfi_wheel_shard *shard = kvmalloc(sizeof(*shard), GFP_KERNEL_ACCOUNT);

		if (!shard) {
			free_shards(wheel);
			return -ENOMEM;
		}
		spin_lock_init(&shard->lock);
		shard->turned = now;
		for (s = 0; s < IPFI_WHEEL_SLOTS; s++)
			INIT_HLIST_HEAD(&shard->slots[s]);
		wheel->shards[i] = shard;
	}
	wheel->turned = now;
	queue_delayed_work(ipfi_workqueue, &wheel->work, 1 << IPFI_WHEEL_SHIFT);
	return 0;
}

void ipfi_gc_exit(struct ipfi_net *in)
{
	struct ipfi_wheel *wheel = &in->table.wheel;

	/* One by one, for the nodes of a wide state are parts of it. */
	ipfi_table_flush(in);
	cancel_delayed_work_sync(&wheel->work);
	free_dying(in);
	free_shards(wheel);
}
