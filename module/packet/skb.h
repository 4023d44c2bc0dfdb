/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the kernel's buffer to the core's packet. */
#ifndef IPFI_SKB_H
#define IPFI_SKB_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include "module/core/packet.h"
#include "module/core/tuple.h"

struct net_device;

/*
 * Parses @skb; the headers are made linear first where needed. Returns 0 or -(enum ipfi_reason).
 * packet->tcp_options stays valid until the skb is changed: then ipfi_skb_moved() is to be called.
 */
int ipfi_skb_parse(struct sk_buff *skb, struct ipfi_packet *packet);

/*
 * The data of @skb may stand elsewhere now: where its header was made writable or larger, or another route looked up.
 * Of @packet only the place of the options is a pointer; it is found by the offset of the header before them.
 */
static inline void ipfi_skb_moved(const struct sk_buff *skb, struct ipfi_packet *packet)
{
	if (packet->tcp_options)
		packet->tcp_options = skb_network_header(skb) + packet->transport + sizeof(struct tcphdr);
}

/*
 * Fills in what the hook knows: list, devices and their VRFs, mark. Returns 0, or the enum ipfi_reason for which the packet
 * must be dropped. Under RCU.
 */
u8 ipfi_skb_fill_env(const struct sk_buff *skb, const struct nf_hook_state *hook, enum ipfi_list list,
			   struct ipfi_packet *packet);

/* Fills in whether @skb came by IPsec, and whether it will leave by it. */
void ipfi_skb_ipsec(const struct sk_buff *skb, struct ipfi_packet *packet);

/* Fills in the owner of the socket that sends @skb, as seen from the namespace's user namespace. */
void ipfi_skb_user(const struct sk_buff *skb, const struct nf_hook_state *hook, struct ipfi_packet *packet);

/*
 * Is @addr one of this machine's addresses in @net: in the VRF that @of_vrf, an interface, is of, or, NULL, in none?
 * Under RCU.
 */
bool ipfi_addr_is_own(struct net *net, const struct net_device *of_vrf, u8 family, const struct ipfi_addr *addr);

/* Is it one of the device's that has this index? Under RCU. */
bool ipfi_addr_is_of(struct net *net, u32 device, u8 family, const struct ipfi_addr *addr);

/*
 * Is the transport checksum wrong? Asked before a packet may change a state: the receiver would ignore it.
 * What this machine sends, and what the device has checked, is taken as right.
 */
bool ipfi_skb_checksum_bad(struct sk_buff *skb, const struct ipfi_packet *packet);

#endif /* IPFI_SKB_H */
