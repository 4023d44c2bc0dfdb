// SPDX-License-Identifier: GPL-2.0-or-later
/* A set and its members. sets.c has the names, and the worker that ends members in time. */
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/memory.h"
#include "module/net.h"
#include "module/ruleset/changes.h"
#include "module/ruleset/network.h"
#include "module/ruleset/set.h"

static_assert(sizeof(struct ipfi_network) == 20, "ipfi_network has no padding");
static_assert(sizeof(struct ipfi_member) <= 96, "ipfi_member keeps to its 96 bytes");

static const struct rhashtable_params member_params = {
	.head_offset = offsetof(struct ipfi_member, node),
	.key_offset = offsetof(struct ipfi_member, network),
	.key_len = sizeof(struct ipfi_network),
	.automatic_shrinking = true,
};

struct ipfi_set *ipfi_set_alloc(struct ipfi_net *in, const char *name)
{
	const bool counted = in->memory.counted;
	struct ipfi_set *set;

	if (!ipfi_memory_take(counted, sizeof(*set)))
		return NULL;
	set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	if (!set || rhashtable_init(&set->hash, &member_params)) {
		kfree(set);
		ipfi_memory_give(counted, sizeof(*set));
		return NULL;
	}
	set->counted = counted;
	set->in = in;
	set->order = RB_ROOT;
	set->due = RB_ROOT_CACHED;
	refcount_set(&set->references, 1);
	strscpy(set->name, name, sizeof(set->name));
	return set;
}

static void free_member(void *object, void *arg)
{
	const struct ipfi_set *set = arg;

	ipfi_memory_give(set->counted, sizeof(struct ipfi_member));
	kfree(object);
}

void ipfi_set_put(struct ipfi_set *set)
{
	if (!refcount_dec_and_test(&set->references))
		return;
	rhashtable_free_and_destroy(&set->hash, free_member, set);
	ipfi_memory_give(set->counted, sizeof(*set));
	kfree(set);
}

static bool is_alive(const struct ipfi_member *member)
{
	return atomic64_read(&member->deadline) > (s64)get_jiffies_64();
}

static void set_length(struct ipfi_network *network, unsigned int length)
{
	struct ipfi_addr mask;
	unsigned int i;

	ipfi_prefix_mask(&mask, length);
	for (i = 0; i < 4; i++)
		network->addr.w[i] &= mask.w[i];
	network->length = length;
}

void ipfi_network_widen(struct ipfi_network *network)
{
	set_length(network, network->length - 1);
}

/* Under RCU. The longest first: mostly there is no other. */
static const struct ipfi_member *find_around(struct ipfi_set *set, const struct ipfi_network *network)
{
	const unsigned long *used = set->lengths[network->family == 6].used;
	unsigned int longer = network->length + 1, length;
	struct ipfi_network env = *network;
	const struct ipfi_member *member;

	for (; (length = find_last_bit(used, longer)) < longer; longer = length) {
		set_length(&env, length);
		member = rhashtable_lookup(&set->hash, &env, member_params);
		if (member && is_alive(member))
			return member;
	}
	return NULL;
}

bool ipfi_set_has(struct ipfi_set *set, u8 family, const struct ipfi_addr *addr)
{
	const struct ipfi_network whole = {
		.addr = *addr, .family = family, .length = family == 4 ? 32 : 128,
	};

	return find_around(set, &whole);
}

const struct ipfi_member *ipfi_set_member_around(struct ipfi_set *set, const struct ipfi_network *network)
{
	const struct ipfi_member *member;

	lockdep_assert_held(&set->in->mutex);
	rcu_read_lock();
	member = find_around(set, network);
	rcu_read_unlock();
	return member;
}

static int compare_networks(const struct ipfi_network *a, const struct ipfi_network *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = ipfi_addr_compare(&a->addr, &b->addr);
	return order ? order : (int)a->length - (int)b->length;
}

static struct ipfi_member *by_order(const struct rb_node *node)
{
	return rb_entry(node, struct ipfi_member, order);
}

static bool comes_before(struct rb_node *a, const struct rb_node *b)
{
	return compare_networks(&by_order(a)->network, &by_order(b)->network) < 0;
}

static s64 deadline_of(const struct rb_node *due)
{
	return atomic64_read(&rb_entry(due, struct ipfi_member, due)->deadline);
}

static bool is_due_before(struct rb_node *a, const struct rb_node *b)
{
	return deadline_of(a) < deadline_of(b);
}

/* A full tick more than asked for would be too long, a part of one less too short: it is rounded up. */
static void set_deadline(struct ipfi_set *set, struct ipfi_member *member, u32 timeout, u64 now)
{
	s64 deadline = IPFI_SET_FOR_EVER;

	if (timeout)
		deadline = now + DIV_ROUND_UP_ULL((u64)timeout * HZ, MSEC_PER_SEC);
	atomic64_set(&member->deadline, deadline);
	if (timeout)
		rb_add_cached(&member->due, &set->due, is_due_before);
}

static void drop_deadline(struct ipfi_set *set, struct ipfi_member *member)
{
	if (atomic64_read(&member->deadline) != IPFI_SET_FOR_EVER)
		rb_erase_cached(&member->due, &set->due);
}

/* A prefix length is used from before its first member can be met until after its last has gone. */
static void count_length(struct ipfi_set *set, const struct ipfi_network *network, int by)
{
	unsigned int family = network->family == 6, length = network->length;
	u32 members = set->lengths[family].members[length] += by;

	if (!members)
		clear_bit(length, set->lengths[family].used);
	else if (members == 1 && by > 0)
		set_bit(length, set->lengths[family].used);
}

/* What may come in faster than the hash table grows: it is waited for. */
static int insert(struct ipfi_set *set, struct ipfi_member *member)
{
	unsigned int tries;
	int err;

	for (tries = 0; tries < 10; tries++) {
		err = rhashtable_insert_fast(&set->hash, &member->node, member_params);
		if (err != -EBUSY && err != -ENOMEM)
			break;
		flush_work(&set->hash.run_work);
	}
	return err;
}

static int join(struct ipfi_set *set, const struct ipfi_new_element *element, u64 now)
{
	struct ipfi_member *member;
	int err;

	if (set->count >= IPFI_SET_MEMBERS_MAX)
		return -ENOSPC;
	if (!ipfi_memory_take(set->counted, sizeof(*member)))
		return -ENOMEM;
	member = kmalloc(sizeof(*member), GFP_KERNEL_ACCOUNT);
	if (!member) {
		ipfi_memory_give(set->counted, sizeof(*member));
		return -ENOMEM;
	}
	member->network = element->network;
	set_deadline(set, member, element->timeout, now);
	count_length(set, &member->network, 1);
	err = insert(set, member);
	if (err) {
		count_length(set, &member->network, -1);
		drop_deadline(set, member);
		free_member(member, set);
		return err == -EBUSY ? -ENOMEM : err;
	}
	rb_add(&member->order, &set->order, comes_before);
	set->count++;
	set->changes++;
	ipfi_changes_note(set->in, &member->network);
	return 0;
}

static void part(struct ipfi_set *set, struct ipfi_member *member)
{
	rhashtable_remove_fast(&set->hash, &member->node, member_params);
	count_length(set, &member->network, -1);
	drop_deadline(set, member);
	rb_erase(&member->order, &set->order);
	set->count--;
	set->changes++;
	ipfi_changes_note(set->in, &member->network);
	ipfi_memory_give(set->counted, sizeof(*member));
	kfree_rcu(member, rcu);
}

static struct ipfi_member *find(struct ipfi_set *set, const struct ipfi_network *network)
{
	lockdep_assert_held(&set->in->mutex);
	return rhashtable_lookup_fast(&set->hash, network, member_params);
}

/* Those that are members already get a new deadline; true when one had been past its old one. */
static bool renew(struct ipfi_set *set, const struct ipfi_new_element *element, u64 now)
{
	struct ipfi_member *member = find(set, &element->network);
	bool late;

	drop_deadline(set, member);
	late = !is_alive(member);
	if (late)
		ipfi_changes_note(set->in, &member->network);
	set_deadline(set, member, element->timeout, now);
	return late;
}

int ipfi_set_add(struct ipfi_set *set, const struct ipfi_new_element *elements, u32 count, u32 *added)
{
	unsigned long *joined = bitmap_zalloc(count, GFP_KERNEL);
	u64 now = get_jiffies_64(); /* one for all: what comes in together goes together */
	u32 i;
	int err = 0;

	if (!joined)
		return -ENOMEM;
	*added = 0;
	for (i = 0; i < count; i++) {
		if (find(set, &elements[i].network))
			continue;
		err = join(set, &elements[i], now);
		if (err)
			break;
		__set_bit(i, joined);
		++*added;
	}
	if (err) {
		for_each_set_bit(i, joined, count)
			part(set, find(set, &elements[i].network));
		*added = 0;
	} else {
		for_each_clear_bit(i, joined, count)
			*added += renew(set, &elements[i], now);
	}
	bitmap_free(joined);
	return err;
}

u32 ipfi_set_remove(struct ipfi_set *set, const struct ipfi_network *networks, u32 count)
{
	struct ipfi_member *member;
	u32 i, removed = 0;

	for (i = 0; i < count; i++) {
		member = find(set, &networks[i]);
		if (!member)
			continue;
		part(set, member);
		removed++;
	}
	return removed;
}

u32 ipfi_set_clear(struct ipfi_set *set)
{
	struct rb_node *node;
	u32 removed = 0;

	lockdep_assert_held(&set->in->mutex);
	while ((node = rb_first(&set->order))) {
		part(set, by_order(node));
		if (!(++removed & 1023))
			cond_resched();
	}
	return removed;
}

u32 ipfi_set_expire(struct ipfi_set *set, u32 most)
{
	struct ipfi_member *member;
	struct rb_node *node;
	u32 removed = 0;

	lockdep_assert_held(&set->in->mutex);
	while (removed < most && (node = rb_first_cached(&set->due))) {
		member = rb_entry(node, struct ipfi_member, due);
		if (is_alive(member))
			break;
		part(set, member);
		if (!(++removed & 1023))
			cond_resched();
	}
	return removed;
}

const struct ipfi_member *ipfi_set_member_behind(const struct ipfi_set *set, const struct ipfi_network *network)
{
	struct rb_node *node = set->order.rb_node, *behind = NULL;

	lockdep_assert_held(&set->in->mutex);
	if (!network)
		behind = rb_first(&set->order);
	while (network && node) {
		if (compare_networks(&by_order(node)->network, network) > 0) {
			behind = node;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return behind ? by_order(behind) : NULL;
}

s64 ipfi_member_left(const struct ipfi_member *member)
{
	s64 deadline = atomic64_read(&member->deadline), now = get_jiffies_64();

	if (deadline == IPFI_SET_FOR_EVER)
		return -1;
	return deadline > now ? div_u64((u64)(deadline - now) * MSEC_PER_SEC, HZ) : 0;
}
