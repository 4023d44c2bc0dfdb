/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers to a rejected packet. */
#ifndef IPFI_REJECT_H
#define IPFI_REJECT_H

#include <linux/netfilter.h>
#include <linux/percpu.h>
#include "module/core/platform.h"

struct ipfi_packet;

struct net;

DECLARE_PER_CPU(const struct net *, ipfi_rejecting);

/*
 * Is this packet, on its way out of @net, the answer that ipfi_reject() is sending just now? The kernel sends it
 * from within that call, on this CPU, with BHs off. It is the first packet of that namespace: what comes after it (a
 * tunnel's packet around it, here or in another namespace, or a question for a neighbour) is not the firewall's own.
 */
static inline bool ipfi_reject_is_own(const struct net *net)
{
	if (likely(__this_cpu_read(ipfi_rejecting) != net))
		return false;
	__this_cpu_write(ipfi_rejecting, NULL);
	return true;
}

/*
 * Rejects @skb: sends a TCP reset or an ICMP error "administratively prohibited" (RFC 1812 section 5.3.9,
 * RFC 4443 section 3.1). A local sender gets an error from its system call instead, or a reset if the TCP
 * connection is open. The packet stays the caller's. Returns the hook's verdict. BHs off, no lock held.
 */
unsigned int ipfi_reject(struct sk_buff *skb, const struct nf_hook_state *hook, const struct ipfi_packet *packet);

#endif /* IPFI_REJECT_H */
