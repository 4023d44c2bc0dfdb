/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fragments come put together, as a packet is given to the engine. */
#ifndef IPFI_ENGINE_NET_NETFILTER_IPV6_NF_DEFRAG_IPV6_H
#define IPFI_ENGINE_NET_NETFILTER_IPV6_NF_DEFRAG_IPV6_H

struct net;

static inline int nf_defrag_ipv6_enable(struct net *net)
{
	(void)net;
	return 0;
}

static inline void nf_defrag_ipv6_disable(struct net *net)
{
	(void)net;
}

#endif
