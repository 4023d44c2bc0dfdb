/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker of a namespace's table: it turns the wheel every tick, ends what is due, and frees the states that have
 * died, after a grace period. Nobody else frees a state of a live table.
 */
#ifndef IPFI_GC_H
#define IPFI_GC_H

struct ipfi_net;

void ipfi_gc_init(struct ipfi_net *in);

/* Makes the wheel and starts to turn it; again is harmless. -ENOMEM leaves all as it was. */
int ipfi_gc_start(struct ipfi_net *in);

/*
 * Ends and frees every state, and stops the worker. No packet and no walk may be on its way any more; the table itself
 * is there until ipfi_table_exit().
 */
void ipfi_gc_exit(struct ipfi_net *in);

#endif /* IPFI_GC_H */
