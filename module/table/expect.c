// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/jiffies.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/sequence.h"
#include "module/core/tuple.h"
#include "module/memory.h"
#include "module/net.h"
#include "module/table/expect.h"

static const struct rhashtable_params params = {
	.head_offset = offsetof(struct ipfi_expectation, node),
	.key_offset = offsetof(struct ipfi_expectation, key),
	.key_len = sizeof(struct ipfi_expect_key),
	.automatic_shrinking = true,
};

int ipfi_expect_init(struct ipfi_net *in)
{
	struct ipfi_expectations *all = &in->expectations;

	spin_lock_init(&all->lock);
	atomic_set(&all->count, 0);
	all->added = 0;
	INIT_LIST_HEAD(&all->by_deadline);
	return rhashtable_init(&all->hash, &params);
}

void ipfi_master_put(struct ipfi_master *master)
{
	if (master && refcount_dec_and_test(&master->references))
		kfree_rcu(master, rcu);
}

void ipfi_expect_free(struct ipfi_expectation *expectation)
{
	ipfi_master_put(expectation->master);
	kfree_rcu(expectation, rcu);
}

static bool is_expected(const struct ipfi_expectation *expectation)
{
	return !list_empty(&expectation->of_control);
}

/* Nobody expects it any more. */
static void end(struct ipfi_expectations *all, struct ipfi_expectation *expectation)
{
	lockdep_assert_held(&all->lock);
	rhashtable_remove_fast(&all->hash, &expectation->node, params);
	list_del(&expectation->by_deadline);
	list_del_init(&expectation->of_control);
	expectation->control->expected_count--;
	atomic_dec(&all->count);
	ipfi_expect_free(expectation);
}

static bool in_time(const struct ipfi_expectation *expectation)
{
	return (s32)(expectation->deadline - (u32)jiffies) > 0;
}

static int add(struct ipfi_expectations *all, struct ipfi_control *control, struct ipfi_expectation *one)
{
	struct ipfi_expectation *old = rhashtable_lookup_fast(&all->hash, &one->key, params);

	if (old && old->control != control && in_time(old))
		return -EADDRINUSE;
	if (old)
		end(all, old);
	if (control->expected_count >= IPFI_EXPECT_MAX)
		return -ENOSPC;
	/* Who announces and never comes is the older one: those that wait for a moment only are not crowded out. */
	if (atomic_read(&all->count) >= IPFI_EXPECT_ALL)
		end(all, list_first_entry(&all->by_deadline, struct ipfi_expectation, by_deadline));
	if (rhashtable_insert_fast(&all->hash, &one->node, params))
		return -ENOSPC;
	one->control = control;
	one->number = ++all->added;
	one->deadline = (u32)jiffies + IPFI_EXPECT_TIMEOUT * HZ;
	list_add_tail(&one->by_deadline, &all->by_deadline);
	list_add_tail(&one->of_control, &control->expected);
	control->expected_count++;
	atomic_inc(&all->count);
	return 0;
}

int ipfi_expect_would_add(struct ipfi_net *in, const struct ipfi_control *control, struct ipfi_control *copy,
			  const struct ipfi_expectation *expectation)
{
	struct ipfi_expectations *all = &in->expectations;
	const struct ipfi_expectation *old = rhashtable_lookup(&all->hash, &expectation->key, params);

	if (old && old->control != control && in_time(old))
		return -EADDRINUSE;
	if (old && old->control == control)
		return 0;
	if (copy->expected_count >= IPFI_EXPECT_MAX)
		return -ENOSPC;
	copy->expected_count++;
	return 0;
}

int ipfi_expect_add(struct ipfi_net *in, struct ipfi_control *control, struct ipfi_expectation *expectation)
{
	int err;

	spin_lock(&in->expectations.lock);
	err = add(&in->expectations, control, expectation);
	spin_unlock(&in->expectations.lock);
	return err;
}

static struct ipfi_expectation *find(struct ipfi_expectations *all, const struct ipfi_tuple *tuple, bool dst_translated)
{
	const struct ipfi_expect_key key = {
		.src = tuple->src,
		.dst = tuple->dst,
		.dport = tuple->dport,
		.family = tuple->family,
		.vrf = tuple->src_vrf,
	};
	struct ipfi_expectation *one = rhashtable_lookup(&all->hash, &key, params);

	return one && one->dst_translated == dst_translated && in_time(one) ? one : NULL;
}

const struct ipfi_expectation *ipfi_expect_find(struct ipfi_net *in, const struct ipfi_packet *packet,
						bool dst_translated)
{
	const u8 opens = IPFI_TCP_SYN | IPFI_TCP_ACK | IPFI_TCP_RST | IPFI_TCP_FIN;

	if (likely(!atomic_read(&in->expectations.count)) || packet->tuple.proto != IPFI_PROTO_TCP ||
	    (packet->tcp_flags & opens) != IPFI_TCP_SYN)
		return NULL;
	return find(&in->expectations, &packet->tuple, dst_translated);
}

bool ipfi_expect_take(struct ipfi_net *in, const struct ipfi_expectation *expectation)
{
	struct ipfi_expectations *all = &in->expectations;
	bool expected;

	spin_lock(&all->lock);
	expected = is_expected(expectation);
	if (expected)
		end(all, (struct ipfi_expectation *)expectation);
	spin_unlock(&all->lock);
	return expected;
}

bool ipfi_expect_take_translated(struct ipfi_net *in, const struct ipfi_tuple *tuple,
				 const struct ipfi_master *master)
{
	const struct ipfi_expectation *one = find(&in->expectations, tuple, true);

	return one && one->master == master && ipfi_expect_take(in, one);
}

void ipfi_expect_forget(struct ipfi_net *in, struct ipfi_control *control)
{
	struct ipfi_expectation *expectation, *next;

	spin_lock(&in->expectations.lock);
	list_for_each_entry_safe(expectation, next, &control->expected, of_control)
		end(&in->expectations, expectation);
	spin_unlock(&in->expectations.lock);
}

void ipfi_expect_expire(struct ipfi_net *in)
{
	struct ipfi_expectations *all = &in->expectations;
	struct ipfi_expectation *first;

	if (!atomic_read(&all->count))
		return;
	spin_lock_bh(&all->lock);
	while ((first = list_first_entry_or_null(&all->by_deadline, struct ipfi_expectation, by_deadline)) &&
	       !in_time(first))
		end(all, first);
	spin_unlock_bh(&all->lock);
}

void ipfi_expect_exit(struct ipfi_net *in)
{
	/* Every control connection is gone, and with each what it announced. */
	WARN_ON_ONCE(atomic_read(&in->expectations.count));
	rhashtable_destroy(&in->expectations.hash);
}

u32 ipfi_control_quoted_seq(const struct ipfi_control *control, enum ipfi_direction direction, u32 seq)
{
	return ipfi_seqadj_back(&control->sequences[direction], seq);
}

void ipfi_control_end(struct ipfi_net *in, struct ipfi_control *control)
{
	if (control)
		ipfi_expect_forget(in, control);
}

void ipfi_control_free(struct ipfi_net *in, struct ipfi_control *control)
{
	if (!control)
		return;
	ipfi_master_put(control->master);
	ipfi_memory_give(in->memory.counted, sizeof(*control));
	atomic_dec(&in->table.controls);
	kfree(control);
}
