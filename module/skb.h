/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the kernel's buffer to the core's packet. */
#ifndef IPFI_SKB_H
#define IPFI_SKB_H

#include <linux/netfilter.h>
#include "core/packet.h"

/*
 * Parses @skb; the headers are made linear first where needed. Returns 0 or -(enum ipfi_reason).
 * packet->tcp_options stays valid until the skb is changed.
 */
int ipfi_skb_parse(struct sk_buff *skb, struct ipfi_packet *packet);

/* Fills in what the hook knows: list, devices, mark. */
void ipfi_skb_surroundings(const struct sk_buff *skb, const struct nf_hook_state *hook, enum ipfi_list list,
			   struct ipfi_packet *packet);

/* Fills in the owner of the socket that sends @skb, as seen from the namespace's user namespace. */
void ipfi_skb_user(const struct sk_buff *skb, const struct nf_hook_state *hook, struct ipfi_packet *packet);

/* Is @addr one of this machine's addresses in @net? Under RCU. */
bool ipfi_addr_is_own(struct net *net, u8 family, const struct ipfi_addr *addr);

/* Is it one of the device's that has this index? Under RCU. */
bool ipfi_addr_is_of(struct net *net, u32 device, u8 family, const struct ipfi_addr *addr);

/*
 * Is the transport checksum wrong? Asked before a packet may change a state: the receiver would ignore it.
 * What this machine sends, and what the device has checked, is taken as right.
 */
bool ipfi_skb_checksum_bad(struct sk_buff *skb, const struct ipfi_packet *packet);

#endif /* IPFI_SKB_H */
