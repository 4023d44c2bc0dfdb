/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine sends to reject a packet of IPv4 (../../../../answer.c). */
#ifndef IPFI_ENGINE_NET_NETFILTER_IPV4_NF_REJECT_H
#define IPFI_ENGINE_NET_NETFILTER_IPV4_NF_REJECT_H

#include <linux/icmp.h>
#include <linux/netfilter.h>

void nf_send_reset(struct net *net, struct sock *sk, struct sk_buff *packet, int hook);
void nf_send_unreach(struct sk_buff *packet, int code, int hook);

#endif
