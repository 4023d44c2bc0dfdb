/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The drop recorder: the last IPFI_DROPS_KEPT packets that were dropped in a namespace, always on.
 *
 * It is a ring under a lock of its own. In a second IPFI_DROPS_RATE packets are written to it at most; when these are
 * spent, a dropped packet reads two words that nobody writes then, and counts itself on its own CPU. So a flood is
 * told of by its first packets of each second and by a number, and no lock is fought for.
 */
#ifndef IPFI_DROPS_H
#define IPFI_DROPS_H

#include <linux/spinlock.h>

struct ipfi_net;
struct ipfi_pkt;

struct ipfi_drop {
	u64 time;    /* nanoseconds since the epoch */
	u64 rule;    /* id of the rule that decided, 0 for none */
	u32 iif, oif;
	u32 mark;
	u32 length;  /* bytes of the IP packet */
	u32 missed;  /* dropped since the one before, and only counted */
	u8 reason;   /* enum ipfi_reason */
	u8 list;     /* enum ipfi_list */
	u8 kept;     /* bytes of header */
	u8 sum_from, sum_at; /* its checksum is not complete: it covers the bytes from here on, and stands there; 0 */
	u8 header[IPFI_DROP_HEADER];
};

void ipfi_drops_init(struct ipfi_net *in);

/* Makes the ring; again is harmless. -ENOMEM. */
int ipfi_drops_start(struct ipfi_net *in);

/* No packet may come by any more. */
void ipfi_drops_exit(struct ipfi_net *in);

/* @p is dropped for @reason, by @rule (0 for none). BHs off. */
void ipfi_drops_record(const struct ipfi_pkt *p, u8 reason, u64 rule);

/*
 * Copies what the ring has to @drops, which has room for all, the oldest first and of one moment; returns how many.
 * Sleeps.
 */
u32 ipfi_drops_copy(struct ipfi_net *in, struct ipfi_drop *drops);

#endif /* IPFI_DROPS_H */
