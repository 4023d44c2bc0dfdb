/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fragments come put together, as a packet is given to the engine. */
#ifndef IPFI_ENGINE_NET_NETFILTER_IPV4_NF_DEFRAG_IPV4_H
#define IPFI_ENGINE_NET_NETFILTER_IPV4_NF_DEFRAG_IPV4_H

struct net;

static inline int nf_defrag_ipv4_enable(struct net *net)
{
	(void)net;
	return 0;
}

static inline void nf_defrag_ipv4_disable(struct net *net)
{
	(void)net;
}

#endif
