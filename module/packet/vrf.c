// SPDX-License-Identifier: GPL-2.0-or-later
#define pr_fmt(fmt) "ipfi: " fmt

#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/packet/vrf.h"
#include "module/table/state.h"
#include "module/table/sweep.h"

#define GIVEN_BACK U32_MAX /* a number that has been another's: a search goes on behind it */

void ipfi_vrfs_init(struct ipfi_net *in)
{
	spin_lock_init(&in->vrfs.lock);
}

/* The numbers in the order in which one is looked for, from where the index says. */
static unsigned int place(u32 index, unsigned int step)
{
	return 1 + (index + step) % IPFI_VRFS_MAX;
}

static u8 find(const struct ipfi_vrfs *vrfs, u32 index)
{
	unsigned int step;
	u32 there;

	for (step = 0; step < IPFI_VRFS_MAX; step++) {
		there = READ_ONCE(vrfs->index[place(index, step)]);
		if (there == index)
			return place(index, step);
		if (!there)
			break;
	}
	return 0;
}

static u8 give(struct ipfi_vrfs *vrfs, u32 index)
{
	unsigned int step;
	u32 *there;

	for (step = 0; step < IPFI_VRFS_MAX; step++) {
		there = &vrfs->index[place(index, step)];
		if (!*there || *there == GIVEN_BACK) {
			WRITE_ONCE(*there, index);
			return place(index, step);
		}
	}
	return IPFI_VRF_FULL;
}

/* The number of the VRF that @device is of, 0 for none. */
static u8 number_of(struct ipfi_net *in, const struct net_device *device)
{
	const u32 index = l3mdev_master_ifindex_rcu(device);
	u8 number;

	if (!index)
		return 0;
	number = find(&in->vrfs, index);
	if (likely(number))
		return number;
	spin_lock_bh(&in->vrfs.lock);
	number = find(&in->vrfs, index);
	if (!number)
		number = give(&in->vrfs, index);
	spin_unlock_bh(&in->vrfs.lock);
	return number;
}

u8 ipfi_vrf_find(struct ipfi_net *in, u32 index)
{
	const u8 number = find(&in->vrfs, index);

	return number ? number : IPFI_VRF_FULL;
}

u32 ipfi_vrf_index(struct ipfi_net *in, u8 number)
{
	u32 index;

	if (!number || number > IPFI_VRFS_MAX)
		return 0;
	index = READ_ONCE(in->vrfs.index[number]);
	return index == GIVEN_BACK ? 0 : index;
}

/* The index of the interface that the packet came in by, once the VRF has taken it over; 0 before that. */
static int came_by(const struct sk_buff *skb, u8 family)
{
	return family == NFPROTO_IPV4 ? inet_sdif(skb) : inet6_sdif(skb);
}

static bool is_forwarded(const struct sk_buff *skb, u8 family)
{
	if (family == NFPROTO_IPV4)
		return (IPCB(skb)->flags & (IPSKB_FORWARDED | IPSKB_XFRM_TRANSFORMED)) == IPSKB_FORWARDED;
	return (IP6CB(skb)->flags & (IP6SKB_FORWARDED | IP6SKB_XFRM_TRANSFORMED)) == IP6SKB_FORWARDED;
}

/* Is @vrf's own address the destination: does the packet come in again by @vrf, as by a loopback interface? */
static bool leads_back(struct net *net, const struct sk_buff *skb, u8 family, const struct net_device *vrf)
{
	if (skb_dst(skb) && skb_dst(skb)->dev != vrf)
		return false;
	if (family == NFPROTO_IPV4)
		return inet_addr_type_dev_table(net, vrf, ip_hdr(skb)->daddr) == RTN_LOCAL;
	return ipv6_chk_addr(net, &ipv6_hdr(skb)->daddr, vrf, 0);
}

bool ipfi_vrf_is_other_pass(const struct sk_buff *skb, const struct nf_hook_state *hook)
{
	const bool arriving = hook->hook == NF_INET_PRE_ROUTING;
	const struct net_device *device = arriving ? hook->in : hook->out;

	if (likely(!device || !netif_is_l3_master(device)))
		return false;
	if (arriving)
		return came_by(skb, hook->pf);
	if (hook->hook == NF_INET_POST_ROUTING && is_forwarded(skb, hook->pf))
		return false;
	/* By a link-local address nothing is led on from one interface to another. */
	if (hook->pf == NFPROTO_IPV6 && ipv6_addr_type(&ipv6_hdr(skb)->daddr) & IPV6_ADDR_LINKLOCAL)
		return false;
	return !leads_back(hook->net, skb, hook->pf, device);
}

/* Does the packet stay in this machine, coming in by the interface, a VRF's or a loopback one, that it went out by? */
static bool is_loopback(const struct sk_buff *skb, const struct nf_hook_state *hook, const struct net_device *iif,
			const struct net_device *oif)
{
	if (iif && netif_is_l3_master(iif) && !oif)
		return skb->pkt_type == PACKET_LOOPBACK || came_by(skb, hook->pf) == iif->ifindex;
	if (iif || !oif || is_forwarded(skb, hook->pf))
		return false;
	return oif->flags & IFF_LOOPBACK || (netif_is_l3_master(oif) && leads_back(hook->net, skb, hook->pf, oif));
}

const char *ipfi_vrf_name(const struct net_device *device)
{
	const struct net_device *vrf = device ? l3mdev_master_dev_rcu(device) : NULL;

	return vrf && vrf != device ? vrf->name : NULL;
}

void ipfi_vrf_fill_env(const struct sk_buff *skb, const struct nf_hook_state *hook, const struct net_device *iif,
		       const struct net_device *oif, struct ipfi_packet *packet)
{
	const struct net_device *from = iif, *to = oif ? oif : iif, *slave = NULL;
	struct ipfi_net *in = ipfi_net(hook->net);

	if (is_loopback(skb, hook, iif, oif)) {
		packet->loopback = 1;
		iif = to;
		oif = to;
	} else if (iif && netif_is_l3_master(iif)) {
		slave = dev_get_by_index_rcu(hook->net, came_by(skb, hook->pf));
		if (slave)
			iif = slave;
	}
	if (!from)
		from = hook->hook == NF_INET_POST_ROUTING && is_forwarded(skb, hook->pf) ? hook->in : to;
	packet->tuple.src_vrf = number_of(in, from);
	packet->tuple.dst_vrf = number_of(in, to);
	/* What an error quotes went the other way. */
	packet->inner.src_vrf = packet->tuple.dst_vrf;
	packet->inner.dst_vrf = packet->tuple.src_vrf;
	packet->iif = iif ? iif->ifindex : 0;
	packet->oif = oif ? oif->ifindex : 0;
	packet->iif_name = iif ? iif->name : NULL;
	packet->oif_name = oif ? oif->name : NULL;
	packet->iif_vrf = ipfi_vrf_name(iif);
	packet->oif_vrf = ipfi_vrf_name(oif);
}

struct net_device *ipfi_vrf_of_packet(struct ipfi_net *in, const struct ipfi_packet *packet)
{
	if (likely(!(packet->tuple.src_vrf | packet->tuple.dst_vrf)))
		return NULL;
	return dev_get_by_index_rcu(in->net, packet->iif ? packet->iif : packet->oif);
}

/* A VRF that has gone, to be swept for in a context that may sleep. */
struct gone {
	struct work_struct work;
	struct net *net;
	u8 number;
};

static enum ipfi_sweep remove_of_vrf(struct ipfi_net *in, struct ipfi_state *state, void *arg)
{
	const struct gone *gone = arg;
	const struct ipfi_key_head *key = &state->flow.key;

	return key->lo_vrf == gone->number || key->hi_vrf == gone->number ? IPFI_SWEEP_REMOVE : IPFI_SWEEP_LEAVE;
}

static void sweep(struct work_struct *work)
{
	struct gone *gone = container_of(work, struct gone, work);
	struct ipfi_net *in = ipfi_net(gone->net);

	ipfi_table_sweep(in, remove_of_vrf, gone, IPFI_CAUSE_ADDRESS_GONE);
	/* Another one may have the number now. */
	spin_lock_bh(&in->vrfs.lock);
	WRITE_ONCE(in->vrfs.index[gone->number], GIVEN_BACK);
	spin_unlock_bh(&in->vrfs.lock);
	put_net(gone->net);
	kfree(gone);
}

static int device_event(struct notifier_block *block, unsigned long event, void *data)
{
	const struct net_device *device = netdev_notifier_info_to_dev(data);
	struct net *net;
	struct gone *gone;
	u8 number;

	if (event != NETDEV_UNREGISTER || !netif_is_l3_master(device))
		return NOTIFY_DONE;
	number = find(&ipfi_net(dev_net(device))->vrfs, device->ifindex);
	net = number ? maybe_get_net(dev_net(device)) : NULL;
	/* A namespace that is going takes its states with it; without memory the number is lost. */
	gone = net ? kzalloc(sizeof(*gone), GFP_KERNEL) : NULL;
	if (!gone) {
		if (net)
			put_net(net);
		return NOTIFY_DONE;
	}
	gone->net = net;
	gone->number = number;
	INIT_WORK(&gone->work, sweep);
	queue_work(ipfi_workqueue, &gone->work);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = { .notifier_call = device_event };

int __init ipfi_vrf_init(void)
{
	return register_netdevice_notifier(&device_notifier);
}

void ipfi_vrf_exit(void)
{
	unregister_netdevice_notifier(&device_notifier);
	/* Those that are on their way use states and namespaces that go next. */
	flush_workqueue(ipfi_workqueue);
}
