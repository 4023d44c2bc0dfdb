/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine sends to reject a packet of IPv6 (../../../../answer.c). */
#ifndef IPFI_ENGINE_NET_NETFILTER_IPV6_NF_REJECT_H
#define IPFI_ENGINE_NET_NETFILTER_IPV6_NF_REJECT_H

#include <linux/icmpv6.h>
#include <linux/netfilter.h>

void nf_send_reset6(struct net *net, struct sock *sk, struct sk_buff *packet, int hook);
void nf_send_unreach6(struct net *net, struct sk_buff *packet, unsigned char code, unsigned int hook);

#endif
