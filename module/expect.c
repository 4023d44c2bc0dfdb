// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "helper.h"
#include "net.h"

void ipfi_expect_init(struct ipfi_net *in)
{
	struct ipfi_expectations *all = &in->expectations;
	unsigned int i;

	spin_lock_init(&all->lock);
	atomic_set(&all->count, 0);
	INIT_LIST_HEAD(&all->by_deadline);
	for (i = 0; i < IPFI_EXPECT_BUCKETS; i++)
		INIT_HLIST_HEAD(&all->buckets[i]);
	all->seed = get_random_u32();
}

static struct hlist_head *bucket_of(struct ipfi_expectations *all, u8 family, const struct ipfi_addr *src,
				    const struct ipfi_addr *dst, u16 dport)
{
	u32 hash = jhash_3words(ipfi_addr_fold(src, all->seed), ipfi_addr_fold(dst, all->seed),
				(u32)family << 16 | dport, all->seed);

	return &all->buckets[hash % IPFI_EXPECT_BUCKETS];
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

static void unlink(struct ipfi_expectations *all, struct ipfi_expectation *expectation)
{
	lockdep_assert_held(&all->lock);
	hlist_del_rcu(&expectation->node);
	list_del(&expectation->by_deadline);
	list_del(&expectation->of_control);
	expectation->control->expected_count--;
	atomic_dec(&all->count);
}

static bool in_time(const struct ipfi_expectation *expectation)
{
	return (s32)(expectation->deadline - (u32)jiffies) > 0;
}

static struct ipfi_expectation *find(struct ipfi_expectations *all, u8 family, const struct ipfi_addr *src,
				     const struct ipfi_addr *dst, u16 dport)
{
	struct ipfi_expectation *expectation;

	hlist_for_each_entry_rcu(expectation, bucket_of(all, family, src, dst, dport), node,
				 lockdep_is_held(&all->lock))
		if (expectation->dport == dport && expectation->family == family &&
		    ipfi_addr_equal(&expectation->src, src) && ipfi_addr_equal(&expectation->dst, dst))
			return expectation;
	return NULL;
}

static int add(struct ipfi_expectations *all, struct ipfi_control *control, struct ipfi_expectation *one)
{
	struct ipfi_expectation *old = find(all, one->family, &one->src, &one->dst, one->dport);

	if (old && old->control != control && in_time(old))
		return -EADDRINUSE;
	if (old) {
		unlink(all, old);
		ipfi_expect_free(old);
	}
	if (control->expected_count >= IPFI_EXPECT_MOST)
		return -ENOSPC;
	one->control = control;
	one->deadline = (u32)jiffies + IPFI_EXPECT_TIMEOUT * HZ;
	hlist_add_head_rcu(&one->node, bucket_of(all, one->family, &one->src, &one->dst, one->dport));
	list_add_tail(&one->by_deadline, &all->by_deadline);
	list_add_tail(&one->of_control, &control->expected);
	control->expected_count++;
	atomic_inc(&all->count);
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

/* The one that a connection with @tuple meets, in time, or NULL. */
static struct ipfi_expectation *find_met(struct ipfi_expectations *all, const struct ipfi_tuple *tuple,
					 bool dst_translated)
{
	struct ipfi_expectation *one = find(all, tuple->family, &tuple->src, &tuple->dst, tuple->dport);

	return one && one->dst_translated == dst_translated && in_time(one) ? one : NULL;
}

bool ipfi_expect_look(struct ipfi_net *in, const struct ipfi_tuple *tuple, bool dst_translated,
		      struct ipfi_expectation *copy)
{
	struct ipfi_expectations *all = &in->expectations;
	const struct ipfi_expectation *one;

	if (!atomic_read(&all->count) || tuple->proto != IPFI_PROTO_TCP)
		return false;
	spin_lock_bh(&all->lock);
	one = find_met(all, tuple, dst_translated);
	if (one)
		*copy = *one;
	spin_unlock_bh(&all->lock);
	return one;
}

struct ipfi_expectation *ipfi_expect_take(struct ipfi_net *in, const struct ipfi_tuple *tuple, bool dst_translated)
{
	struct ipfi_expectations *all = &in->expectations;
	struct ipfi_expectation *expectation;

	if (likely(!atomic_read(&all->count)) || tuple->proto != IPFI_PROTO_TCP ||
	    !find(all, tuple->family, &tuple->src, &tuple->dst, tuple->dport))
		return NULL;
	spin_lock(&all->lock);
	expectation = find_met(all, tuple, dst_translated);
	if (expectation)
		unlink(all, expectation);
	spin_unlock(&all->lock);
	return expectation;
}

void ipfi_expect_withdraw(struct ipfi_net *in, struct ipfi_control *control)
{
	struct ipfi_expectation *last;

	spin_lock(&in->expectations.lock);
	if (!list_empty(&control->expected)) {
		last = list_last_entry(&control->expected, struct ipfi_expectation, of_control);
		unlink(&in->expectations, last);
		ipfi_expect_free(last);
	}
	spin_unlock(&in->expectations.lock);
}

void ipfi_expect_forget(struct ipfi_net *in, struct ipfi_control *control)
{
	struct ipfi_expectation *expectation, *next;

	spin_lock(&in->expectations.lock);
	list_for_each_entry_safe(expectation, next, &control->expected, of_control) {
		unlink(&in->expectations, expectation);
		ipfi_expect_free(expectation);
	}
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
	       !in_time(first)) {
		unlink(all, first);
		ipfi_expect_free(first);
	}
	spin_unlock_bh(&all->lock);
}

void ipfi_expect_exit(struct ipfi_net *in)
{
	/* Every control connection is gone, and with each what it announced. */
	WARN_ON_ONCE(atomic_read(&in->expectations.count));
}
