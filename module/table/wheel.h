/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expiry: a hashed timer wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 6)
 * that is lazy: a packet only writes its state's deadline. The slot a state stands in is never later than its
 * deadline; when the slot's time has come the worker looks at the deadline and either ends the state or
 * moves it on. Only a deadline that comes nearer moves a state at once.
 *
 * The wheel is split into shards by the state's address, each with its own lock, so that two CPUs that make
 * connections seldom meet. A worker, in process context, turns all shards of a namespace every tick.
 */
#ifndef IPFI_EXPIRY_H
#define IPFI_EXPIRY_H

#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/log2.h>

struct ipfi_net;
struct ipfi_state;

/* A slot's width in jiffies: the power of two that lies between 1/8 and 1/4 second. */
#define IPFI_EXPIRY_SHIFT ilog2(HZ / 4)
#define IPFI_EXPIRY_SLOTS 2048 /* 256 to 512 s; what is due later waits in the last slot and moves on */

#define IPFI_EXPIRY_SHARDS 16  /* at most; a power of two that the CPUs ask for */

struct ipfi_expiry_shard {
	spinlock_t lock;
	u32 turned; /* the slot of this tick (low jiffies >> shift) and those before it have been turned */
	struct hlist_head slots[IPFI_EXPIRY_SLOTS];
};

struct ipfi_expiry {
	struct ipfi_expiry_shard **shards;
	unsigned int shard_mask;
	u32 turned; /* as the shards', for the worker alone */
	struct llist_head graveyard;
	struct delayed_work work;
};

void ipfi_expiry_init(struct ipfi_net *in);

/* Stops the worker and frees wheel and graveyard; states still in the wheel are the caller's. */
void ipfi_expiry_exit(struct ipfi_net *in);

/* Makes the wheel and starts to turn it; again is harmless. -ENOMEM leaves all as it was. */
int ipfi_expiry_start(struct ipfi_net *in);

/* Puts a new locked state into the wheel by its deadline. */
void ipfi_expiry_add(struct ipfi_net *in, struct ipfi_state *state);

/* The deadline of a locked state came nearer. */
void ipfi_expiry_advance(struct ipfi_net *in, struct ipfi_state *state);

/*
 * Takes a dead state out of the wheel and hands it to the worker, which frees it: with the next tick, or at once when
 * there are many.
 */
void ipfi_expiry_bury(struct ipfi_net *in, struct ipfi_state *state);

#endif /* IPFI_EXPIRY_H */
