/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ordered trees, balanced by chance: a treap (Seidel and Aragon, Randomized search trees, 1996) whose priorities are hashes of the nodes' addresses, so that a node needs no room for one. */
#ifndef IPFI_ENGINE_LINUX_RBTREE_H
#define IPFI_ENGINE_LINUX_RBTREE_H

#include <linux/container_of.h>
#include <linux/types.h>

struct rb_node {
	struct rb_node *rb_parent, *rb_left, *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

#define RB_ROOT ((struct rb_root){ NULL })
#define RB_ROOT_CACHED ((struct rb_root_cached){ { NULL } })
#define RB_EMPTY_ROOT(root) (!(root)->rb_node)
#define rb_entry(pointer, type, member) container_of(pointer, type, member)

typedef bool (*rb_before_t)(struct rb_node *node, const struct rb_node *other);

/* Behind all that it does not come before. */
void rb_add(struct rb_node *node, struct rb_root *root, rb_before_t before);
void rb_erase(struct rb_node *node, struct rb_root *root);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_find(const void *key, const struct rb_root *root,
			int (*compare)(const void *key, const struct rb_node *node));

#define rb_add_cached(node, root, before) rb_add(node, &(root)->rb_root, before)
#define rb_erase_cached(node, root) rb_erase(node, &(root)->rb_root)
#define rb_first_cached(root) rb_first(&(root)->rb_root)

#endif
