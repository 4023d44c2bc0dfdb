/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces: each world is one (../../world.h). */
#ifndef IPFI_ENGINE_NET_NET_NAMESPACE_H
#define IPFI_ENGINE_NET_NET_NAMESPACE_H

#include <linux/types.h>

struct user_namespace;

struct net {
	void *generic; /* what the module has of it */
	struct user_namespace *user_ns;
};

/* The namespace that the machine began with, as the running world sees it: its own, or that of the world it is inside. */
struct net *first_namespace(void);
#define init_net (*first_namespace())

static inline bool net_eq(const struct net *a, const struct net *b)
{
	return a == b;
}

struct pernet_operations {
	int (*init)(struct net *net);
	void (*pre_exit)(struct net *net);
	void (*exit)(struct net *net);
	unsigned int *id;
	size_t size;
};

int register_pernet_subsys(struct pernet_operations *operations);
void unregister_pernet_subsys(struct pernet_operations *operations);

/* A world lives for as long as anything of it can run. */
static inline struct net *maybe_get_net(struct net *net)
{
	return net;
}

static inline struct net *get_net(struct net *net)
{
	return net;
}

static inline void put_net(struct net *net)
{
	(void)net;
}

#endif
