/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hash tables that grow and shrink: when three quarters are taken, and when less than three tenths are. All nodes move at once, when nobody reads. */
#ifndef IPFI_ENGINE_LINUX_RHASHTABLE_H
#define IPFI_ENGINE_LINUX_RHASHTABLE_H

#include <linux/container_of.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>

int rhashtable_init(struct rhashtable *ht, const struct rhashtable_params *params);
void rhashtable_destroy(struct rhashtable *ht);
void rhashtable_free_and_destroy(struct rhashtable *ht, void (*free_object)(void *object, void *arg), void *arg);

/* The table's own parameters are those that are given with each call. */
void *rhashtable_find_(struct rhashtable *ht, const void *key);
#define rhashtable_lookup(ht, key, params) rhashtable_find_(ht, key)
#define rhashtable_lookup_fast(ht, key, params) rhashtable_find_(ht, key)

int rhashtable_insert_(struct rhashtable *ht, struct rhash_head *node);
#define rhashtable_insert_fast(ht, node, params) rhashtable_insert_(ht, node)

/* -EEXIST when there is one of this key. */
int rhashtable_insert_new_(struct rhashtable *ht, struct rhash_head *node);
#define rhashtable_lookup_insert_fast(ht, node, params) rhashtable_insert_new_(ht, node)

/* The object of this key that is there, else NULL and @node is inserted; or ERR_PTR(). */
void *rhashtable_get_or_insert_(struct rhashtable *ht, const void *key, struct rhash_head *node);
#define rhashtable_lookup_get_insert_key(ht, key, node, params) rhashtable_get_or_insert_(ht, key, node)

/* -ENOENT when it is not there. */
int rhashtable_remove_(struct rhashtable *ht, struct rhash_head *node);
#define rhashtable_remove_fast(ht, node, params) rhashtable_remove_(ht, node)

static inline unsigned int rht_bucket_index(const struct bucket_table *tbl, u32 hash)
{
	return hash & (tbl->size - 1);
}

u32 rhashtable_hash_(const struct rhashtable *ht, const void *key, u32 seed);
#define rht_key_get_hash(ht, key, params, seed) rhashtable_hash_(ht, key, seed)

#define rht_dereference_rcu(pointer, ht) (pointer)
#define rht_bucket(tbl, index) (&(tbl)->buckets[index])
#define rht_ptr_rcu(bucket) (*(bucket))
#define rht_is_a_nulls(node) (!(node))
#define rht_for_each_entry_rcu(at, node, tbl, index, member)                                              \
	for ((node) = (tbl)->buckets[index];                                                              \
	     (node) && ((at) = container_of(node, __typeof__(*(at)), member), 1); (node) = (node)->next)

#endif
