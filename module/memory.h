/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory: what namespaces take of it, and who pays.
 *
 * Whoever is root of a namespace of his own decides what it keeps: states, rules, members of sets. So what all
 * namespaces but the first hold together is counted in bytes and has a cap (module parameter namespaces_memory), and
 * all of it is charged to a cgroup: what netlink requests ask for to the one that asks, what packets make to the one
 * that committed the namespace's first rule set, since packets belong to nobody. The first namespace is the machine's
 * own: its limits bind it, and nobody counts.
 *
 * Not counted and not charged: the arrays of the hash tables, which the kernel allocates by itself (at most 16 bytes a
 * node, 3 nodes an extended state), and what is freed and waits for its grace period, dead states excepted.
 */
#ifndef IPFI_MEMORY_H
#define IPFI_MEMORY_H

#include <linux/types.h>

struct ipfi_net;
struct kmem_cache;
struct mem_cgroup;

int ipfi_memory_init(void);
void ipfi_memory_exit(void);

void ipfi_memory_begin(struct ipfi_net *in);
void ipfi_memory_end(struct ipfi_net *in);

/* The caller's cgroup pays for what packets make from now on, unless another does already. Holds in->mutex. */
void ipfi_memory_pay(struct ipfi_net *in);

/*
 * Counts @bytes more of a namespace that is @counted, or that many less. False: that is more than all of them may have;
 * nothing is counted then. They need no namespace, which what is freed late has no more.
 */
bool ipfi_memory_take(bool counted, size_t bytes);
void ipfi_memory_give(bool counted, size_t bytes);

/*
 * An object of @cache, or of @size bytes where that is NULL, that a packet makes: counted, and charged to who pays.
 * NULL without memory, or at the cap. Whoever frees it gives its bytes back (ipfi_memory_give()). No sleep, BHs off.
 */
void *ipfi_memory_alloc(struct ipfi_net *in, struct kmem_cache *cache, size_t size);

#endif /* IPFI_MEMORY_H */
