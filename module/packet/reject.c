// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/skbuff.h>
#include <net/netfilter/ipv4/nf_reject.h>
#include <net/netfilter/ipv6/nf_reject.h>
#include "module/core/packet.h"
#include "module/packet/reject.h"

DEFINE_PER_CPU(const struct net *, ipfi_rejecting);

static void answer_ipv4(struct sk_buff *skb, const struct nf_hook_state *hook, bool tcp)
{
	if (tcp)
		nf_send_reset(hook->net, hook->sk, skb, hook->hook);
	else
		nf_send_unreach(skb, ICMP_PKT_FILTERED, hook->hook);
}

static void answer_ipv6(struct sk_buff *skb, const struct nf_hook_state *hook, bool tcp)
{
	if (tcp)
		nf_send_reset6(hook->net, hook->sk, skb, hook->hook);
	else
		nf_send_unreach6(hook->net, skb, ICMPV6_ADM_PROHIBITED, hook->hook);
}

unsigned int ipfi_reject(struct sk_buff *skb, const struct nf_hook_state *hook, const struct ipfi_packet *packet)
{
	bool tcp = packet->tuple.proto == IPFI_PROTO_TCP;
	int err = tcp ? -ECONNREFUSED : -EPERM;

	/*
	 * A socket here learns it from its own call: connect(2) ends at once with ECONNREFUSED. Only for an
	 * open TCP connection no call would tell; its answer comes in by the loopback device.
	 */
	if (packet->list == IPFI_LIST_OUT && (!tcp || packet->tcp_flags & IPFI_TCP_SYN))
		return NF_DROP_ERR(err); /* the macro wants a name: it negates without parentheses */
	if (packet->icmp_kind == IPFI_ICMP_ERROR)
		return NF_DROP;

	__this_cpu_write(ipfi_rejecting, hook->net);
	if (packet->tuple.family == 4)
		answer_ipv4(skb, hook, tcp);
	else
		answer_ipv6(skb, hook, tcp);
	__this_cpu_write(ipfi_rejecting, NULL);
	return NF_DROP;
}
