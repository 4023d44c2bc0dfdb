// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/hash.h>
#include <linux/rbtree.h>

/* The higher one stands above. */
static bool is_above(const struct rb_node *a, const struct rb_node *b)
{
	const u32 hash_a = hash_ptr(a, 32), hash_b = hash_ptr(b, 32);

	return hash_a > hash_b || (hash_a == hash_b && a > b);
}

/* Puts @node, or NULL, into the place of @old. */
static void replace(struct rb_node *old, struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = old->rb_parent;

	if (!parent)
		root->rb_node = node;
	else if (parent->rb_left == old)
		parent->rb_left = node;
	else
		parent->rb_right = node;
	if (node)
		node->rb_parent = parent;
}

/* Lets @node change places with its parent. */
static void rotate_up(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->rb_parent;
	struct rb_node *between;

	replace(parent, node, root);
	if (parent->rb_left == node) {
		between = node->rb_right;
		node->rb_right = parent;
		parent->rb_left = between;
	} else {
		between = node->rb_left;
		node->rb_left = parent;
		parent->rb_right = between;
	}
	if (between)
		between->rb_parent = parent;
	parent->rb_parent = node;
}

void rb_add(struct rb_node *node, struct rb_root *root, rb_before_t before)
{
	struct rb_node **place = &root->rb_node, *parent = NULL;

	while (*place) {
		parent = *place;
		place = before(node, parent) ? &parent->rb_left : &parent->rb_right;
	}
	node->rb_parent = parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*place = node;
	while (node->rb_parent && is_above(node, node->rb_parent))
		rotate_up(node, root);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	while (node->rb_left && node->rb_right)
		rotate_up(is_above(node->rb_left, node->rb_right) ? node->rb_left : node->rb_right, root);
	replace(node, node->rb_left ? node->rb_left : node->rb_right, root);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	if (node->rb_right) {
		const struct rb_root below = { node->rb_right };

		return rb_first(&below);
	}
	while (node->rb_parent && node->rb_parent->rb_right == node)
		node = node->rb_parent;
	return node->rb_parent;
}

struct rb_node *rb_find(const void *key, const struct rb_root *root,
			int (*compare)(const void *key, const struct rb_node *node))
{
	struct rb_node *node = root->rb_node;

	while (node) {
		int order = compare(key, node);

		if (!order)
			break;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return node;
}
