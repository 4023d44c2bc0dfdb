/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks on the way of packets (../../netfilter.c). */
#ifndef IPFI_ENGINE_LINUX_NETFILTER_H
#define IPFI_ENGINE_LINUX_NETFILTER_H

#include_next <linux/netfilter.h>
#include <linux/kernel.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#ifndef AF_INET
#define AF_INET 2
#define AF_INET6 10
#endif


struct nf_hook_state {
	u8 hook, pf;
	struct net_device *in, *out;
	struct sock *sk;
	struct net *net;
};

typedef unsigned int nf_hookfn(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

struct nf_hook_ops {
	nf_hookfn *hook;
	void *priv;
	u8 pf;
	unsigned int hooknum;
	int priority;
};

int nf_register_net_hooks(struct net *net, const struct nf_hook_ops *hooks, unsigned int count);
void nf_unregister_net_hooks(struct net *net, const struct nf_hook_ops *hooks, unsigned int count);

/* Not 0 when the checksum of the transport header at @offset is wrong. */
__sum16 nf_checksum(struct sk_buff *skb, unsigned int hook, unsigned int offset, u8 proto, unsigned short family);

#endif
