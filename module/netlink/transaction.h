/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transaction: the rule set that a socket is building. It belongs to the socket, by its port id,
 * and dies with it.
 *
 * The list in->transactions is guarded by a spinlock of its own, so that a socket's end need not
 * wait for in->mutex: that end is told by a notifier chain, and who holds in->mutex may be loading
 * a module that registers with the same chain. The list has a reference, and so has who works on
 * one; what it builds is guarded by in->mutex.
 */
#ifndef IPFI_GENL_TRANSACTION_H
#define IPFI_GENL_TRANSACTION_H

#include "module/net.h"
#include "module/ruleset/ruleset.h"

struct ipfi_transaction {
	struct list_head node;
	refcount_t references;
	u32 portid;
	struct ipfi_ruleset *rs; /* NULL: broken, a message of it was refused */
};

/*
 * Opens one for the socket; takes over the reference to @rs when 0 is returned. -EEXIST: it has
 * one; -EBUSY: the namespace has IPFI_TRANSACTIONS_MAX; -ENOMEM. Holds in->mutex.
 */
#define IPFI_TRANSACTIONS_MAX 16
int ipfi_transaction_open(struct ipfi_net *in, u32 portid, struct ipfi_ruleset *rs);

/* The socket's, with a reference of the caller's own, or NULL. @close: takes it off the list. */
struct ipfi_transaction *ipfi_transaction_get(struct ipfi_net *in, u32 portid, bool close);
void ipfi_transaction_put(struct ipfi_transaction *transaction);

/* Makes sure that it can only be aborted from now on. Holds in->mutex. */
void ipfi_transaction_break(struct ipfi_transaction *transaction);

/* Frees those that are open when the namespace goes. */
void ipfi_transactions_end(struct ipfi_net *in);

/* Sees to it that they end with their sockets. */
int ipfi_transactions_init(void);
void ipfi_transactions_exit(void);

#endif /* IPFI_GENL_TRANSACTION_H */
