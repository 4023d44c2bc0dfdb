/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world: a network namespace, its clock and all that the stand-in keeps for it. What the module calls finds the
 * world that is running in `world`: every function of engine.h lets one run, from world_enter() to world_leave().
 */
#ifndef IPFI_ENGINE_WORLD_H
#define IPFI_ENGINE_WORLD_H

#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/types.h>
#include <net/net_namespace.h>

#include "shell/engine/engine.h"

#define HOOKS_MOST 8

/* Some of the kernel's log. */
struct line {
	struct list_head entry;
	char text[];
};

struct work_struct;

struct engine_world {
	struct net net;
	u64 clock; /* ns since it began */
	u64 epoch; /* ns since the epoch when it began */
	u64 random; /* the generator's state */
	bool without_ipv6;
	struct engine_world *outside; /* that has the machine's first namespace, NULL: this one */
	unsigned int inside;          /* worlds of which this is the outside */

	struct list_head devices;
	int last_index;
	struct list_head sockets;
	struct list_head delayed; /* struct delayed_work, by when it is due */
	const struct nf_hook_ops *hooks[2][NF_INET_NUMHOOKS][HOOKS_MOST + 1]; /* by family, place, priority; ended by NULL */

	unsigned int hooks_gone; /* how often hooks were unregistered: what waits for user space is lost then */

	struct list_head said; /* struct line */
	struct line *told;     /* the one that was asked for last */
	struct sk_buff *packet; /* that passed last */
	struct sk_buff *answers, *answered; /* to it: those not yet asked for; those that were */
	struct sk_buff *backlog; /* what has left by loopback and is to come in again */
	const struct engine_address *borrowed; /* counts as the machine's own, NULL for none */
};

/* The one that is running. NULL: none. */
extern struct engine_world *world;

void world_enter(struct engine_world *one);

/* Everything that has no delay is done before. */
void world_leave(void);

static inline struct engine_world *world_of(const struct net *net)
{
	return container_of(net, struct engine_world, net);
}

/* Each of the parts that a world has, begun and ended. */
int device_begin(struct engine_world *one);
void device_end(struct engine_world *one);
void socket_orphan(struct engine_world *one);

/* Lets the clock of the running world show @clock. */
void clock_set(u64 clock);

/* Does one that is queued. */
void work_run(struct work_struct *work);

/* Does what has no delay: grace periods, work. Nobody may be reading. */
void work_settle(void);

/* Frees packets of the last pass. */
void path_forget(struct engine_world *one);

#endif
