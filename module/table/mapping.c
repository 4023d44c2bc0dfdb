// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/table/mapping.h"

static const struct rhashtable_params end_params = {
	.head_offset = offsetof(struct ipfi_mapping_node, node),
	.key_offset = offsetof(struct ipfi_mapping_node, end),
	.key_len = sizeof(struct ipfi_end),
	.automatic_shrinking = true,
};

int ipfi_mappings_init(struct ipfi_net *in)
{
	spin_lock_init(&in->mappings.lock);
	return rhashtable_init(&in->mappings.hash, &end_params);
}

/* Every state is gone, and so is every mapping. */
void ipfi_mappings_exit(struct ipfi_net *in)
{
	rhashtable_destroy(&in->mappings.hash);
}

u64 ipfi_mappings_memory(const struct ipfi_net *in)
{
	return (u64)atomic_read(&in->mappings.hash.nelems) / 2 * sizeof(struct ipfi_mapping);
}

static void end_of_source(struct ipfi_end *end, const struct ipfi_tuple *tuple, bool outer)
{
	end->addr = tuple->src;
	end->port = tuple->sport;
	end->proto = tuple->proto;
	end->family = tuple->family;
	end->outer = outer;
	end->vrf = tuple->src_vrf;
	memset(end->zero, 0, sizeof(end->zero));
}

struct ipfi_mapping *ipfi_mapping_get(struct ipfi_net *in, const struct ipfi_tuple *tuple)
{
	struct ipfi_mapping_node *node;
	struct ipfi_mapping *mapping = NULL;
	struct ipfi_end end;

	end_of_source(&end, tuple, false);
	spin_lock(&in->mappings.lock);
	node = rhashtable_lookup_fast(&in->mappings.hash, &end, end_params);
	if (node) {
		mapping = container_of(node, struct ipfi_mapping, inner);
		mapping->users++;
	}
	spin_unlock(&in->mappings.lock);
	return mapping;
}

bool ipfi_mapping_look(struct ipfi_net *in, const struct ipfi_tuple *tuple, struct ipfi_end *outer)
{
	struct ipfi_mapping *mapping = ipfi_mapping_get(in, tuple);

	if (!mapping)
		return false;
	*outer = mapping->outer.end;
	ipfi_mapping_put(in, mapping);
	return true;
}

bool ipfi_mapping_is_free(struct ipfi_net *in, const struct ipfi_tuple *leaving)
{
	struct ipfi_end end;

	end_of_source(&end, leaving, true);
	return !rhashtable_lookup_fast(&in->mappings.hash, &end, end_params);
}

struct ipfi_mapping *ipfi_mapping_alloc(void)
{
	struct ipfi_mapping *mapping = kmalloc(sizeof(*mapping), GFP_ATOMIC | __GFP_NOWARN);

	if (!mapping)
		return NULL;
	mapping->users = 1;
	mapping->entered = false;
	return mapping;
}

static bool is_taken(struct ipfi_net *in, const struct ipfi_mapping_node *node)
{
	return rhashtable_lookup_fast(&in->mappings.hash, &node->end, end_params);
}

/* Nobody else changes the table meanwhile. */
static int enter(struct ipfi_net *in, struct ipfi_mapping *mapping)
{
	struct rhashtable *hash = &in->mappings.hash;
	int err;

	lockdep_assert_held(&in->mappings.lock);
	if (is_taken(in, &mapping->inner))
		return -EEXIST;
	if (is_taken(in, &mapping->outer))
		return -EADDRINUSE;
	err = rhashtable_insert_fast(hash, &mapping->inner.node, end_params);
	if (err)
		return -ENOMEM;
	err = rhashtable_insert_fast(hash, &mapping->outer.node, end_params);
	if (err) {
		rhashtable_remove_fast(hash, &mapping->inner.node, end_params);
		return -ENOMEM;
	}
	mapping->entered = true;
	return 0;
}

static void unlink_nodes(struct ipfi_net *in, struct ipfi_mapping *mapping)
{
	lockdep_assert_held(&in->mappings.lock);
	if (!mapping->entered)
		return;
	rhashtable_remove_fast(&in->mappings.hash, &mapping->inner.node, end_params);
	rhashtable_remove_fast(&in->mappings.hash, &mapping->outer.node, end_params);
	mapping->entered = false;
}

int ipfi_mapping_enter(struct ipfi_net *in, struct ipfi_mapping *mapping, const struct ipfi_tuple *real,
		       const struct ipfi_tuple *leaving)
{
	int err;

	end_of_source(&mapping->inner.end, real, false);
	end_of_source(&mapping->outer.end, leaving, true);
	spin_lock(&in->mappings.lock);
	err = enter(in, mapping);
	spin_unlock(&in->mappings.lock);
	return err;
}

bool ipfi_mapping_withdraw(struct ipfi_net *in, struct ipfi_mapping *mapping)
{
	bool alone;

	spin_lock(&in->mappings.lock);
	alone = mapping->users == 1;
	if (alone)
		unlink_nodes(in, mapping);
	spin_unlock(&in->mappings.lock);
	return alone;
}

void ipfi_mapping_put(struct ipfi_net *in, struct ipfi_mapping *mapping)
{
	bool last;

	if (!mapping)
		return;
	spin_lock(&in->mappings.lock);
	last = !--mapping->users;
	if (last)
		unlink_nodes(in, mapping);
	spin_unlock(&in->mappings.lock);
	/* Another CPU may still be looking at its ends. */
	if (last)
		kfree_rcu(mapping, rcu);
}
