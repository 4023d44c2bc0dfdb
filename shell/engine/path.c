// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way of a packet through the hooks, as the kernel leads it:
 *
 *     arriving -> PRE_ROUTING -> for this machine? -> LOCAL_IN
 *                                               else  FORWARD -> POST_ROUTING -> leaving
 *     made here -> LOCAL_OUT -> POST_ROUTING -> leaving, or by a loopback device arriving
 *
 * In a VRF it passes PRE_ROUTING a second time, by the VRF's device, and LOCAL_OUT and POST_ROUTING a first time. What
 * is forwarded to a VRF's own device is sent in the VRF from there, by LOCAL_OUT and POST_ROUTING of one of its devices.
 *
 * Whether it is for this machine is what the packet was given as, unless a translation has changed its destination
 * on the way: then the destination says.
 */
#include "shell/engine/path.h"

/* Room at the end for what a translation of text adds before it must find more. */
#define ROOM 128

struct passing {
	struct engine_world *world;
	struct sk_buff *skb;
	struct device *iif, *oif; /* oif: what was given, NULL for none */
	enum engine_list list;
	engine_wait *wait; /* NULL: nowhere */
	void *context;
	bool leaves_by_ipsec;
};

/* As much as the packet says that it is. */
static unsigned int length_of(const u8 *data, size_t len)
{
	size_t said = len;

	if (data[0] >> 4 == 4)
		said = (size_t)data[2] << 8 | data[3];
	else if (data[4] || data[5])
		said = sizeof(struct ipv6hdr) + ((size_t)data[4] << 8 | data[5]);
	return (unsigned int)min_t(size_t, said, len);
}

/* NULL for what has no header of IP, with *err set. */
static struct sk_buff *make_skb(const struct engine_packet *packet, int *err)
{
	const u8 *data = packet->data;
	const u8 version = packet->len ? data[0] >> 4 : 0;
	struct sk_buff *skb;
	unsigned int length;

	*err = -EINVAL;
	if (packet->len < sizeof(struct iphdr) || packet->len > 0x100000 || (version != 4 && version != 6) ||
	    (version == 6 && packet->len < sizeof(struct ipv6hdr)))
		return NULL;
	length = length_of(data, packet->len);
	if (length < sizeof(struct iphdr))
		return NULL;
	*err = -ENOMEM;
	skb = skb_make(length + ROOM, 0);
	if (!skb)
		return NULL;
	memcpy(skb_put(skb, length), data, length);
	skb_reset_network_header(skb);
	skb->protocol = htons(version == 4 ? ETH_P_IP : ETH_P_IPV6);
	skb->mark = packet->mark;
	skb->ip_summed = packet->checked ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
	return skb;
}

static struct net_device *dev_of(struct device *device)
{
	return device ? &device->dev : NULL;
}

static void lead_to(const struct passing *p, struct device *device)
{
	struct sk_buff *skb = p->skb;

	if (device)
		device->way.dst.xfrm = p->leaves_by_ipsec ? device : NULL;
	skb_dst_set(skb, device ? &device->way.dst : NULL);
}

/* The VRF that a device belongs to, NULL for none. */
static struct net_device *vrf_of(const struct device *device)
{
	return device ? device->dev.l3mdev : NULL;
}

/* What others may do meanwhile has packets and answers of its own. */
static bool wait(struct passing *p, enum engine_queue queue)
{
	struct engine_world *one = p->world;
	const struct engine_address *borrowed = one->borrowed;
	struct sk_buff *packet = one->packet, *answers = one->answers, *answered = one->answered,
		       *backlog = one->backlog;
	const unsigned int hooks_gone = one->hooks_gone;
	bool goes_on;

	if (!p->wait)
		return true;
	one->packet = one->answers = one->answered = one->backlog = NULL;
	one->borrowed = NULL;
	world_leave();
	goes_on = p->wait(p->context, queue) && one->hooks_gone == hooks_gone;
	path_forget(one);
	world_enter(one);
	one->packet = packet;
	one->answers = answers;
	one->answered = answered;
	one->backlog = backlog;
	one->borrowed = borrowed;
	return goes_on;
}

static bool leave(struct passing *p, struct net_device *in)
{
	return wait(p, ENGINE_BEFORE_LEAVING) &&
	       netfilter_pass(p->skb, NF_INET_POST_ROUTING, in, skb_dst(p->skb) ? skb_dst(p->skb)->dev : NULL);
}

/* What was forwarded to a VRF's own device @vrf goes on by that of its devices which leads to the destination. */
static bool send_in(struct passing *p, struct device *vrf)
{
	struct device *out = device_towards(p->world, &vrf->dev, family_of(p->skb), destination_of(p->skb));

	if (!out || out == vrf)
		return false;
	p->oif = out;
	lead_to(p, out);
	p->skb->ip = (struct inet_skb_parm){};
	return netfilter_pass(p->skb, NF_INET_LOCAL_OUT, NULL, dev_of(out)) && leave(p, NULL);
}

static bool forward(struct passing *p)
{
	struct device *out = p->oif;

	p->list = ENGINE_FORWARD;
	if (!out)
		out = device_towards(p->world, vrf_of(p->iif), family_of(p->skb), destination_of(p->skb));
	p->oif = out;
	lead_to(p, out);
	p->skb->ip.flags |= IPSKB_FORWARDED;
	if (!wait(p, ENGINE_BEFORE_FORWARD) || !netfilter_pass(p->skb, NF_INET_FORWARD, p->skb->dev, dev_of(out)) ||
	    !leave(p, p->skb->dev))
		return false;
	return !out || !netif_is_l3_master(&out->dev) || send_in(p, out);
}

static bool come_in(struct passing *p)
{
	p->list = ENGINE_IN;
	p->oif = NULL;
	lead_to(p, device_find(p->world, "lo"));
	return wait(p, ENGINE_BEFORE_INPUT) &&
	       netfilter_pass(p->skb, NF_INET_LOCAL_IN, p->skb->dev, NULL);
}

/* What has come in by a device of a VRF goes on as if it had come by the VRF's own. */
static bool take_over(struct passing *p)
{
	struct net_device *vrf = vrf_of(p->iif);

	if (!vrf)
		return true;
	p->skb->dev = vrf;
	p->skb->ip.flags |= IPSKB_L3SLAVE;
	if (p->skb->pkt_type == PACKET_LOOPBACK) {
		p->skb->pkt_type = PACKET_HOST;
		return true;
	}
	return netfilter_pass(p->skb, NF_INET_PRE_ROUTING, vrf, NULL);
}

static bool arrive(struct passing *p)
{
	const u8 family = family_of(p->skb);
	bool for_here = p->list == ENGINE_IN;
	u8 before[16];

	memcpy(before, destination_of(p->skb), family == 4 ? 4 : 16);
	p->skb->dev = dev_of(p->iif);
	skb_dst_drop(p->skb);
	p->skb->skb_iif = p->iif ? p->iif->dev.ifindex : 0;
	p->skb->ip = (struct inet_skb_parm){ .iif = p->skb->skb_iif };
	if (!netfilter_pass(p->skb, NF_INET_PRE_ROUTING, dev_of(p->iif), NULL) || !take_over(p))
		return false;
	if (!address_same_bits(before, destination_of(p->skb), address_bits(family)))
		for_here = address_is_own(p->world, vrf_of(p->iif), family, destination_of(p->skb));
	return for_here ? come_in(p) : forward(p);
}

/* To where it leaves: *loops when that is a loopback device, by which it is to come in again. */
static bool go_out(struct passing *p, bool *loops)
{
	struct device *out = p->oif;

	if (!out)
		out = device_towards(p->world, NULL, family_of(p->skb), destination_of(p->skb));
	lead_to(p, out);
	p->list = ENGINE_OUT;
	/* What is sent in a VRF goes out by the VRF's device first. */
	if (out && netif_is_l3_slave(&out->dev) &&
	    (!netfilter_pass(p->skb, NF_INET_LOCAL_OUT, NULL, out->dev.l3mdev) ||
	     !netfilter_pass(p->skb, NF_INET_POST_ROUTING, NULL, out->dev.l3mdev)))
		return false;
	if (!netfilter_pass(p->skb, NF_INET_LOCAL_OUT, NULL, dev_of(out)) || !leave(p, NULL))
		return false;
	/* A translation may have found another way. */
	out = skb_dst(p->skb) ? device_of(skb_dst(p->skb)->dev) : NULL;
	p->oif = out;
	*loops = out && (out->dev.flags & IFF_LOOPBACK || netif_is_l3_master(&out->dev));
	return true;
}

static bool come_back(struct passing *p, struct device *loopback)
{
	p->skb->sk = NULL;
	p->iif = loopback;
	p->list = ENGINE_IN;
	p->skb->pkt_type = PACKET_LOOPBACK;
	return arrive(p);
}

static void append(struct sk_buff **last, struct sk_buff *skb)
{
	while (*last)
		last = &(*last)->next;
	*last = skb;
}

/* What leaves by loopback while another packet is worked on comes in when that is done. */
void path_answer(struct sk_buff *skb, struct device *out)
{
	struct passing p = { .world = world, .skb = skb, .oif = out };
	bool loops;

	if (!go_out(&p, &loops)) {
		kfree_skb(skb);
		return;
	}
	skb->dev = dev_of(p.oif);
	append(loops ? &world->backlog : &world->answers, skb);
}

static void work_off(struct engine_world *one)
{
	while (one->backlog) {
		struct passing p = { .world = one, .skb = one->backlog };
		struct device *loopback = device_of(p.skb->dev);

		one->backlog = p.skb->next;
		p.skb->next = NULL;
		if (!come_back(&p, loopback)) {
			kfree_skb(p.skb);
			continue;
		}
		p.skb->dev = p.oif ? dev_of(p.oif) : dev_of(p.iif);
		append(&one->answers, p.skb);
	}
}

static void free_all(struct sk_buff **skb)
{
	struct sk_buff *next;

	for (; *skb; *skb = next) {
		next = (*skb)->next;
		kfree_skb(*skb);
	}
}

void path_forget(struct engine_world *one)
{
	free_all(&one->packet);
	free_all(&one->answers);
	free_all(&one->backlog);
	free_all(&one->answered);
}

/* The devices that were given, or those that the addresses say. */
static int find_devices(struct passing *p, const struct engine_packet *packet)
{
	if (packet->list != ENGINE_OUT)
		p->iif = packet->iif ? device_get(p->world, packet->iif) :
				       device_towards(p->world, NULL, family_of(p->skb), source_of(p->skb));
	if (packet->list != ENGINE_IN && packet->oif)
		p->oif = device_get(p->world, packet->oif);
	if (IS_ERR(p->iif))
		return (int)PTR_ERR(p->iif);
	return IS_ERR(p->oif) ? (int)PTR_ERR(p->oif) : 0;
}

/* An address that only one machine has. */
static bool is_unicast(u8 family, const void *bytes)
{
	static const u8 none[16];
	__be32 ipv4;

	if (!memcmp(bytes, none, family == 4 ? 4 : 16))
		return false;
	if (family == 6)
		return *(const u8 *)bytes != 0xff;
	memcpy(&ipv4, bytes, sizeof(ipv4));
	return inet_addr_type(&world->net, ipv4) == RTN_UNICAST;
}

/* The address that makes the packet one of the machine's own. True if it is not known as that. */
static bool borrow(const struct passing *p, struct engine_address *address)
{
	const void *bytes = p->list == ENGINE_OUT ? source_of(p->skb) : destination_of(p->skb);

	if (p->list == ENGINE_FORWARD || !is_unicast(family_of(p->skb), bytes))
		return false;
	address->family = family_of(p->skb);
	address->length = (u8)address_bits(address->family);
	memcpy(address->bytes, bytes, address->length / 8);
	return true;
}

static bool pass(struct passing *p, const struct engine_packet *packet)
{
	struct sock sender = { .net = &p->world->net, .sk_uid = { packet->user } };
	struct engine_address own = {};
	bool accepted, loops;

	if (borrow(p, &own))
		p->world->borrowed = &own;
	if (packet->list == ENGINE_OUT && packet->has_user)
		p->skb->sk = &sender;
	if (packet->list != ENGINE_OUT)
		accepted = arrive(p);
	else
		accepted = go_out(p, &loops) && (!loops || come_back(p, p->oif));
	p->skb->sk = NULL;
	work_off(p->world);
	p->world->borrowed = NULL;
	return accepted;
}

static void describe(const struct passing *p, bool accepted, struct engine_outcome *outcome)
{
	outcome->accepted = accepted;
	outcome->list = p->list;
	outcome->data = p->skb->data;
	outcome->len = p->skb->len;
	outcome->iif = p->iif ? p->iif->dev.name : NULL;
	outcome->oif = p->oif ? p->oif->dev.name : NULL;
}

int engine_pass(struct engine_world *one, const struct engine_packet *packet, struct engine_outcome *outcome)
{
	struct passing p = { .world = one, .list = packet->list, .wait = packet->wait, .context = packet->context };
	int err;

	path_forget(one);
	p.skb = make_skb(packet, &err);
	if (!p.skb)
		return err;
	p.leaves_by_ipsec = packet->ipsec && packet->list == ENGINE_OUT;
	p.skb->ipsec = packet->ipsec && !p.leaves_by_ipsec;
	one->packet = p.skb;
	world_enter(one);
	err = find_devices(&p, packet);
	if (!err)
		describe(&p, pass(&p, packet), outcome);
	world_leave();
	return err;
}

bool engine_next_answer(struct engine_world *one, struct engine_answer *answer)
{
	struct sk_buff *skb = one->answers;

	if (!skb)
		return false;
	one->answers = skb->next;
	skb->next = one->answered;
	one->answered = skb;
	answer->data = skb->data;
	answer->len = skb->len;
	answer->oif = skb->dev ? skb->dev->name : NULL;
	return true;
}
