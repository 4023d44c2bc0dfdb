// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include "module/core/tuple.h"
#include "module/core/via.h"
#include "module/nat/masquerade.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/table/state.h"
#include "module/table/sweep.h"

static bool from_ipv4(__be32 from, struct ipfi_addr *addr)
{
	ipfi_addr_set(addr, ntohl(from), 0, 0, 0);
	return from;
}

static bool from_ipv6(const struct in6_addr *from, struct ipfi_addr *addr)
{
	ipfi_addr_set(addr, ntohl(from->s6_addr32[0]), ntohl(from->s6_addr32[1]), ntohl(from->s6_addr32[2]),
		      ntohl(from->s6_addr32[3]));
	return !ipv6_addr_any(from);
}

static void to_ipv6(const struct ipfi_addr *from, struct in6_addr *addr)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		addr->s6_addr32[i] = htonl(from->w[i]);
}

/* By a look-up of its own: the packet's was made with the source that it has now. */
static bool masquerade_ipv4(struct ipfi_pkt *p, const struct net_device *out, struct ipfi_addr *addr)
{
	struct flowi4 flow = {
		.daddr = htonl(p->packet.tuple.dst.w[0]),
		.flowi4_oif = out->ifindex,
		.flowi4_mark = p->skb->mark,
		.flowi4_proto = p->packet.tuple.proto,
	};
	struct rtable *route = ip_route_output_key(p->in->net, &flow);

	if (IS_ERR(route))
		return from_ipv4(inet_select_addr(out, flow.daddr, RT_SCOPE_UNIVERSE), addr);
	ip_rt_put(route);
	return from_ipv4(flow.saddr, addr);
}

static bool masquerade_ipv6(struct ipfi_pkt *p, const struct net_device *out, struct ipfi_addr *addr)
{
	const struct rt6_info *route = (const struct rt6_info *)skb_dst(p->skb);
	struct in6_addr destination, source;
	struct fib6_info *from;

	to_ipv6(&p->packet.tuple.dst, &destination);
	from = route ? rcu_dereference(route->from) : NULL;
	if (from && !ipv6_addr_any(&from->fib6_prefsrc.addr) && from->fib6_prefsrc.plen)
		return from_ipv6(&from->fib6_prefsrc.addr, addr);
	return !ipv6_dev_get_saddr(p->in->net, out, &destination, 0, &source) && from_ipv6(&source, addr);
}

bool ipfi_masquerade_addr(struct ipfi_pkt *p, struct ipfi_addr *addr)
{
	const struct net_device *out = skb_dst(p->skb) ? skb_dst(p->skb)->dev : p->hook->out;

	if (!out)
		return false;
	return p->packet.tuple.family == 4 ? masquerade_ipv4(p, out, addr) : masquerade_ipv6(p, out, addr);
}

bool ipfi_redirect_addr(struct ipfi_pkt *p, struct ipfi_addr *addr)
{
	const struct net_device *device = p->packet.list == IPFI_LIST_OUT ? NULL : p->hook->in;
	struct in6_addr source, own;

	if (p->packet.tuple.family == 4)
		return from_ipv4(device ? inet_select_addr(device, htonl(p->packet.tuple.src.w[0]), RT_SCOPE_UNIVERSE) :
					  htonl(INADDR_LOOPBACK),
				 addr);
	if (!device)
		return from_ipv6(&in6addr_loopback, addr);
	to_ipv6(&p->packet.tuple.src, &source);
	return !ipv6_dev_get_saddr(p->in->net, device, &source, 0, &own) && from_ipv6(&own, addr);
}

/* What has gone, to be swept for in a context that may sleep. */
struct gone {
	struct work_struct work;
	struct net *net;
	u8 family;  /* 0: the device is down, with all of its addresses */
	u32 device;
	struct ipfi_addr addr;
};

static enum ipfi_sweep remove_masqueraded(struct ipfi_net *in, struct ipfi_state *state, void *arg)
{
	const struct ipfi_state_ext *ext = ipfi_state_translated(state);
	const struct gone *gone = arg;

	if (!ext || !ext->masqueraded || ipfi_flow_oif(&state->flow) != gone->device)
		return IPFI_SWEEP_LEAVE;
	if (gone->family && (gone->family != ext->leaving.family || !ipfi_addr_equal(&gone->addr, &ext->leaving.src)))
		return IPFI_SWEEP_LEAVE;
	return IPFI_SWEEP_REMOVE;
}

static void sweep(struct work_struct *work)
{
	struct gone *gone = container_of(work, struct gone, work);

	ipfi_table_sweep(ipfi_net(gone->net), remove_masqueraded, gone, IPFI_CAUSE_ADDRESS_GONE);
	put_net(gone->net);
	kfree(gone);
}

static void sweep_for(const struct net_device *device, u8 family, const struct ipfi_addr *addr)
{
	struct net *net = maybe_get_net(dev_net(device));
	struct gone *gone;

	/* A namespace that is going takes its states with it. */
	if (!net)
		return;
	gone = atomic_read(&ipfi_net(net)->table.translated) ? kzalloc(sizeof(*gone), GFP_ATOMIC) : NULL;
	if (!gone) {
		put_net(net);
		return;
	}
	gone->net = net;
	gone->family = family;
	gone->device = device->ifindex;
	if (addr)
		gone->addr = *addr;
	INIT_WORK(&gone->work, sweep);
	queue_work(ipfi_workqueue, &gone->work);
}

static int device_event(struct notifier_block *block, unsigned long event, void *data)
{
	if (event == NETDEV_DOWN)
		sweep_for(netdev_notifier_info_to_dev(data), 0, NULL);
	return NOTIFY_DONE;
}

static int ipv4_event(struct notifier_block *block, unsigned long event, void *data)
{
	const struct in_ifaddr *ifa = data;
	struct ipfi_addr addr;

	if (event == NETDEV_DOWN && from_ipv4(ifa->ifa_local, &addr))
		sweep_for(ifa->ifa_dev->dev, 4, &addr);
	return NOTIFY_DONE;
}

static int ipv6_event(struct notifier_block *block, unsigned long event, void *data)
{
	const struct inet6_ifaddr *ifa = data;
	struct ipfi_addr addr;

	if (event == NETDEV_DOWN && from_ipv6(&ifa->addr, &addr))
		sweep_for(ifa->idev->dev, 6, &addr);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = { .notifier_call = device_event };
static struct notifier_block ipv4_notifier = { .notifier_call = ipv4_event };
static struct notifier_block ipv6_notifier = { .notifier_call = ipv6_event };

int __init ipfi_masquerade_init(void)
{
	int err = register_netdevice_notifier(&device_notifier);

	if (err)
		return err;
	err = register_inetaddr_notifier(&ipv4_notifier);
	if (err)
		goto unregister_device;
	err = register_inet6addr_notifier(&ipv6_notifier);
	if (err)
		goto unregister_ipv4;
	return 0;

unregister_ipv4:
	unregister_inetaddr_notifier(&ipv4_notifier);
unregister_device:
	unregister_netdevice_notifier(&device_notifier);
	return err;
}

void ipfi_masquerade_exit(void)
{
	unregister_inet6addr_notifier(&ipv6_notifier);
	unregister_inetaddr_notifier(&ipv4_notifier);
	unregister_netdevice_notifier(&device_notifier);
	/* Those that are on their way use states and namespaces that go next. */
	flush_workqueue(ipfi_workqueue);
}
