// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>
#include <linux/netdevice.h>
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/explain/explain.h"
#include "module/explain/route.h"
#include "module/filter/established.h"
#include "module/nat/translate.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/packet/skb.h"
#include "module/packet/vrf.h"
#include "module/ruleset/ruleset.h"
#include "module/table/copies.h"
#include "module/table/state.h"

/* A question on its way. */
struct asking {
	struct ipfi_explanation *x;
	const struct ipfi_query *query;
	struct ipfi_pkt p;
	struct nf_hook_state hook;
	struct ipfi_copies copies;
	struct ipfi_tuple arrived; /* what it showed at first */
};

/* What the hook of @list would know of the packet. */
static void fill_env(struct asking *a, u8 list)
{
	const struct ipfi_query *query = a->query;

	ipfi_skb_fill_env(a->p.skb, &a->hook, list, &a->p.packet);
	a->p.packet.has_user = list == IPFI_LIST_OUT && query->has_user;
	a->p.packet.user = query->user;
	a->p.packet.came_by_ipsec = query->ipsec && query->list != IPFI_LIST_OUT;
	a->p.packet.leaves_by_ipsec = query->ipsec && query->list == IPFI_LIST_OUT;
}

/* What the hook for what arrives does. False: it is dropped. */
static bool arrive(struct asking *a)
{
	const struct ipfi_packet *packet = &a->p.packet;

	a->arrived = packet->tuple;
	/* Over a loopback device it has arrived on its way out. */
	if (!READ_ONCE(a->p.in->nat.active) || (packet->loopback && packet->list == IPFI_LIST_IN))
		return true;
	return ipfi_nat_arrive(&a->p) == NF_ACCEPT;
}

/* Where does it go on to, and by which device, now that it has arrived? */
static void route(struct asking *a, struct net_device *out)
{
	const struct ipfi_tuple *tuple = &a->p.packet.tuple;
	bool turned = !ipfi_addr_equal(&tuple->dst, &a->arrived.dst);
	u8 list = a->query->list;

	if (turned && list != IPFI_LIST_OUT)
		list = ipfi_addr_is_own(a->p.in->net, ipfi_vrf_of_packet(a->p.in, &a->p.packet), tuple->family, &tuple->dst) ?
			       IPFI_LIST_IN :
			       IPFI_LIST_FORWARD;
	else if (turned)
		out = NULL;
	a->hook.out = NULL;
	if (list != IPFI_LIST_IN)
		a->hook.out = out ? out : ipfi_route_oif(a->p.in->net, a->hook.in, tuple, a->query->mark);
	fill_env(a, list);
}

/* What the filter does, and the hook for what leaves. */
static void judge(struct asking *a)
{
	struct ipfi_pkt *p = &a->p;
	const struct ipfi_tuple shown = p->packet.tuple;
	unsigned int verdict = ipfi_filter_packet(p);

	a->x->list = p->packet.list;
	if (verdict == NF_ACCEPT && p->packet.list != IPFI_LIST_IN && READ_ONCE(p->in->nat.active))
		ipfi_nat_leave(p, false);
	/* What enters by a loopback device has left before: it shows that. */
	if (verdict == NF_ACCEPT && p->packet.list == IPFI_LIST_IN && p->packet.loopback)
		p->packet.tuple = shown;
}

/* What there is to say of the state that was found or made last. */
static void tell_state(struct ipfi_explanation *x, struct ipfi_copy *copy, bool decided)
{
	const struct ipfi_flow *flow = &copy->ext.state.flow;

	if (copy->ended) {
		if (copy->cause != IPFI_CAUSE_REPLACED)
			x->state_id = copy->id;
		return;
	}
	if (ipfi_state_hidden(&copy->ext.state))
		return;
	x->state_id = copy->id;
	/* What is denied by rules belongs to no state, even if that lives on. */
	if (decided && x->verdict != IPFI_VERDICT_ALLOW)
		return;
	x->state = flow->state;
	if (!decided)
		x->rule = flow->rule;
}

/* What became of it. */
static void tell(struct asking *a)
{
	const struct ipfi_dry_run *dry_run = &a->x->dry_run;
	struct ipfi_explanation *x = a->x;

	x->verdict = dry_run->verdict;
	x->reason = dry_run->reason;
	x->rule = dry_run->rule;
	if (a->copies.last)
		tell_state(x, a->copies.last, dry_run->decided);
	x->leaving = a->p.packet.tuple;
	/* To another VRF is no translation by itself. */
	a->arrived.src_vrf = x->leaving.src_vrf;
	a->arrived.dst_vrf = x->leaving.dst_vrf;
	x->translated = !ipfi_tuple_equal(&x->leaving, &a->arrived);
	/* Of queries and replies alike the identifier is told, where a query has it. */
	if (a->p.packet.icmp_kind == IPFI_ICMP_REPLY)
		swap(x->leaving.sport, x->leaving.dport);
}

/* The packet's way, from hook to hook. BHs off. */
static void ask(struct asking *a, struct net_device *out)
{
	struct ipfi_pkt *p = &a->p;
	const u8 list = a->query->list;
	int err = ipfi_skb_parse(p->skb, &p->packet);

	if (err) {
		a->x->verdict = IPFI_VERDICT_DENY;
		a->x->reason = -err;
		return;
	}
	/* What does not come from here arrives before anybody knows where it goes. */
	if (list == IPFI_LIST_OUT)
		a->hook.out = out ? out : ipfi_route_oif(p->in->net, NULL, &p->packet.tuple, a->query->mark);
	fill_env(a, list == IPFI_LIST_OUT ? IPFI_LIST_OUT : IPFI_LIST_IN);
	if (arrive(a)) {
		route(a, out);
		judge(a);
	}
	tell(a);
}

/* As the IP header says; never less than the header itself. */
static u32 length_of(const u8 *data, u32 length)
{
	u32 total = length;

	if (length >= 20 && data[0] >> 4 == 4)
		total = ipfi_get16(data + 2);
	else if (length >= 40 && data[0] >> 4 == 6)
		total = 40 + ipfi_get16(data + 4);
	return total < 20 ? length : total;
}

/*
 * The packet in a buffer. What is missing behind its headers is made up: such a packet's checksum is taken as right.
 */
static struct sk_buff *make_buffer(const struct ipfi_query *query, int *err)
{
	const u32 total = length_of(query->data, query->length);
	const u32 have = min(query->length, total);
	struct ipfi_packet packet;
	struct sk_buff *skb;

	*err = -ENODATA;
	if (have < total && ipfi_packet_parse(&packet, query->data, have, total, false) > 0)
		return NULL;
	skb = alloc_skb(total, GFP_KERNEL);
	*err = -ENOMEM;
	if (!skb)
		return NULL;
	memcpy(skb_put(skb, have), query->data, have);
	memset(skb_put(skb, total - have), 0, total - have);
	skb_reset_network_header(skb);
	skb->ip_summed = have < total ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
	skb->mark = query->mark;
	*err = 0;
	return skb;
}

/* Room for the steps: each list of the filter's is searched once, or the last time counts. */
static int make_room(struct ipfi_explanation *x)
{
	const u32 *count = x->rs->classifier.count;
	struct ipfi_trace *trace = &x->dry_run.trace;
	u32 most = max(max(count[IPFI_LIST_IN], count[IPFI_LIST_OUT]), count[IPFI_LIST_FORWARD]);

	trace->dstnat.field = kvmalloc(max(count[IPFI_LIST_DSTNAT], 1U), GFP_KERNEL_ACCOUNT);
	trace->filter.field = kvmalloc(max(most, 1U), GFP_KERNEL_ACCOUNT);
	trace->srcnat.field = kvmalloc(max(count[IPFI_LIST_SRCNAT], 1U), GFP_KERNEL_ACCOUNT);
	return trace->dstnat.field && trace->filter.field && trace->srcnat.field ? 0 : -ENOMEM;
}

/* The devices that the question names, NULL for none. Under RCU. */
static int find_devices(struct net *net, const struct ipfi_query *query, struct net_device **in,
			struct net_device **out)
{
	*in = query->iif ? dev_get_by_name_rcu(net, query->iif) : NULL;
	*out = query->oif ? dev_get_by_name_rcu(net, query->oif) : NULL;
	if (query->iif && !*in)
		return -ENODEV;
	return query->oif && !*out ? -ENXIO : 0;
}

static int ask_with_devices(struct asking *a)
{
	struct net_device *out;
	int err = find_devices(a->p.in->net, a->query, &a->hook.in, &out);

	if (err)
		return err;
	local_bh_disable();
	ipfi_copies_begin(&a->copies, a->p.in);
	ask(a, out);
	ipfi_copies_end(&a->copies);
	local_bh_enable();
	return 0;
}

/* Before the first commit every packet passes; a question that is none gets the same answer as ever. */
static int ask_nobody(struct net *net, const struct ipfi_query *query)
{
	struct net_device *in, *out;
	int err;

	rcu_read_lock();
	err = find_devices(net, query, &in, &out);
	rcu_read_unlock();
	return err;
}

int ipfi_explain(struct ipfi_net *in, const struct ipfi_query *query, struct ipfi_explanation *x)
{
	struct asking *a;
	int err = -ENOMEM;

	memset(x, 0, sizeof(*x));
	x->verdict = IPFI_VERDICT_ALLOW;
	x->list = query->list;
	x->rs = ipfi_ruleset_get(in);
	if (!x->rs)
		return ask_nobody(in->net, query);
	a = kvzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	a->x = x;
	a->query = query;
	a->p.in = in;
	a->p.rs = x->rs;
	a->p.hook = &a->hook;
	a->p.dry_run = &x->dry_run;
	x->dry_run.copies = &a->copies;
	a->hook.net = in->net;
	a->hook.hook = query->list == IPFI_LIST_IN  ? NF_INET_LOCAL_IN :
		       query->list == IPFI_LIST_OUT ? NF_INET_LOCAL_OUT :
							 NF_INET_FORWARD;
	a->hook.pf = query->data[0] >> 4 == 6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	a->p.skb = make_buffer(query, &err);
	if (!err)
		err = make_room(x);
	if (!err) {
		rcu_read_lock();
		err = ask_with_devices(a);
		rcu_read_unlock();
	}
	kfree_skb(a->p.skb);
	kvfree(a);
	return err;
}

void ipfi_explanation_end(struct ipfi_explanation *x)
{
	struct ipfi_trace *trace = &x->dry_run.trace;

	kvfree(trace->dstnat.field);
	kvfree(trace->filter.field);
	kvfree(trace->srcnat.field);
	ipfi_ruleset_put(x->rs);
}
