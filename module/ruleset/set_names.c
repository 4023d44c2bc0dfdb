// SPDX-License-Identifier: GPL-2.0-or-later
/* The sets of a network namespace, by their names. */
#include <linux/slab.h>
#include "module/net.h"
#include "module/ruleset/changes.h"
#include "module/ruleset/set.h"

static struct ipfi_set *by_name(const struct rb_node *node)
{
	return rb_entry(node, struct ipfi_set, by_name);
}

static int compare_name(const void *name, const struct rb_node *node)
{
	return strcmp(name, by_name(node)->name);
}

static bool comes_before(struct rb_node *a, const struct rb_node *b)
{
	return strcmp(by_name(a)->name, by_name(b)->name) < 0;
}

static struct ipfi_set *find(struct ipfi_sets *sets, const char *name)
{
	struct rb_node *node;

	lockdep_assert_held(&sets->lock);
	node = rb_find(name, &sets->by_name, compare_name);
	return node ? by_name(node) : NULL;
}

struct ipfi_set *ipfi_set_hold(struct ipfi_net *in, const char *name)
{
	struct ipfi_set *made, *set;

	if (ipfi_changes_start(in))
		return NULL;
	made = ipfi_set_alloc(in, name);
	if (!made)
		return NULL;
	spin_lock(&in->sets.lock);
	set = find(&in->sets, name);
	if (set) {
		refcount_inc(&set->references);
	} else {
		set = made;
		rb_add(&set->by_name, &in->sets.by_name, comes_before);
	}
	set->holders++;
	spin_unlock(&in->sets.lock);
	if (set != made)
		ipfi_set_put(made);
	return set;
}

void ipfi_set_leave(struct ipfi_set *set)
{
	struct ipfi_sets *sets = &set->in->sets;

	spin_lock(&sets->lock);
	if (!--set->holders)
		rb_erase(&set->by_name, &sets->by_name);
	spin_unlock(&sets->lock);
}

struct ipfi_set *ipfi_set_get(struct ipfi_net *in, const char *name)
{
	struct ipfi_set *set;

	spin_lock(&in->sets.lock);
	set = find(&in->sets, name);
	if (set)
		refcount_inc(&set->references);
	spin_unlock(&in->sets.lock);
	return set;
}

struct ipfi_set *ipfi_set_next(struct ipfi_net *in, const char *name)
{
	struct ipfi_set *next = NULL;
	struct rb_node *node;

	spin_lock(&in->sets.lock);
	for (node = in->sets.by_name.rb_node; node;) {
		if (compare_name(name, node) < 0) {
			next = by_name(node);
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	if (next)
		refcount_inc(&next->references);
	spin_unlock(&in->sets.lock);
	return next;
}

void ipfi_sets_init(struct ipfi_net *in)
{
	spin_lock_init(&in->sets.lock);
	in->sets.by_name = RB_ROOT;
}
