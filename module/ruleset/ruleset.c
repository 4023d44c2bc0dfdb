// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bsearch.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "module/core/classify.h"
#include "module/core/rule.h"
#include "module/memory.h"
#include "module/net.h"
#include "module/ruleset/changes.h"
#include "module/ruleset/generation.h"
#include "module/ruleset/ruleset.h"
#include "module/ruleset/set.h"

static const struct rhashtable_params id_params = {
	.head_offset = offsetof(struct ipfi_rule_store, node),
	.key_offset = offsetof(struct ipfi_rule_store, id),
	.key_len = sizeof(u64),
};

struct ipfi_ruleset *ipfi_ruleset_alloc(const struct ipfi_net *in)
{
	struct ipfi_ruleset *rs = kzalloc(sizeof(*rs), GFP_KERNEL_ACCOUNT);
	unsigned int list;

	if (!rs)
		return NULL;
	rs->ids = kzalloc(sizeof(*rs->ids), GFP_KERNEL_ACCOUNT);
	if (!rs->ids || rhashtable_init(rs->ids, &id_params)) {
		kfree(rs->ids);
		kfree(rs);
		return NULL;
	}
	for (list = 0; list < __IPFI_LIST_FILTER_END; list++)
		rs->classifier.standard[list] = IPFI_VERDICT_DENY;
	refcount_set(&rs->references, 1);
	rs->counted = in->memory.counted;
	return rs;
}

int ipfi_ruleset_take(struct ipfi_ruleset *rs, size_t bytes)
{
	if (!ipfi_memory_take(rs->counted, bytes))
		return -ENOMEM;
	rs->bytes += bytes;
	return 0;
}

static void forget_ids(struct ipfi_ruleset *rs)
{
	if (!rs->ids)
		return;
	rhashtable_destroy(rs->ids); /* the stores stay, they are the rule set's */
	kfree(rs->ids);
	rs->ids = NULL;
}

static void free_ruleset(struct ipfi_ruleset *rs)
{
	unsigned int cpu;
	u32 i;

	forget_ids(rs);
	for (i = 0; i < rs->set_count; i++)
		ipfi_set_put(rs->sets[i].set);
	kfree(rs->sets);
	for (i = 0; i < rs->count; i++)
		kvfree(rs->stores[i]);
	if (rs->counters)
		for_each_possible_cpu(cpu)
			kvfree(rs->counters[cpu]);
	kfree(rs->counters);
	kvfree(rs->order);
	kvfree(rs->stores);
	kvfree(rs->rules);
	ipfi_memory_give(rs->counted, rs->bytes);
	kfree(rs);
}

static void free_after_grace_period(struct work_struct *work)
{
	free_ruleset(container_of(to_rcu_work(work), struct ipfi_ruleset, free));
}

void ipfi_ruleset_put(struct ipfi_ruleset *rs)
{
	u32 i;

	if (!rs || !refcount_dec_and_test(&rs->references))
		return;
	for (i = 0; i < rs->set_count; i++)
		ipfi_set_leave(rs->sets[i].set);
	INIT_RCU_WORK(&rs->free, free_after_grace_period);
	queue_rcu_work(ipfi_workqueue, &rs->free);
}

struct ipfi_ruleset *ipfi_ruleset_get(struct ipfi_net *in)
{
	struct ipfi_ruleset *rs;

	rcu_read_lock();
	do {
		rs = rcu_dereference(in->ruleset);
	} while (rs && !refcount_inc_not_zero(&rs->references));
	rcu_read_unlock();
	return rs;
}

/* Doubles the room for rules. */
static int make_room(struct ipfi_ruleset *rs)
{
	u32 room = max(rs->room * 2, 64U);
	struct ipfi_rule_store **stores;
	struct ipfi_rule *rules;

	if (ipfi_ruleset_take(rs, (room - rs->room) * (sizeof(*stores) + sizeof(*rules))))
		return -ENOMEM;
	stores = kvmalloc_array(room, sizeof(*stores), GFP_KERNEL_ACCOUNT);
	rules = kvmalloc_array(room, sizeof(*rules), GFP_KERNEL_ACCOUNT);
	if (!rules || !stores) {
		kvfree(rules);
		kvfree(stores);
		return -ENOMEM;
	}
	if (rs->count) {
		memcpy(rules, rs->rules, rs->count * sizeof(*rules));
		memcpy(stores, rs->stores, rs->count * sizeof(*stores));
	}
	kvfree(rs->rules);
	kvfree(rs->stores);
	rs->rules = rules;
	rs->stores = stores;
	rs->room = room;
	return 0;
}

int ipfi_ruleset_append(struct ipfi_ruleset *rs, struct ipfi_rule *rule, struct ipfi_rule_store *store)
{
	int err;

	if (rs->count == IPFI_RULES_MAX)
		return -E2BIG;
	if (rs->count == rs->room) {
		err = make_room(rs);
		if (err)
			return err;
	}
	store->id = ipfi_rule_id(rule->name, strlen(rule->name));
	atomic64_set(&store->limit_arrival, 0);
	err = rhashtable_lookup_insert_fast(rs->ids, &store->node, id_params);
	if (err)
		return err;
	rule->id = store->id;
	rule->index = rs->count;
	rs->logs |= !!rule->log;
	rs->per_source |= !!(rule->fields & IPFI_FIELD_BIT(IPFI_FIELD_PER_SOURCE));
	rs->stores[rs->count] = store;
	rs->rules[rs->count] = *rule;
	rs->count++;
	return 0;
}

static int compare_name(const void *name, const void *element)
{
	const struct ipfi_ruleset_set *declared = element;

	return strcmp(name, declared->set->name);
}

static struct ipfi_ruleset_set *find_set(const struct ipfi_ruleset *rs, const char *name)
{
	return bsearch(name, rs->sets, rs->set_count, sizeof(*rs->sets), compare_name);
}

int ipfi_ruleset_declare(struct ipfi_net *in, struct ipfi_ruleset *rs, const char *name)
{
	struct ipfi_ruleset_set *sets;
	u32 place = rs->set_count;
	struct ipfi_set *set;

	if (find_set(rs, name))
		return -EEXIST;
	if (rs->set_count == IPFI_SETS_MAX)
		return -E2BIG;
	sets = krealloc_array(rs->sets, rs->set_count + 1, sizeof(*sets), GFP_KERNEL_ACCOUNT);
	if (!sets)
		return -ENOMEM;
	rs->sets = sets;
	set = ipfi_set_hold(in, name);
	if (!set)
		return -ENOMEM;
	while (place && strcmp(name, sets[place - 1].set->name) < 0)
		place--;
	memmove(&sets[place + 1], &sets[place], (rs->set_count - place) * sizeof(*sets));
	sets[place] = (struct ipfi_ruleset_set){ .set = set };
	rs->set_count++;
	return 0;
}

struct ipfi_set *ipfi_ruleset_set(struct ipfi_ruleset *rs, const char *name)
{
	struct ipfi_ruleset_set *declared = find_set(rs, name);

	if (!declared)
		return NULL;
	declared->asked = true;
	return declared->set;
}

bool ipfi_ruleset_asks(const struct ipfi_ruleset *rs, const struct ipfi_set *set)
{
	const struct ipfi_ruleset_set *declared = find_set(rs, set->name);

	return declared && declared->set == set && declared->asked;
}

int ipfi_ruleset_compile(struct ipfi_ruleset *rs)
{
	size_t room = ipfi_classifier_room(rs->rules, rs->count);

	forget_ids(rs);
	if (ipfi_ruleset_take(rs, room * sizeof(*rs->order)))
		return -ENOMEM;
	rs->order = kvmalloc_array(max_t(size_t, room, 1), sizeof(*rs->order), GFP_KERNEL_ACCOUNT);
	if (!rs->order)
		return -ENOMEM;
	ipfi_classifier_build(&rs->classifier, rs->rules, rs->count, rs->order);
	return 0;
}

int ipfi_ruleset_prepare(struct ipfi_ruleset *rs)
{
	unsigned int cpu;
	int err = ipfi_ruleset_compile(rs);

	if (!err)
		err = ipfi_ruleset_take(rs, num_possible_cpus() * rs->count * sizeof(**rs->counters));
	if (err)
		return err;
	rs->counters = kcalloc(nr_cpu_ids, sizeof(*rs->counters), GFP_KERNEL_ACCOUNT);
	if (!rs->counters)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		rs->counters[cpu] = kvcalloc(max(rs->count, 1U), sizeof(**rs->counters), GFP_KERNEL_ACCOUNT);
		if (!rs->counters[cpu])
			return -ENOMEM;
	}
	return 0;
}

const struct ipfi_rule *ipfi_ruleset_find(const struct ipfi_ruleset *rs, u64 id)
{
	u32 i;

	for (i = 0; i < rs->count; i++)
		if (rs->rules[i].id == id)
			return &rs->rules[i];
	return NULL;
}

void ipfi_ruleset_count(const struct ipfi_ruleset *rs, u32 index, struct ipfi_rule_counter *sum)
{
	unsigned int cpu;

	sum->packets = 0;
	sum->bytes = 0;
	for_each_possible_cpu(cpu) {
		sum->packets += READ_ONCE(rs->counters[cpu][index].packets);
		sum->bytes += READ_ONCE(rs->counters[cpu][index].bytes);
	}
}

struct ipfi_ruleset *ipfi_ruleset_closed(const struct ipfi_net *in)
{
	static const struct ipfi_rule closed[] = {
		{ .name = "loopback", .verdict = IPFI_VERDICT_ALLOW, .lists = IPFI_LISTS_FILTER,
		  .fields = IPFI_FIELD_BIT(IPFI_FIELD_IIF), .iif = "lo" },
		/* Rules that speak of IPv4 and IPv6, not the default: they stop neighbour discovery too. */
		{ .name = "closed to IPv4", .verdict = IPFI_VERDICT_DENY, .lists = IPFI_LISTS_FILTER,
		  .fields = IPFI_FIELD_BIT(IPFI_FIELD_FAMILY), .family = 4 },
		{ .name = "closed to IPv6", .verdict = IPFI_VERDICT_DENY, .lists = IPFI_LISTS_FILTER,
		  .fields = IPFI_FIELD_BIT(IPFI_FIELD_FAMILY), .family = 6 },
	};
	struct ipfi_ruleset *rs = ipfi_ruleset_alloc(in);
	unsigned int i;

	if (!rs)
		return NULL;
	strscpy(rs->name, "closed", sizeof(rs->name));
	for (i = 0; i < ARRAY_SIZE(closed); i++) {
		struct ipfi_rule rule = closed[i];
		struct ipfi_rule_store *store = kzalloc(sizeof(*store), GFP_KERNEL_ACCOUNT);

		if (!store || ipfi_ruleset_append(rs, &rule, store)) {
			kfree(store);
			ipfi_ruleset_put(rs);
			return NULL;
		}
	}
	return rs;
}

void ipfi_generations_renew(struct ipfi_net *in, const struct ipfi_set *set)
{
	struct ipfi_ruleset *rs = ipfi_ruleset_running(in);

	/* After the change of the members: who reads the number meets them as they are now. */
	if (rs && ipfi_ruleset_asks(rs, set))
		smp_store_release(&rs->generations.newest, ++in->evaluation);
}

void ipfi_generations_renew_all(struct ipfi_net *in)
{
	struct ipfi_ruleset *rs = ipfi_ruleset_running(in);

	if (!rs)
		return;
	ipfi_changes_note_all(in);
	smp_store_release(&rs->generations.newest, ++in->evaluation);
}

u32 ipfi_generation_of_ruleset(struct ipfi_net *in, u32 number)
{
	const struct ipfi_generations *generations;
	const struct ipfi_ruleset *rs;
	u32 i, last, generation = 0;

	rcu_read_lock();
	rs = rcu_dereference(in->ruleset);
	if (rs) {
		generations = &rs->generations;
		last = rs->generation;
		for (i = 0; i < generations->runs; i++) {
			generation = generations->run[i].generation;
			if ((s32)(number - generations->run[i].number) >= 0)
				break;
			last = generation - 1;
		}
		/* Behind the run's last rule set the numbers are those of changed sets: they are its own. */
		if (i < generations->runs)
			generation += min(number - generations->run[i].number, last - generation);
	}
	rcu_read_unlock();
	return generation;
}
