// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include "module/net.h"
#include "module/netlink/transaction.h"
#include "module/ruleset/ruleset.h"

/* One for all namespaces: it is held for the length of a short list. */
static DEFINE_SPINLOCK(lock);

void ipfi_transaction_put(struct ipfi_transaction *transaction)
{
	if (!refcount_dec_and_test(&transaction->references))
		return;
	ipfi_ruleset_put(transaction->rs);
	kfree(transaction);
}

void ipfi_transaction_break(struct ipfi_transaction *transaction)
{
	ipfi_ruleset_put(transaction->rs);
	transaction->rs = NULL;
}

static struct ipfi_transaction *find(struct ipfi_net *in, u32 portid, unsigned int *others)
{
	struct ipfi_transaction *transaction;

	lockdep_assert_held(&lock);
	*others = 0;
	list_for_each_entry(transaction, &in->transactions, node) {
		if (transaction->portid == portid)
			return transaction;
		++*others;
	}
	return NULL;
}

int ipfi_transaction_open(struct ipfi_net *in, u32 portid, struct ipfi_ruleset *rs)
{
	struct ipfi_transaction *transaction = kmalloc(sizeof(*transaction), GFP_KERNEL_ACCOUNT);
	unsigned int others;
	int err = 0;

	if (!transaction)
		return -ENOMEM;
	transaction->portid = portid;
	transaction->rs = rs;
	refcount_set(&transaction->references, 1);
	spin_lock(&lock);
	if (find(in, portid, &others))
		err = -EEXIST;
	else if (others >= IPFI_TRANSACTIONS_MAX)
		err = -EBUSY;
	else
		list_add_tail(&transaction->node, &in->transactions);
	spin_unlock(&lock);
	if (err)
		kfree(transaction);
	return err;
}

struct ipfi_transaction *ipfi_transaction_get(struct ipfi_net *in, u32 portid, bool close)
{
	struct ipfi_transaction *transaction;
	unsigned int others;

	spin_lock(&lock);
	transaction = find(in, portid, &others);
	if (transaction && close)
		list_del(&transaction->node);
	else if (transaction)
		refcount_inc(&transaction->references);
	spin_unlock(&lock);
	return transaction;
}

/* A socket is gone, of any family and in any namespace. */
static int socket_released(struct notifier_block *block, unsigned long event, void *data)
{
	const struct netlink_notify *notify = data;
	struct ipfi_transaction *transaction;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC) {
		transaction = ipfi_transaction_get(ipfi_net(notify->net), notify->portid, true);
		if (transaction)
			ipfi_transaction_put(transaction);
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = {
	.notifier_call = socket_released,
};

int __init ipfi_transactions_init(void)
{
	return netlink_register_notifier(&notifier);
}

void ipfi_transactions_exit(void)
{
	netlink_unregister_notifier(&notifier);
}

void ipfi_transactions_end(struct ipfi_net *in)
{
	struct ipfi_transaction *transaction, *next;

	list_for_each_entry_safe(transaction, next, &in->transactions, node)
		ipfi_transaction_put(transaction);
}
