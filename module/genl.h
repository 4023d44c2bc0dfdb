/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic netlink family: one file an object, genl_<object>.c; genl.c only lists the commands. */
#ifndef IPFI_GENL_H
#define IPFI_GENL_H

#include <net/genetlink.h>
#include "net.h"

enum ipfi_group {
	IPFI_GROUP_INDEX_STATE,
	IPFI_GROUP_INDEX_LOG,
	IPFI_GROUP_INDEX_RULESET,
};

extern struct genl_family ipfi_genl_family;

int ipfi_genl_init(void);
void ipfi_genl_exit(void);

/* Frees the transactions that are open when the namespace goes. */
void ipfi_genl_net_exit(struct ipfi_net *in);

#endif /* IPFI_GENL_H */
