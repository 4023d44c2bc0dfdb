/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hash tables that grow and shrink. */
#ifndef IPFI_ENGINE_LINUX_RHASHTABLE_TYPES_H
#define IPFI_ENGINE_LINUX_RHASHTABLE_TYPES_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct rhash_head {
	struct rhash_head *next;
};

struct rhashtable;

struct rhashtable_compare_arg {
	struct rhashtable *ht;
	const void *key;
};

struct rhashtable_params {
	u16 key_len, key_offset, head_offset;
	unsigned int min_size;
	bool automatic_shrinking;
	u32 (*hashfn)(const void *key, u32 length, u32 seed);
	u32 (*obj_hashfn)(const void *object, u32 length, u32 seed);
	int (*obj_cmpfn)(struct rhashtable_compare_arg *arg, const void *object);
};

/* The chains, each ended by NULL. */
struct bucket_table {
	unsigned int size; /* a power of two */
	u32 hash_rnd;
	struct bucket_table *future_tbl; /* always NULL: all nodes move at once */
	struct rhash_head *buckets[];
};

struct rhashtable {
	struct bucket_table *tbl;
	struct rhashtable_params p;
	atomic_t nelems;
	struct work_struct run_work; /* the resize that waits until nobody reads */
};

#endif
