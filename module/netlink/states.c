// SPDX-License-Identifier: GPL-2.0-or-later
/* States: dumped, counted and deleted, each by a filter. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "module/compat.h"
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/core/via.h"
#include "module/net.h"
#include "module/netlink/filter.h"
#include "module/netlink/handlers.h"
#include "module/netlink/message.h"
#include "module/netlink/states.h"
#include "module/packet/vrf.h"
#include "module/ruleset/ruleset.h"
#include "module/table/state.h"
#include "module/table/sweep.h"
#include "module/table/table.h"
#include "module/table/walk.h"

/*
 * A dump fills buffers of this size, if the reader's are not larger yet: more states for each call,
 * fewer of them. The kernel itself stops at 32 KiB.
 */
#define DUMP_BUFFER SKB_WITH_OVERHEAD(32768)

/*
 * A state has some twenty attributes and there are millions of them, so they are not put one by
 * one, each with a check of its own: room for all is made sure of once, then they are written in a
 * row.
 */
static void *write_head(void *at, int type, size_t length)
{
	struct nlattr *attr = at;

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + length;
	return attr + 1;
}

/* u8, u16 and u32 take four bytes, what is left of them being 0. */
static void *write_u32(void *at, int type, u32 value)
{
	*(u32 *)write_head(at, type, sizeof(value)) = value;
	return at + NLA_HDRLEN + sizeof(value);
}

static void *write_u16(void *at, int type, u16 value)
{
	u16 *payload = write_head(at, type, sizeof(value));

	payload[0] = value;
	payload[1] = 0;
	return at + NLA_HDRLEN + NLA_ALIGN(sizeof(value));
}

static void *write_u8(void *at, int type, u8 value)
{
	u8 *payload = write_head(at, type, sizeof(value));

	payload[0] = value;
	memset(payload + 1, 0, NLA_ALIGN(sizeof(value)) - sizeof(value));
	return at + NLA_HDRLEN + NLA_ALIGN(sizeof(value));
}

/* Readers on machines that need it find the number where nla_put_u64_64bit() would put it. */
static void *write_u64(void *at, int type, u64 value)
{
	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) && IS_ALIGNED((unsigned long)at, 8))
		at = write_head(at, IPFI_STATE_A_PAD, 0);
	memcpy(write_head(at, type, sizeof(value)), &value, sizeof(value));
	return at + NLA_HDRLEN + sizeof(value);
}

static void *write_address(void *at, int type, u8 family, const struct ipfi_addr *addr)
{
	int i, words = family == 4 ? 1 : 4;
	__be32 *payload = write_head(at, type, words * sizeof(__be32));

	for (i = 0; i < words; i++)
		payload[i] = cpu_to_be32(addr->w[i]);
	return payload + words;
}

/* What is different on the other side of a translation. */
static void *write_translation(void *at, const struct ipfi_snapshot *snapshot, const struct ipfi_tuple *real)
{
	const u8 family = real->family;

	if (snapshot->flow.flags & IPFI_STATE_F_SRC_NAT) {
		at = write_address(at, IPFI_STATE_A_NAT_SRC, family, &snapshot->leaving.src);
		at = write_u16(at, IPFI_STATE_A_NAT_SPORT, snapshot->leaving.sport);
	}
	if (snapshot->flow.flags & IPFI_STATE_F_DST_NAT) {
		at = write_address(at, IPFI_STATE_A_NAT_DST, family, &real->dst);
		at = write_u16(at, IPFI_STATE_A_NAT_DPORT, real->dport);
	}
	return at;
}

static void *write_helper(void *at, const struct ipfi_snapshot *snapshot)
{
	if (snapshot->helper)
		at = write_u8(at, IPFI_STATE_A_HELPER, snapshot->helper);
	if (snapshot->master)
		at = write_u64(at, IPFI_STATE_A_MASTER, snapshot->master);
	return at;
}

static void *write_addresses(void *at, const struct ipfi_tuple *tuple)
{
	at = write_u8(at, IPFI_STATE_A_FAMILY, tuple->family);
	at = write_u8(at, IPFI_STATE_A_PROTO, tuple->proto);
	at = write_address(at, IPFI_STATE_A_SRC, tuple->family, &tuple->src);
	at = write_address(at, IPFI_STATE_A_DST, tuple->family, &tuple->dst);
	at = write_u16(at, IPFI_STATE_A_SPORT, tuple->sport);
	return write_u16(at, IPFI_STATE_A_DPORT, tuple->dport);
}

/* Of connections in VRFs, or between them. */
static void *write_vrfs(void *at, struct ipfi_net *in, const struct ipfi_tuple *from, const struct ipfi_tuple *to)
{
	if (likely(!(from->src_vrf | to->dst_vrf)))
		return at;
	if (from->src_vrf)
		at = write_u32(at, IPFI_STATE_A_VRF, ipfi_vrf_index(in, from->src_vrf));
	if (from->src_vrf != to->dst_vrf)
		at = write_u32(at, IPFI_STATE_A_DST_VRF, ipfi_vrf_index(in, to->dst_vrf));
	return at;
}

static void *write_counters(void *at, const struct ipfi_flow *flow)
{
	at = write_u64(at, IPFI_STATE_A_PACKETS, flow->traffic[IPFI_ORIGINAL].packets);
	at = write_u64(at, IPFI_STATE_A_BYTES, flow->traffic[IPFI_ORIGINAL].bytes);
	at = write_u64(at, IPFI_STATE_A_REPLY_PACKETS, flow->traffic[IPFI_REPLY].packets);
	return write_u64(at, IPFI_STATE_A_REPLY_BYTES, flow->traffic[IPFI_REPLY].bytes);
}

/* Milliseconds until @deadline, a low word of jiffies; 0 when it is past. */
static u32 time_left(u32 deadline)
{
	s32 left = deadline - (u32)jiffies;

	return left > 0 ? jiffies_to_msecs(left) : 0;
}

int ipfi_state_put(struct sk_buff *skb, struct ipfi_net *in, const struct ipfi_snapshot *snapshot)
{
	const struct ipfi_flow *flow = &snapshot->flow;
	const bool ext = flow->flags & IPFI_FLOW_F_EXT;
	struct nlattr *nest = (void *)skb_tail_pointer(skb);
	struct ipfi_tuple tuple;
	void *at = nest + 1;

	if (skb_tailroom(skb) < IPFI_STATE_PAYLOAD)
		return -EMSGSIZE;
	ipfi_flow_tuple(flow, &tuple);
	at = write_addresses(at, ext ? &snapshot->arriving : &tuple);
	at = write_u8(at, IPFI_STATE_A_STATE, flow->state);
	at = write_u32(at, IPFI_STATE_A_FLAGS, flow->flags & IPFI_STATE_F_ALL);
	at = write_u8(at, IPFI_STATE_A_LIST, flow->list);
	at = write_u32(at, IPFI_STATE_A_IIF, ipfi_flow_iif(flow));
	at = write_u32(at, IPFI_STATE_A_OIF, ipfi_flow_oif(flow));
	at = write_u64(at, IPFI_STATE_A_RULE, flow->rule);
	at = write_counters(at, flow);
	at = write_u32(at, IPFI_STATE_A_TIMEOUT, time_left(snapshot->deadline));
	at = write_u32(at, IPFI_STATE_A_AGE, (u32)ktime_get_seconds() - flow->created);
	at = write_u32(at, IPFI_STATE_A_MARK, flow->mark);
	at = write_u32(at, IPFI_STATE_A_GENERATION, ipfi_generation_of_ruleset(in, flow->generation));
	at = write_u64(at, IPFI_STATE_A_ID, snapshot->id);
	at = write_vrfs(at, in, &tuple, ext ? &snapshot->leaving : &tuple);
	if (unlikely(ext)) {
		at = write_translation(at, snapshot, &tuple);
		at = write_helper(at, snapshot);
	}
	write_head(nest, IPFI_A_STATE | NLA_F_NESTED, at - (void *)(nest + 1));
	skb_put(skb, at - (void *)nest);
	return 0;
}

/*
 * Is @state alive and one of the filter's? Then *snapshot is what it was at one moment; NULL: only asked.
 * Under RCU: one that has just died still can be looked at.
 */
static bool take_state(struct ipfi_state *state, const struct ipfi_filter *filter, struct ipfi_snapshot *snapshot)
{
	bool taken;

	spin_lock_bh(&state->lock);
	taken = !ipfi_state_hidden(state) && ipfi_filter_matches(filter, state);
	if (taken && snapshot)
		ipfi_snapshot_take(snapshot, state);
	spin_unlock_bh(&state->lock);
	return taken;
}

/* Where a dump is. */
struct cursor {
	struct ipfi_walk walk;
	struct ipfi_filter filter;
	bool parsed; /* filter */
};

static struct cursor **cursor_of(struct netlink_callback *cb)
{
	return (struct cursor **)cb->ctx;
}

int ipfi_genl_states_start(struct netlink_callback *cb)
{
	struct ipfi_net *in = ipfi_net(sock_net(cb->skb->sk));
	struct cursor *cursor = kzalloc(sizeof(*cursor), GFP_KERNEL);

	if (!cursor)
		return -ENOMEM;
	ipfi_walk_start(&cursor->walk, in);
	*cursor_of(cb) = cursor;
	cb->min_dump_alloc = DUMP_BUFFER;
	cb->seq = 1;
	return 0;
}

int ipfi_genl_states_done(struct netlink_callback *cb)
{
	kfree(*cursor_of(cb));
	return 0;
}

static int put_message(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct ipfi_snapshot *snapshot)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &ipfi_genl_family, NLM_F_MULTI, IPFI_CMD_STATES_DUMP);

	if (!header)
		return -EMSGSIZE;
	if (ipfi_state_put(skb, ipfi_net(sock_net(cb->skb->sk)), snapshot)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genl_dump_check_consistent(cb, header);
	genlmsg_end(skb, header);
	return 0;
}

/*
 * A bucket is dumped as a whole or, when the buffer is full, into the next one: -EMSGSIZE.
 * (No bucket is longer than an empty buffer: the hash table is given a new seed long before.)
 */
static int dump_bucket(struct sk_buff *skb, struct netlink_callback *cb, struct cursor *cursor)
{
	unsigned int sequence = cb->prev_seq, length = skb->len;
	struct ipfi_snapshot snapshot;
	struct ipfi_state *state;
	struct rhash_head *pos;

	ipfi_walk_for_each(state, pos, &cursor->walk) {
		if (!take_state(state, &cursor->filter, &snapshot) || !put_message(skb, cb, &snapshot))
			continue;
		/* Whether the reader has been told of a resize is undone too. */
		cb->prev_seq = sequence;
		nlmsg_trim(skb, skb->data + length);
		return -EMSGSIZE;
	}
	return 0;
}

/* A change of cb->seq tells the reader that some states may come twice (NLM_F_DUMP_INTR). */
static void dump_states(struct sk_buff *skb, struct netlink_callback *cb, struct cursor *cursor)
{
	struct ipfi_walk *walk = &cursor->walk;

	ipfi_walk_resume(walk);
	while (ipfi_walk_next(walk)) {
		cb->seq = 1 + walk->resized;
		if (dump_bucket(skb, cb, cursor)) {
			ipfi_walk_back(walk);
			break;
		}
		ipfi_walk_yield(walk);
	}
	cb->seq = 1 + walk->resized;
	ipfi_walk_pause(walk);
}

int ipfi_genl_states_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cursor *cursor = *cursor_of(cb);
	int err;

	/* Not when the dump was started: only now is there an extack to say what is wrong. */
	if (!cursor->parsed) {
		err = ipfi_filter_parse(ipfi_net(sock_net(cb->skb->sk)), cb->nlh, ipfi_dump_attrs(cb), &cursor->filter, cb->extack);
		if (err)
			return err;
		cursor->parsed = true;
	}
	dump_states(skb, cb, cursor);
	return skb->len;
}

/* Sends STATS { STATES }. */
static int reply_states(struct genl_info *info, struct sk_buff *skb, void *header, u32 states)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_STATS);

	if (WARN_ON_ONCE(!nest || nla_put_u32(skb, IPFI_STATS_A_STATES, states))) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	ipfi_genl_reply_end(info, skb, header);
	return 0;
}

#define STATES_PAYLOAD nla_total_size(nla_total_size(sizeof(u32)))

/* 0, or -EAGAIN when the table was resized meanwhile: some states may have been counted twice. */
static int count_once(struct ipfi_net *in, const struct ipfi_filter *filter, u32 *count)
{
	struct ipfi_state *state;
	struct rhash_head *pos;
	struct ipfi_walk walk;

	*count = 0;
	ipfi_walk_start(&walk, in);
	ipfi_walk_resume(&walk);
	while (ipfi_walk_next(&walk)) {
		ipfi_walk_for_each(state, pos, &walk)
			*count += take_state(state, filter, NULL);
		ipfi_walk_yield(&walk);
	}
	ipfi_walk_pause(&walk);
	return walk.resized ? -EAGAIN : 0;
}

/* A resize is soon over; it is repeated only after the table has doubled or halved. */
#define COUNT_TRIES 10
#define COUNT_PAUSE 50 /* ms */

static int count_states(struct ipfi_net *in, const struct ipfi_filter *filter, u32 *count)
{
	unsigned int tries;
	int err = -EAGAIN;

	if (!filter->present) {
		*count = ipfi_table_live(&in->table);
		return 0;
	}
	for (tries = 0; tries < COUNT_TRIES && err; tries++) {
		if (tries && msleep_interruptible(COUNT_PAUSE))
			break;
		err = count_once(in, filter, count);
	}
	return err;
}

int ipfi_genl_states_count(struct sk_buff *request, struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct ipfi_filter filter;
	struct sk_buff *skb;
	void *header;
	u32 count;
	int err;

	err = ipfi_filter_parse(in, info->nlhdr, info->attrs, &filter, info->extack);
	if (err)
		return err;
	err = count_states(in, &filter, &count);
	if (err) {
		GENL_SET_ERR_MSG(info, "the state table is being resized: try again");
		return err;
	}
	skb = ipfi_genl_reply_start(info, STATES_PAYLOAD, &header);
	return skb ? reply_states(info, skb, header, count) : -ENOMEM;
}

static enum ipfi_sweep kill_matching(struct ipfi_net *in, struct ipfi_state *state, void *filter)
{
	if (ipfi_state_hidden(state) || !ipfi_filter_matches(filter, state))
		return IPFI_SWEEP_LEAVE;
	return IPFI_SWEEP_KILL;
}

int ipfi_genl_states_delete(struct sk_buff *request, struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct ipfi_filter filter;
	struct sk_buff *skb;
	void *header;
	int err;

	err = ipfi_filter_parse(in, info->nlhdr, info->attrs, &filter, info->extack);
	if (err)
		return err;
	/* The reply first: what has been deleted cannot fail any more. */
	skb = ipfi_genl_reply_start(info, STATES_PAYLOAD, &header);
	if (!skb)
		return -ENOMEM;
	return reply_states(info, skb, header,
			    ipfi_table_sweep(in, kill_matching, &filter, IPFI_CAUSE_DELETED));
}
