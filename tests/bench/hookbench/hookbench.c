// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hookbench: what the netfilter hooks of the caller's network namespace cost per forwarded packet, without
 * the cost of devices, routing and queues, which is larger and varies more than what is to be measured.
 *
 * Writing "FLOWS ROUNDS IIF OIF BIDIR" to /proc/hookbench builds FLOWS UDP packets over IPv4
 * (10.1.x.y:1024+ -> 10.2.0.2:5000) and drives them ROUNDS times through PRE_ROUTING, FORWARD and
 * POST_ROUTING. With BIDIR=1 every flow is first driven in both directions, so that a stateful firewall calls
 * it established; with BIDIR=0 the first round makes new connections. Reading gives nanoseconds a packet:
 * the first round, then least and median of the others, and how many packets were dropped.
 */
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/udp.h>
#include <linux/vmalloc.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/route.h>

#define PAYLOAD 18
#define TIMED 256 /* packets between two readings of the clock */

static DEFINE_MUTEX(lock);
static char report[256] = "no run yet\n";

struct bench {
	struct net *net;
	struct net_device *in, *out;
	struct sk_buff **there, **back;
	u64 *tenths; /* of a nanosecond a packet, by round */
	unsigned int flows, rounds, dropped;
	bool bidirectional;
};

static struct sk_buff *make_packet(struct net_device *in, __be32 src, __be32 dst, u16 sport, u16 dport)
{
	struct sk_buff *skb = alloc_skb(128, GFP_KERNEL);
	struct udphdr *udp;
	struct iphdr *ip;

	if (!skb)
		return NULL;
	skb_reserve(skb, 32);
	ip = skb_put_zero(skb, sizeof(*ip) + sizeof(*udp) + PAYLOAD);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->protocol = IPPROTO_UDP;
	ip->tot_len = htons(skb->len);
	ip->saddr = src;
	ip->daddr = dst;
	ip_send_check(ip);
	udp = udp_hdr(skb);
	udp->source = htons(sport);
	udp->dest = htons(dport);
	udp->len = htons(sizeof(*udp) + PAYLOAD);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->protocol = htons(ETH_P_IP);
	skb->dev = in;
	skb->skb_iif = in->ifindex;
	skb->pkt_type = PACKET_HOST;
	local_bh_disable();
	rcu_read_lock();
	if (!ip_route_input_noref(skb, dst, src, 0, in))
		skb_dst_force(skb);
	rcu_read_unlock();
	local_bh_enable();
	return skb;
}

static int accepted(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return 0;
}

/* Drives @skb through the three hooks; its reference stays the caller's. False when it was dropped. */
static bool drive(struct net *net, struct sk_buff *skb, struct net_device *in, struct net_device *out)
{
	static const u8 hooks[] = { NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING };
	unsigned int i;

	nf_reset_ct(skb);
	skb_get(skb);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		skb->dev = i == 2 ? out : in;
		if (nf_hook(NFPROTO_IPV4, hooks[i], net, NULL, skb, i == 2 ? NULL : in,
			    i == 0 ? NULL : out, accepted) != 1)
			return false;
	}
	kfree_skb(skb);
	return true;
}

static int build(struct bench *b)
{
	const __be32 server = htonl(0x0a020002);
	unsigned int i;

	b->there = vzalloc(array_size(b->flows, sizeof(*b->there)));
	b->back = vzalloc(array_size(b->flows, sizeof(*b->back)));
	b->tenths = vzalloc(array_size(b->rounds, sizeof(*b->tenths)));
	if (!b->there || !b->back || !b->tenths)
		return -ENOMEM;
	for (i = 0; i < b->flows; i++) {
		__be32 client = htonl(0x0a010100 + i / 60000);
		u16 port = 1024 + i % 60000;

		b->there[i] = make_packet(b->in, client, server, port, 5000);
		if (!b->there[i])
			return -ENOMEM;
		if (!b->bidirectional)
			continue;
		b->back[i] = make_packet(b->out, server, client, 5000, port);
		if (!b->back[i])
			return -ENOMEM;
	}
	return 0;
}

static void prime(struct bench *b)
{
	unsigned int i, turn;

	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < b->flows; i++) {
			local_bh_disable();
			rcu_read_lock();
			drive(b->net, b->there[i], b->in, b->out);
			b->dropped += !drive(b->net, b->back[i], b->out, b->in);
			rcu_read_unlock();
			local_bh_enable();
			if (!(i & 1023))
				cond_resched();
		}
	}
}

static u64 time_round(struct bench *b)
{
	unsigned int i, end;
	u64 start, sum = 0;

	for (i = 0; i < b->flows;) {
		end = min(i + TIMED, b->flows);
		local_bh_disable();
		rcu_read_lock();
		start = ktime_get_ns();
		for (; i < end; i++)
			b->dropped += !drive(b->net, b->there[i], b->in, b->out);
		sum += ktime_get_ns() - start;
		rcu_read_unlock();
		local_bh_enable();
		cond_resched();
	}
	return div_u64(sum * 10, b->flows);
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void tell(struct bench *b)
{
	u64 first = b->tenths[0], *others = b->tenths + (b->rounds > 1);
	unsigned int count = b->rounds > 1 ? b->rounds - 1 : 1;

	sort(others, count, sizeof(*others), compare, NULL);
	snprintf(report, sizeof(report),
		 "flows=%u rounds=%u dropped=%u first=%llu.%llu min=%llu.%llu median=%llu.%llu\n", b->flows,
		 b->rounds, b->dropped, first / 10, first % 10, others[0] / 10, others[0] % 10,
		 others[count / 2] / 10, others[count / 2] % 10);
}

static void tear_down(struct bench *b)
{
	unsigned int i;

	for (i = 0; b->there && i < b->flows; i++)
		kfree_skb(b->there[i]);
	for (i = 0; b->back && i < b->flows; i++)
		kfree_skb(b->back[i]);
	vfree(b->there);
	vfree(b->back);
	vfree(b->tenths);
}

static int run(struct bench *b)
{
	unsigned int round;
	int err = build(b);

	if (!err) {
		if (b->bidirectional)
			prime(b);
		for (round = 0; round < b->rounds; round++)
			b->tenths[round] = time_round(b);
		tell(b);
	}
	tear_down(b);
	return err;
}

static ssize_t hookbench_write(struct file *file, const char __user *from, size_t length, loff_t *at)
{
	struct bench b = { .net = current->nsproxy->net_ns };
	char line[128], iif[IFNAMSIZ], oif[IFNAMSIZ];
	int bidirectional, err = -ENODEV;

	if (length >= sizeof(line) || copy_from_user(line, from, length))
		return -EINVAL;
	line[length] = 0;
	if (sscanf(line, "%u %u %15s %15s %d", &b.flows, &b.rounds, iif, oif, &bidirectional) != 5 ||
	    !b.flows || b.flows > 4000000 || !b.rounds || b.rounds > 10000)
		return -EINVAL;
	b.bidirectional = bidirectional;
	b.in = dev_get_by_name(b.net, iif);
	b.out = dev_get_by_name(b.net, oif);
	if (b.in && b.out) {
		mutex_lock(&lock);
		err = run(&b);
		mutex_unlock(&lock);
	}
	dev_put(b.in);
	dev_put(b.out);
	return err ? err : length;
}

static int hookbench_show(struct seq_file *file, void *data)
{
	mutex_lock(&lock);
	seq_puts(file, report);
	mutex_unlock(&lock);
	return 0;
}

static int hookbench_open(struct inode *inode, struct file *file)
{
	return single_open(file, hookbench_show, NULL);
}

static const struct proc_ops hookbench_ops = {
	.proc_open = hookbench_open,
	.proc_read = seq_read,
	.proc_write = hookbench_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

static int __init hookbench_init(void)
{
	return proc_create("hookbench", 0600, NULL, &hookbench_ops) ? 0 : -ENOMEM;
}

static void __exit hookbench_exit(void)
{
	remove_proc_entry("hookbench", NULL);
}

module_init(hookbench_init);
module_exit(hookbench_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What the netfilter hooks of a network namespace cost per packet");
