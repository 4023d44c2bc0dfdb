// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hash tables. Who reads one, under RCU, may hold the array of its buckets for as long as it reads: a resize waits
 * until nobody does, as work without a delay. Who inserts many at once without reading resizes at once.
 */
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#define SIZE_LEAST 16

static struct bucket_table *make_buckets(unsigned int size)
{
	struct bucket_table *buckets = calloc(1, struct_size(buckets, buckets, size));

	if (!buckets)
		return NULL;
	buckets->size = size;
	buckets->hash_rnd = get_random_u32();
	return buckets;
}

static unsigned int least_size(const struct rhashtable *ht)
{
	return max_t(unsigned int, (unsigned int)roundup_pow_of_two(ht->p.min_size), SIZE_LEAST);
}

static void *object_of(const struct rhashtable *ht, struct rhash_head *node)
{
	return (u8 *)node - ht->p.head_offset;
}

u32 rhashtable_hash_(const struct rhashtable *ht, const void *key, u32 seed)
{
	if (ht->p.hashfn)
		return ht->p.hashfn(key, ht->p.key_len, seed);
	return jhash2(key, ht->p.key_len / sizeof(u32), seed);
}

static u32 hash_of(const struct rhashtable *ht, struct rhash_head *node, u32 seed)
{
	u8 *object = object_of(ht, node);

	if (ht->p.obj_hashfn)
		return ht->p.obj_hashfn(object, ht->p.key_len, seed);
	return rhashtable_hash_(ht, object + ht->p.key_offset, seed);
}

static struct rhash_head **bucket_of(const struct rhashtable *ht, const struct bucket_table *buckets,
				     struct rhash_head *node)
{
	return (struct rhash_head **)&buckets->buckets[rht_bucket_index(buckets,
									hash_of(ht, node, buckets->hash_rnd))];
}

static void push(const struct rhashtable *ht, struct bucket_table *buckets, struct rhash_head *node)
{
	struct rhash_head **bucket = bucket_of(ht, buckets, node);

	node->next = *bucket;
	*bucket = node;
}

static bool is_full(const struct rhashtable *ht)
{
	return (unsigned int)atomic_read(&ht->nelems) > ht->tbl->size / 4 * 3;
}

static bool is_sparse(const struct rhashtable *ht)
{
	const unsigned int nodes = (unsigned int)atomic_read(&ht->nelems);

	return ht->p.automatic_shrinking && nodes < ht->tbl->size / 10 * 3 && ht->tbl->size > least_size(ht);
}

/* Without memory it stays as it is: the chains become longer. */
static void resize(struct rhashtable *ht)
{
	const unsigned int nodes = (unsigned int)atomic_read(&ht->nelems);
	unsigned int size = max_t(unsigned int, (unsigned int)roundup_pow_of_two(nodes * 2), least_size(ht)), i;
	struct bucket_table *old = ht->tbl, *buckets;
	struct rhash_head *node, *next;

	if (size == old->size)
		return;
	buckets = make_buckets(size);
	if (!buckets)
		return;
	for (i = 0; i < old->size; i++) {
		for (node = old->buckets[i]; node; node = next) {
			next = node->next;
			push(ht, buckets, node);
		}
	}
	ht->tbl = buckets;
	free(old);
}

static void resize_later(struct work_struct *work)
{
	struct rhashtable *ht = container_of(work, struct rhashtable, run_work);

	if (is_full(ht) || is_sparse(ht))
		resize(ht);
}

int rhashtable_init(struct rhashtable *ht, const struct rhashtable_params *params)
{
	BUG_ON(params->key_len % sizeof(u32) && !params->hashfn);
	memset(ht, 0, sizeof(*ht));
	ht->p = *params;
	work_init(&ht->run_work, resize_later);
	ht->tbl = make_buckets(least_size(ht));
	return ht->tbl ? 0 : -ENOMEM;
}

void rhashtable_destroy(struct rhashtable *ht)
{
	cancel_work_sync(&ht->run_work);
	free(ht->tbl);
	ht->tbl = NULL;
}

void rhashtable_free_and_destroy(struct rhashtable *ht, void (*free_object)(void *object, void *arg), void *arg)
{
	struct rhash_head *node, *next;
	unsigned int i;

	for (i = 0; i < ht->tbl->size; i++) {
		for (node = ht->tbl->buckets[i]; node; node = next) {
			next = node->next;
			free_object(object_of(ht, node), arg);
		}
	}
	rhashtable_destroy(ht);
}

static bool is_it(struct rhashtable *ht, struct rhash_head *node, const void *key)
{
	u8 *object = object_of(ht, node);
	struct rhashtable_compare_arg arg = { .ht = ht, .key = key };

	if (ht->p.obj_cmpfn)
		return !ht->p.obj_cmpfn(&arg, object);
	return !memcmp(object + ht->p.key_offset, key, ht->p.key_len);
}

void *rhashtable_find_(struct rhashtable *ht, const void *key)
{
	struct bucket_table *buckets = ht->tbl;
	struct rhash_head *node;

	node = buckets->buckets[rht_bucket_index(buckets, rhashtable_hash_(ht, key, buckets->hash_rnd))];
	for (; node; node = node->next)
		if (is_it(ht, node, key))
			return object_of(ht, node);
	return NULL;
}

int rhashtable_insert_(struct rhashtable *ht, struct rhash_head *node)
{
	push(ht, ht->tbl, node);
	atomic_inc(&ht->nelems);
	if (likely(!is_full(ht)))
		return 0;
	if (rcu_readers)
		queue_work(NULL, &ht->run_work);
	else
		resize(ht);
	return 0;
}

int rhashtable_insert_new_(struct rhashtable *ht, struct rhash_head *node)
{
	u8 *object = object_of(ht, node);

	return rhashtable_find_(ht, object + ht->p.key_offset) ? -EEXIST : rhashtable_insert_(ht, node);
}

void *rhashtable_get_or_insert_(struct rhashtable *ht, const void *key, struct rhash_head *node)
{
	void *object = rhashtable_find_(ht, key);

	if (!object)
		rhashtable_insert_(ht, node);
	return object;
}

int rhashtable_remove_(struct rhashtable *ht, struct rhash_head *node)
{
	struct rhash_head **place = bucket_of(ht, ht->tbl, node);

	while (*place && *place != node)
		place = &(*place)->next;
	if (!*place)
		return -ENOENT;
	/* Who reads on from it finds its way: what it leads to stays. */
	*place = node->next;
	atomic_dec(&ht->nelems);
	if (unlikely(is_sparse(ht)))
		queue_work(NULL, &ht->run_work);
	return 0;
}
