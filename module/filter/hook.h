/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The netfilter hooks: where packets come in. */
#ifndef IPFI_HOOK_H
#define IPFI_HOOK_H

#include <linux/ipv6.h>

/* Registers the hooks of a namespace, after the kernel's defragmentation; -errno leaves none. Sleeps. */
int ipfi_hooks_register(struct net *net);

/* Unregisters them. A packet may be inside a hook until a grace period has passed. */
void ipfi_hooks_unregister(struct net *net);

#endif /* IPFI_HOOK_H */
