/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VRFs (layer 3 master devices): networks of one namespace whose addresses may be the same.
 *
 * Each end of a tuple says in which VRF it is reached (core/tuple.h), so equal addresses in two VRFs are two
 * connections. A key has a byte for that, an interface index has 31 bits: each VRF of a namespace gets a number of its
 * own when its first packet comes, and keeps it as long as it lives. A VRF for which none is left is not told from
 * another by chance: its packets are dropped (IPFI_REASON_VRF_FULL).
 *
 * The kernel leads a packet of a VRF through some hooks twice (drivers/net/vrf.c): what comes in through PRE_ROUTING, by
 * its own interface and then by the VRF's; what is sent from here through LOCAL_OUT and POST_ROUTING, by the VRF's
 * interface and then by its own. Only the pass by its own interface counts.
 */
#ifndef IPFI_VRF_H
#define IPFI_VRF_H

#include <linux/netdevice.h>
#include <linux/spinlock.h>
#include "module/core/packet.h"
#include "module/net.h"

struct ipfi_net;
struct nf_hook_state;
struct sk_buff;

#define IPFI_VRFS_MAX 254
#define IPFI_VRF_FULL 255 /* the number of one for which none is left */

void ipfi_vrfs_init(struct ipfi_net *in);

int ipfi_vrf_init(void);
void ipfi_vrf_exit(void);

/* Is @device one of a VRF, or its own? NULL is none. */
static inline bool ipfi_vrf_has(const struct net_device *device)
{
	return device && (netif_is_l3_master(device) || netif_is_l3_slave(device));
}

/* The name of the VRF that @device, NULL for none, belongs to; NULL for none, and of a VRF's own. Under RCU. */
const char *ipfi_vrf_name(const struct net_device *device);

/* The number of the VRF with this interface index; IPFI_VRF_FULL, which nothing has, for one that no packet came by. */
u8 ipfi_vrf_find(struct ipfi_net *in, u32 index);

/* The interface index of the VRF with this number, 0 for none. */
u32 ipfi_vrf_index(struct ipfi_net *in, u8 number);

/* Does @skb pass this hook by the VRF's interface while its pass by its own counts? Under RCU. */
bool ipfi_vrf_is_other_pass(const struct sk_buff *skb, const struct nf_hook_state *hook);

/*
 * Fills in what @packet must know of VRFs. @iif and @oif: its interfaces, as its list has them. Called when one of them
 * is of a VRF, or hook->in: at POST_ROUTING, where there is no @iif, that is what a forwarded packet came by. Under RCU.
 */
void ipfi_vrf_fill_env(const struct sk_buff *skb, const struct nf_hook_state *hook, const struct net_device *iif,
		       const struct net_device *oif, struct ipfi_packet *packet);

/* An interface of the VRF that @packet is in, NULL where it is in none. Under RCU. */
struct net_device *ipfi_vrf_of_packet(struct ipfi_net *in, const struct ipfi_packet *packet);

#endif /* IPFI_VRF_H */
