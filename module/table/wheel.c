// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "module/nat/translate.h"

/* So many dead states are not left to wait for the next tick. */
#define BURY_SOON 256

/* States looked at under one hold of a shard's lock; keeps BHs off for some microseconds at most. */
#define EXPIRY_BATCH 32

static u32 tick_of(u32 when)
{
	return when >> IPFI_EXPIRY_SHIFT;
}

/* Ticks wrap with the low word of jiffies. */
static s32 ticks_between(u32 from, u32 to)
{
	return (s32)((to - from) << IPFI_EXPIRY_SHIFT) >> IPFI_EXPIRY_SHIFT;
}

static struct ipfi_expiry_shard *shard_of(struct ipfi_expiry *expiry, const struct ipfi_state *state)
{
	return expiry->shards[hash_ptr(state, 16) & expiry->shard_mask];
}

/*
 * The slot in which @state has to stand now: the first that is turned at or after its deadline, the one that
 * is turned next if that is past, the furthest if the deadline lies beyond. Under the shard's lock.
 */
static struct hlist_head *slot_of(struct ipfi_expiry_shard *shard, const struct ipfi_state *state)
{
	s32 ahead = ticks_between(shard->turned, tick_of(READ_ONCE(state->deadline)) + 1);

	lockdep_assert_held(&shard->lock);
	/* The slot "turned" is in the worker's hands or has been. */
	ahead = clamp(ahead, 1, IPFI_EXPIRY_SLOTS - 1);
	return &shard->slots[(shard->turned + ahead) & (IPFI_EXPIRY_SLOTS - 1)];
}

void ipfi_expiry_add(struct ipfi_net *in, struct ipfi_state *state)
{
	struct ipfi_expiry *expiry = &in->table.expiry;
	struct ipfi_expiry_shard *shard = shard_of(expiry, state);

	lockdep_assert_held(&state->lock);
	spin_lock(&shard->lock);
	hlist_add_head(&state->wheel, slot_of(shard, state));
	spin_unlock(&shard->lock);
}

void ipfi_expiry_advance(struct ipfi_net *in, struct ipfi_state *state)
{
	struct ipfi_expiry *expiry = &in->table.expiry;
	struct ipfi_expiry_shard *shard = shard_of(expiry, state);

	lockdep_assert_held(&state->lock);
	spin_lock(&shard->lock);
	/* Unhashed: the worker has it in hand and will put it back by its new deadline. */
	if (!hlist_unhashed(&state->wheel)) {
		hlist_del_init(&state->wheel);
		hlist_add_head(&state->wheel, slot_of(shard, state));
	}
	spin_unlock(&shard->lock);
}

void ipfi_expiry_bury(struct ipfi_net *in, struct ipfi_state *state)
{
	struct ipfi_expiry *expiry = &in->table.expiry;
	struct ipfi_expiry_shard *shard = shard_of(expiry, state);

	spin_lock(&shard->lock);
	hlist_del_init(&state->wheel);
	spin_unlock(&shard->lock);
	llist_add(&state->grave, &expiry->graveyard);
	if (unlikely(atomic_inc_return(&in->table.dying) == BURY_SOON))
		mod_delayed_work(ipfi_workqueue, &expiry->work, 0);
}

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
			ipfi_expiry_add(in, state);
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
static void turn_slot(struct ipfi_net *in, struct ipfi_expiry_shard *shard, u32 tick)
{
	struct hlist_head *slot = &shard->slots[tick & (IPFI_EXPIRY_SLOTS - 1)];
	struct ipfi_state *due[EXPIRY_BATCH];
	struct ipfi_state *state;
	unsigned int looked, count;

	do {
		looked = count = 0;
		spin_lock_bh(&shard->lock);
		shard->turned = tick;
		while (looked < EXPIRY_BATCH && !hlist_empty(slot)) {
			state = hlist_entry(slot->first, struct ipfi_state, wheel);
			hlist_del_init(&state->wheel);
			if ((s32)(READ_ONCE(state->deadline) - (u32)jiffies) > 0)
				hlist_add_head(&state->wheel, slot_of(shard, state));
			else
				due[count++] = state;
			looked++;
		}
		spin_unlock_bh(&shard->lock);
		end_or_put_back(in, due, count);
		cond_resched();
	} while (looked == EXPIRY_BATCH);
}

/*
 * Frees what has been buried. The states were unlinked before, so after a grace period no packet and no walk
 * holds one.
 */
static void empty_graveyard(struct ipfi_net *in)
{
	struct llist_node *graves = llist_del_all(&in->table.expiry.graveyard);
	struct ipfi_state *state, *next;
	unsigned int freed = 0;

	if (!graves)
		return;
	synchronize_rcu();
	llist_for_each_entry_safe(state, next, graves, grave) {
		ipfi_state_free(in, state);
		atomic_dec(&in->table.dying);
		if (!(++freed & 1023))
			cond_resched();
	}
}

static void turn(struct work_struct *work)
{
	struct ipfi_net *in = container_of(to_delayed_work(work), struct ipfi_net, table.expiry.work);
	struct ipfi_expiry *expiry = &in->table.expiry;
	u32 now = tick_of((u32)jiffies);
	unsigned int i;

	for (; ticks_between(expiry->turned, now) > 0; expiry->turned++)
		for (i = 0; i <= expiry->shard_mask; i++)
			turn_slot(in, expiry->shards[i], expiry->turned + 1);
	empty_graveyard(in);
	ipfi_expect_expire(in);
	ipfi_nat_stop_idle(in);
	/* What died meanwhile asked for this worker while it was at work, or not at all. */
	queue_delayed_work(ipfi_workqueue, &expiry->work,
			   atomic_read(&in->table.dying) < BURY_SOON ? 1 << IPFI_EXPIRY_SHIFT : 0);
}

void ipfi_expiry_init(struct ipfi_net *in)
{
	struct ipfi_expiry *expiry = &in->table.expiry;

	init_llist_head(&expiry->graveyard);
	INIT_DELAYED_WORK(&expiry->work, turn);
}

static void free_shards(struct ipfi_expiry *expiry)
{
	unsigned int i;

	if (!expiry->shards)
		return;
	for (i = 0; i <= expiry->shard_mask; i++)
		kvfree(expiry->shards[i]);
	kfree(expiry->shards);
	expiry->shards = NULL;
}

int ipfi_expiry_start(struct ipfi_net *in)
{
	struct ipfi_expiry *expiry = &in->table.expiry;
	unsigned int count = min_t(unsigned int, roundup_pow_of_two(num_possible_cpus()), IPFI_EXPIRY_SHARDS);
	u32 now = tick_of((u32)jiffies);
	unsigned int i, s;

	if (expiry->shards)
		return 0;
	expiry->shards = kcalloc(count, sizeof(*expiry->shards), GFP_KERNEL_ACCOUNT);
	if (!expiry->shards)
		return -ENOMEM;
	expiry->shard_mask = count - 1;
	for (i = 0; i < count; i++) {
		struct ipfi_expiry_shard *shard = kvmalloc(sizeof(*shard), GFP_KERNEL_ACCOUNT);

		if (!shard) {
			free_shards(expiry);
			return -ENOMEM;
		}
		spin_lock_init(&shard->lock);
		shard->turned = now;
		for (s = 0; s < IPFI_EXPIRY_SLOTS; s++)
			INIT_HLIST_HEAD(&shard->slots[s]);
		expiry->shards[i] = shard;
	}
	expiry->turned = now;
	queue_delayed_work(ipfi_workqueue, &expiry->work, 1 << IPFI_EXPIRY_SHIFT);
	return 0;
}

void ipfi_expiry_exit(struct ipfi_net *in)
{
	struct ipfi_expiry *expiry = &in->table.expiry;

	cancel_delayed_work_sync(&expiry->work);
	empty_graveyard(in);
	free_shards(expiry);
}
