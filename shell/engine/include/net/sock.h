/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets: who sends a packet, and to whom netlink answers (../../socket.h). */
#ifndef IPFI_ENGINE_NET_SOCK_H
#define IPFI_ENGINE_NET_SOCK_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct net;

struct sock {
	struct net *net;
	kuid_t sk_uid;
};

static inline struct net *sock_net(const struct sock *sk)
{
	return sk->net;
}

static inline struct sock *skb_to_full_sk(const struct sk_buff *skb)
{
	return skb->sk;
}

static inline bool sk_fullsock(const struct sock *sk)
{
	return sk;
}

#endif
