/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list that many may add to; here one. */
#ifndef IPFI_ENGINE_LINUX_LLIST_H
#define IPFI_ENGINE_LINUX_LLIST_H

#include <linux/container_of.h>
#include <linux/types.h>

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

static inline void init_llist_head(struct llist_head *head)
{
	head->first = NULL;
}

static inline bool llist_empty(const struct llist_head *head)
{
	return !head->first;
}

/* True when it is the first. */
static inline bool llist_add(struct llist_node *node, struct llist_head *head)
{
	node->next = head->first;
	head->first = node;
	return !node->next;
}

static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	struct llist_node *all = head->first;

	head->first = NULL;
	return all;
}

#define llist_entry_safe_(node, type, member)                              \
	({                                                                 \
		struct llist_node *node_ = (node);                         \
		node_ ? container_of(node_, type, member) : NULL;          \
	})
#define llist_for_each_entry_safe(at, behind, node, member)                                      \
	for ((at) = llist_entry_safe_(node, __typeof__(*(at)), member);                          \
	     (at) && ((behind) = llist_entry_safe_((at)->member.next, __typeof__(*(at)), member), 1); \
	     (at) = (behind))

#endif
