// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>
#include <linux/netdevice.h>
#include "module/core/decide.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/explain/explain.h"
#include "module/explain/internal.h"
#include "module/explain/route.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/packet/skb.h"
#include "module/packet/vrf.h"
#include "module/ruleset/ruleset.h"

/* What the hook of @list would know of the packet. */
static void surround(struct ipfi_asking *a, u8 list)
{
	const struct ipfi_question *question = a->question;

	ipfi_skb_surroundings(a->p.skb, &a->hook, list, &a->p.packet);
	a->p.packet.has_user = list == IPFI_LIST_OUT && question->has_user;
	a->p.packet.user = question->user;
	a->p.packet.came_by_ipsec = question->ipsec && question->list != IPFI_LIST_OUT;
	a->p.packet.leaves_by_ipsec = question->ipsec && question->list == IPFI_LIST_OUT;
}

/* Where does it go on to, and by which device, now that it has arrived? */
static void find_way(struct ipfi_asking *a, struct net_device *out)
{
	const struct ipfi_tuple *tuple = &a->p.packet.tuple;
	bool turned = !ipfi_addr_equal(&tuple->dst, &a->arrived.dst);
	u8 list = a->question->list;

	if (turned && list != IPFI_LIST_OUT) {
		list = ipfi_addr_is_own(a->p.in->net, ipfi_vrf_of_packet(a->p.in, &a->p.packet), tuple->family, &tuple->dst) ? IPFI_LIST_IN : IPFI_LIST_FORWARD;
	} else if (turned) {
		out = NULL;
	}
	a->hook.out = NULL;
	if (list != IPFI_LIST_IN)
		a->hook.out = out ? out : ipfi_way_out(a->p.in->net, a->hook.in, tuple, a->question->mark);
	surround(a, list);
}

static void ask(struct ipfi_asking *a, struct net_device *out)
{
	struct ipfi_passage *p = &a->p;
	const u8 list = a->question->list;
	int err;

	a->x->list = list;
	err = ipfi_skb_parse(p->skb, &p->packet);
	if (err) {
		ipfi_asking_deny(a, -err);
		return;
	}
	/* What does not come from here arrives before anybody knows where it goes. */
	if (list == IPFI_LIST_OUT)
		a->hook.out = out ? out : ipfi_way_out(p->in->net, NULL, &p->packet.tuple, a->question->mark);
	surround(a, list == IPFI_LIST_OUT ? IPFI_LIST_OUT : IPFI_LIST_IN);
	a->arrived = p->packet.tuple;
	if (ipfi_explain_arrive(a)) {
		find_way(a, out);
		ipfi_explain_judge(a);
		a->x->list = p->packet.list;
	}
	a->x->leaving = a->x->verdict == IPFI_VERDICT_ALLOW ? a->leaving : p->packet.tuple;
	/* To another VRF is no translation by itself. */
	a->arrived.src_vrf = a->x->leaving.src_vrf;
	a->arrived.dst_vrf = a->x->leaving.dst_vrf;
	a->x->translated = !ipfi_tuple_equal(&a->x->leaving, &a->arrived);
	/* Of queries and replies alike the identifier is told, where a query has it. */
	if (p->packet.icmp_kind == IPFI_ICMP_REPLY)
		swap(a->x->leaving.sport, a->x->leaving.dport);
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
static struct sk_buff *make_buffer(const struct ipfi_question *question, int *err)
{
	const u32 total = length_of(question->data, question->length);
	const u32 have = min(question->length, total);
	struct ipfi_packet packet;
	struct sk_buff *skb;

	*err = -ENODATA;
	if (have < total && ipfi_packet_parse(&packet, question->data, have, total, false) > 0)
		return NULL;
	skb = alloc_skb(total, GFP_KERNEL);
	*err = -ENOMEM;
	if (!skb)
		return NULL;
	memcpy(skb_put(skb, have), question->data, have);
	memset(skb_put(skb, total - have), 0, total - have);
	skb_reset_network_header(skb);
	skb->ip_summed = have < total ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
	skb->mark = question->mark;
	*err = 0;
	return skb;
}

/* Room for the steps: each list of the filter's is searched once, or the last time counts. */
static int make_room(struct ipfi_explanation *x)
{
	const u32 *count = x->rs->classifier.count;
	struct ipfi_told *told = &x->rehearsal.told;
	u32 most = max(max(count[IPFI_LIST_IN], count[IPFI_LIST_OUT]), count[IPFI_LIST_FORWARD]);

	told->dstnat.field = kvmalloc(max(count[IPFI_LIST_DSTNAT], 1U), GFP_KERNEL_ACCOUNT);
	told->filter.field = kvmalloc(max(most, 1U), GFP_KERNEL_ACCOUNT);
	told->srcnat.field = kvmalloc(max(count[IPFI_LIST_SRCNAT], 1U), GFP_KERNEL_ACCOUNT);
	return told->dstnat.field && told->filter.field && told->srcnat.field ? 0 : -ENOMEM;
}

/* The devices that the question names, NULL for none. Under RCU. */
static int find_devices(struct net *net, const struct ipfi_question *question, struct net_device **in,
			struct net_device **out)
{
	*in = question->iif ? dev_get_by_name_rcu(net, question->iif) : NULL;
	*out = question->oif ? dev_get_by_name_rcu(net, question->oif) : NULL;
	if (question->iif && !*in)
		return -ENODEV;
	return question->oif && !*out ? -ENXIO : 0;
}

static int ask_with_devices(struct ipfi_asking *a)
{
	struct net_device *out;
	int err = find_devices(a->p.in->net, a->question, &a->hook.in, &out);

	if (!err)
		ask(a, out);
	return err;
}

/* Before the first commit every packet passes; a question that is none gets the same answer as ever. */
static int ask_nobody(struct net *net, const struct ipfi_question *question)
{
	struct net_device *in, *out;
	int err;

	rcu_read_lock();
	err = find_devices(net, question, &in, &out);
	rcu_read_unlock();
	return err;
}

int ipfi_explain(struct ipfi_net *in, const struct ipfi_question *question, struct ipfi_explanation *x)
{
	struct ipfi_asking *a;
	int err = -ENOMEM;

	memset(x, 0, sizeof(*x));
	x->verdict = IPFI_VERDICT_ALLOW;
	x->list = question->list;
	x->rs = ipfi_ruleset_get(in);
	if (!x->rs)
		return ask_nobody(in->net, question);
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	a->x = x;
	a->question = question;
	a->p.in = in;
	a->p.rs = x->rs;
	a->p.hook = &a->hook;
	a->p.rehearsal = &x->rehearsal;
	a->hook.net = in->net;
	a->hook.hook = question->list == IPFI_LIST_IN  ? NF_INET_LOCAL_IN :
		       question->list == IPFI_LIST_OUT ? NF_INET_LOCAL_OUT :
							 NF_INET_FORWARD;
	a->hook.pf = question->data[0] >> 4 == 6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	a->p.skb = make_buffer(question, &err);
	if (!err)
		err = make_room(x);
	if (!err) {
		rcu_read_lock();
		err = ask_with_devices(a);
		rcu_read_unlock();
	}
	kfree_skb(a->p.skb);
	kfree(a);
	return err;
}

void ipfi_explanation_end(struct ipfi_explanation *x)
{
	struct ipfi_told *told = &x->rehearsal.told;

	kvfree(told->dstnat.field);
	kvfree(told->filter.field);
	kvfree(told->srcnat.field);
	ipfi_ruleset_put(x->rs);
}
