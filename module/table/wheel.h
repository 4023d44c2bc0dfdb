/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deadlines: a hashed timer wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 6)
 * that is lazy: a packet only writes its state's deadline. The slot a state stands in is never later than its
 * deadline; when the slot's time has come the worker (gc.c) looks at the deadline and either ends the state or
 * moves it on. Only a deadline that comes nearer moves a state at once.
 *
 * The wheel is split into shards by the state's address, each with its own lock, so that two CPUs that make
 * connections seldom meet. A worker, in process context, turns all shards of a namespace every tick.
 */
#ifndef IPFI_WHEEL_H
#define IPFI_WHEEL_H

#include <linux/list.h>
#include <linux/log2.h>
#include <linux/spinlock.h>

struct ipfi_net;
struct ipfi_state;

/* A slot's width in jiffies: the power of two that lies between 1/8 and 1/4 second. */
#define IPFI_WHEEL_SHIFT ilog2(HZ / 4)
#define IPFI_WHEEL_SLOTS 2048 /* 256 to 512 s; what is due later waits in the last slot and moves on */

#define IPFI_WHEEL_SHARDS 16  /* at most; a power of two that the CPUs ask for */

/* So many dead states are not left to wait for the next tick. */
#define IPFI_DYING_SOON 256

struct ipfi_wheel_shard {
	spinlock_t lock;
	u32 turned; /* the slot of this tick and those before it have been turned */
	struct hlist_head slots[IPFI_WHEEL_SLOTS];
};

/* The tick of @when, low jiffies. */
static inline u32 ipfi_wheel_tick(u32 when)
{
	return when >> IPFI_WHEEL_SHIFT;
}

/* How many ticks @to is ahead of @from: they wrap with the low word of jiffies. */
static inline s32 ipfi_wheel_ahead(u32 from, u32 to)
{
	return (s32)((to - from) << IPFI_WHEEL_SHIFT) >> IPFI_WHEEL_SHIFT;
}

/*
 * The slot in which @state has to stand now: the first that is turned at or after its deadline, the one that
 * is turned next if that is past, the furthest if the deadline lies beyond. Under the shard's lock.
 */
struct hlist_head *ipfi_wheel_slot(struct ipfi_wheel_shard *shard, const struct ipfi_state *state);

/* Puts a new locked state into the wheel by its deadline. */
void ipfi_wheel_add(struct ipfi_net *in, struct ipfi_state *state);

/* The deadline of a locked state came nearer. */
void ipfi_wheel_advance(struct ipfi_net *in, struct ipfi_state *state);

/*
 * Takes a dead state out of the wheel and hands it to the worker, which frees it: with the next tick, or at once when
 * there are many.
 */
void ipfi_wheel_remove(struct ipfi_net *in, struct ipfi_state *state);

#endif /* IPFI_WHEEL_H */
