/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists, with two ends and with one. */
#ifndef IPFI_ENGINE_LINUX_LIST_H
#define IPFI_ENGINE_LINUX_LIST_H

#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/types.h>

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_link_(struct list_head *entry, struct list_head *before, struct list_head *behind)
{
	entry->prev = before;
	entry->next = behind;
	before->next = entry;
	behind->prev = entry;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	list_link_(entry, head, head->next);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	list_link_(entry, head->prev, head);
}

/* Who uses it afterwards meets no list. */
static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	entry->next = NULL;
	entry->prev = NULL;
}

static inline void list_del_init(struct list_head *entry)
{
	list_del(entry);
	INIT_LIST_HEAD(entry);
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	list_del(entry);
	list_add_tail(entry, head);
}

#define list_entry(pointer, type, member) container_of(pointer, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_next_entry_(at, member) list_entry((at)->member.next, __typeof__(*(at)), member)
#define list_for_each_entry(at, head, member)                                       \
	for ((at) = list_first_entry(head, __typeof__(*(at)), member);              \
	     &(at)->member != (head); (at) = list_next_entry_(at, member))
#define list_for_each_entry_safe(at, behind, head, member)                                              \
	for ((at) = list_first_entry(head, __typeof__(*(at)), member), (behind) = list_next_entry_(at, member); \
	     &(at)->member != (head); (at) = (behind), (behind) = list_next_entry_(behind, member))
#define list_add_rcu(entry, head) list_add(entry, head)
#define list_add_tail_rcu(entry, head) list_add_tail(entry, head)
#define list_for_each_entry_rcu(at, head, member, ...) list_for_each_entry(at, head, member)

/* What is read on goes on to where the entry stood. */
static inline void list_del_rcu(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	entry->prev = NULL;
}

#define INIT_HLIST_HEAD(head) ((head)->first = NULL)
#define hlist_entry(pointer, type, member) container_of(pointer, type, member)
#define hlist_entry_safe_(pointer, type, member)                                \
	({                                                                      \
		__typeof__(pointer) node_ = (pointer);                          \
		node_ ? hlist_entry(node_, type, member) : NULL;                \
	})

static inline void INIT_HLIST_NODE(struct hlist_node *node)
{
	node->next = NULL;
	node->pprev = NULL;
}

static inline bool hlist_unhashed(const struct hlist_node *node)
{
	return !node->pprev;
}

static inline bool hlist_empty(const struct hlist_head *head)
{
	return !head->first;
}

static inline void hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
	node->next = head->first;
	if (head->first)
		head->first->pprev = &node->next;
	head->first = node;
	node->pprev = &head->first;
}

/* Like its name in the kernel, it leaves the way on to the next one. */
static inline void hlist_del_rcu(struct hlist_node *node)
{
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
	node->pprev = NULL;
}

static inline void hlist_del(struct hlist_node *node)
{
	hlist_del_rcu(node);
	node->next = NULL;
}

static inline void hlist_del_init(struct hlist_node *node)
{
	if (node->pprev)
		hlist_del(node);
}

#define hlist_add_head_rcu(node, head) hlist_add_head(node, head)
#define hlist_for_each_entry(at, head, member)                                                  \
	for ((at) = hlist_entry_safe_((head)->first, __typeof__(*(at)), member); (at);          \
	     (at) = hlist_entry_safe_((at)->member.next, __typeof__(*(at)), member))
#define hlist_for_each_entry_rcu(at, head, member, ...) hlist_for_each_entry(at, head, member)
#define hlist_for_each_entry_safe(at, node, head, member)                                       \
	for ((at) = hlist_entry_safe_((head)->first, __typeof__(*(at)), member);                \
	     (at) && ((node) = (at)->member.next, 1);                                           \
	     (at) = hlist_entry_safe_(node, __typeof__(*(at)), member))

#endif
