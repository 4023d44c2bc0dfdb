/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a module has of a namespace; there is one module. */
#ifndef IPFI_ENGINE_NET_NETNS_GENERIC_H
#define IPFI_ENGINE_NET_NETNS_GENERIC_H

#include <net/net_namespace.h>

static inline void *net_generic(const struct net *net, unsigned int id)
{
	(void)id;
	return net->generic;
}

#endif
