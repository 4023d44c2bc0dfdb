/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nf_conntrack beside this firewall: does it see what is translated here? (docs/coexistence.md) */
#ifndef IPFI_CONNTRACK_H
#define IPFI_CONNTRACK_H

#include <linux/kernel.h>
#include <linux/types.h>

struct net;

/* Does nf_conntrack follow the packets of @net? It does as long as somebody's rules there ask for it. */
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
bool ipfi_conntrack_is_active(struct net *net);
#else
static inline bool ipfi_conntrack_is_active(struct net *net)
{
	return false;
}
#endif

#endif /* IPFI_CONNTRACK_H */
