// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include "module/core/platform.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/packet/drops.h"

void ipfi_drops_init(struct ipfi_net *in)
{
	spin_lock_init(&in->drops.lock);
}

int ipfi_drops_start(struct ipfi_net *in)
{
	struct ipfi_drops *drops = &in->drops;

	if (drops->ring)
		return 0;
	drops->second = jiffies;
	drops->ring = kvcalloc(IPFI_DROPS_KEPT, sizeof(*drops->ring), GFP_KERNEL_ACCOUNT);
	return drops->ring ? 0 : -ENOMEM;
}

void ipfi_drops_exit(struct ipfi_net *in)
{
	kvfree(in->drops.ring);
}

/* A second that was spent ends: how many packets were missed in it. */
static u32 count_missed(struct ipfi_net *in)
{
	u64 missed = 0, before = in->drops.trace;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		missed += READ_ONCE(per_cpu_ptr(in->counters, cpu)->drops_missed);
	in->drops.trace = missed;
	return min_t(u64, missed - before, U32_MAX);
}

static void write_header(const struct sk_buff *skb, struct ipfi_drop *drop)
{
	const unsigned int offset = skb_network_offset(skb);
	unsigned int from;

	drop->length = skb->len - offset;
	drop->kept = min_t(unsigned int, skb_headlen(skb) - offset, IPFI_DROP_HEADER);
	memcpy(drop->header, skb_network_header(skb), drop->kept);
	drop->sum_from = 0;
	drop->sum_at = 0;
	if (skb->ip_summed != CHECKSUM_PARTIAL || drop->kept < drop->length)
		return;
	from = skb_checksum_start_offset(skb) - (int)offset;
	if (from + skb->csum_offset + sizeof(__sum16) <= drop->kept) {
		drop->sum_from = from;
		drop->sum_at = from + skb->csum_offset;
	}
}

/* Is there room for another in this second? Begins the next when it is time. */
static bool take_turn(struct ipfi_net *in, u32 *missed)
{
	struct ipfi_drops *drops = &in->drops;

	*missed = 0;
	if (jiffies - drops->second >= HZ) {
		if (drops->spent == IPFI_DROPS_RATE)
			*missed = count_missed(in);
		WRITE_ONCE(drops->second, jiffies);
		WRITE_ONCE(drops->spent, 0);
	}
	if (drops->spent == IPFI_DROPS_RATE)
		return false;
	WRITE_ONCE(drops->spent, drops->spent + 1);
	return true;
}

static void record(const struct ipfi_pkt *p, u8 reason, u64 rule, u32 missed)
{
	struct ipfi_drops *drops = &p->in->drops;
	struct ipfi_drop *drop = &drops->ring[drops->written++ % IPFI_DROPS_KEPT];

	drop->time = ktime_get_real_ns();
	drop->rule = rule;
	drop->iif = p->packet.iif;
	drop->oif = p->packet.oif;
	drop->mark = p->skb->mark;
	drop->missed = missed;
	drop->reason = reason;
	drop->list = p->packet.list;
	write_header(p->skb, drop);
}

void ipfi_drops_record(const struct ipfi_pkt *p, u8 reason, u64 rule)
{
	struct ipfi_drops *drops = &p->in->drops;
	bool recorded;
	u32 missed;

	if (unlikely(READ_ONCE(drops->spent) == IPFI_DROPS_RATE) && jiffies - READ_ONCE(drops->second) < HZ) {
		__this_cpu_inc(p->in->counters->drops_missed);
		return;
	}
	spin_lock(&drops->lock);
	recorded = take_turn(p->in, &missed);
	if (recorded)
		record(p, reason, rule, missed);
	spin_unlock(&drops->lock);
	if (!recorded)
		__this_cpu_inc(p->in->counters->drops_missed);
}

u32 ipfi_drops_copy(struct ipfi_net *in, struct ipfi_drop *drops)
{
	const struct ipfi_drop *ring = in->drops.ring;
	u32 count, first;

	spin_lock_bh(&in->drops.lock);
	count = min_t(u64, in->drops.written, IPFI_DROPS_KEPT);
	first = (in->drops.written - count) % IPFI_DROPS_KEPT;
	memcpy(drops, ring + first, (IPFI_DROPS_KEPT - first) * sizeof(*ring));
	memcpy(drops + IPFI_DROPS_KEPT - first, ring, first * sizeof(*ring));
	spin_unlock_bh(&in->drops.lock);
	return count;
}
