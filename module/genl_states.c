// SPDX-License-Identifier: GPL-2.0-or-later
/* States: dumped, counted and deleted, each by a filter. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "compat.h"
#include "genl.h"
#include "genl_filter.h"
#include "genl_parse.h"

/* States looked at before others get the CPU. */
#define WALK_BATCH 256

/*
 * A dump fills buffers of this size, if the reader's are not larger yet: more states for each call,
 * fewer of them. The kernel itself stops at 32 KiB.
 */
#define DUMP_BUFFER SKB_WITH_OVERHEAD(32768)

static int put_addresses(struct sk_buff *skb, const struct ipfi_tuple *tuple)
{
	if (nla_put_u8(skb, IPFI_STATE_A_FAMILY, tuple->family) ||
	    nla_put_u8(skb, IPFI_STATE_A_PROTO, tuple->proto) ||
	    ipfi_put_address(skb, IPFI_STATE_A_SRC, tuple->family, &tuple->src) ||
	    ipfi_put_address(skb, IPFI_STATE_A_DST, tuple->family, &tuple->dst) ||
	    nla_put_u16(skb, IPFI_STATE_A_SPORT, tuple->sport) ||
	    nla_put_u16(skb, IPFI_STATE_A_DPORT, tuple->dport))
		return -EMSGSIZE;
	return 0;
}

static int put_counters(struct sk_buff *skb, const struct ipfi_flow *flow)
{
	if (nla_put_u64_64bit(skb, IPFI_STATE_A_PACKETS, flow->packets[IPFI_ORIGINAL],
			      IPFI_STATE_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_STATE_A_BYTES, flow->bytes[IPFI_ORIGINAL],
			      IPFI_STATE_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_STATE_A_REPLY_PACKETS, flow->packets[IPFI_REPLY],
			      IPFI_STATE_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_STATE_A_REPLY_BYTES, flow->bytes[IPFI_REPLY],
			      IPFI_STATE_A_PAD))
		return -EMSGSIZE;
	return 0;
}

/* Milliseconds until @deadline, a low word of jiffies; 0 when it is past. */
static u32 time_left(u32 deadline)
{
	s32 left = deadline - (u32)jiffies;

	return left > 0 ? jiffies_to_msecs(left) : 0;
}

int ipfi_state_put(struct sk_buff *skb, const struct ipfi_flow *flow, u32 deadline)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_STATE);
	const u32 public = IPFI_STATE_F_GUESSED | IPFI_STATE_F_REPLY_SEEN;
	struct ipfi_tuple tuple;

	if (!nest)
		return -EMSGSIZE;
	ipfi_flow_tuple(flow, &tuple);
	if (put_addresses(skb, &tuple) || nla_put_u8(skb, IPFI_STATE_A_STATE, flow->state) ||
	    nla_put_u32(skb, IPFI_STATE_A_FLAGS, flow->flags & public) ||
	    nla_put_u8(skb, IPFI_STATE_A_LIST, flow->list) ||
	    nla_put_u32(skb, IPFI_STATE_A_IIF, ipfi_flow_iif(flow)) ||
	    nla_put_u32(skb, IPFI_STATE_A_OIF, ipfi_flow_oif(flow)) ||
	    nla_put_u64_64bit(skb, IPFI_STATE_A_RULE, flow->rule, IPFI_STATE_A_PAD) ||
	    put_counters(skb, flow) ||
	    nla_put_u32(skb, IPFI_STATE_A_TIMEOUT, time_left(deadline)) ||
	    nla_put_u32(skb, IPFI_STATE_A_AGE, (u32)ktime_get_seconds() - flow->created) ||
	    nla_put_u32(skb, IPFI_STATE_A_MARK, flow->mark) ||
	    nla_put_u32(skb, IPFI_STATE_A_GENERATION, flow->generation))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * Is @state alive and one of the filter's? Then *flow and *deadline are what it was at one moment.
 * Under RCU: one that has just died still can be looked at.
 */
static bool take_state(struct ipfi_state *state, const struct ipfi_filter *filter,
		       struct ipfi_flow *flow, u32 *deadline)
{
	bool taken;

	spin_lock_bh(&state->lock);
	taken = !(state->flow.table & (IPFI_TABLE_DEAD | IPFI_TABLE_KILLED)) && ipfi_filter_matches(filter, &state->flow);
	if (taken) {
		*flow = state->flow;
		*deadline = state->deadline;
	}
	spin_unlock_bh(&state->lock);
	return taken;
}

/* Where a dump is. The walk stands at the state that comes next: none is lost to a full buffer. */
struct cursor {
	struct rhashtable_iter iter;
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
	rhashtable_walk_enter(&in->table.hash, &cursor->iter);
	*cursor_of(cb) = cursor;
	cb->min_dump_alloc = DUMP_BUFFER;
	cb->seq = 1;
	return 0;
}

int ipfi_genl_states_done(struct netlink_callback *cb)
{
	struct cursor *cursor = *cursor_of(cb);

	rhashtable_walk_exit(&cursor->iter);
	kfree(cursor);
	return 0;
}

static int put_message(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct ipfi_flow *flow, u32 deadline)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &ipfi_genl_family, NLM_F_MULTI, IPFI_CMD_STATES_DUMP);

	if (!header)
		return -EMSGSIZE;
	if (ipfi_state_put(skb, flow, deadline)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genl_dump_check_consistent(cb, header);
	genlmsg_end(skb, header);
	return 0;
}

/*
 * Lets others run, and readers of RCU end, without losing the place: the walk stands at a state
 * that has not been looked at.
 */
static void *walk_pause(struct rhashtable_iter *iter)
{
	rhashtable_walk_stop(iter);
	cond_resched();
	return rhashtable_walk_start_check(iter) ? ERR_PTR(-EAGAIN) : rhashtable_walk_peek(iter);
}

/*
 * The walk goes back to the start of a new array of buckets when the table has been resized: no
 * state that lives on is missed, but some may come twice, which the reader is told
 * (NLM_F_DUMP_INTR).
 */
static void dump_states(struct sk_buff *skb, struct netlink_callback *cb, struct cursor *cursor)
{
	unsigned int looked = 0;
	struct ipfi_state *state;
	struct ipfi_flow flow;
	u32 deadline;

	if (rhashtable_walk_start_check(&cursor->iter))
		cb->seq++;
	state = rhashtable_walk_peek(&cursor->iter);
	while (state) {
		if (IS_ERR(state))
			cb->seq++;
		else if (take_state(state, &cursor->filter, &flow, &deadline) &&
			 put_message(skb, cb, &flow, deadline))
			break;
		state = rhashtable_walk_next(&cursor->iter);
		if (++looked % WALK_BATCH == 0 && !IS_ERR_OR_NULL(state))
			state = walk_pause(&cursor->iter);
	}
	rhashtable_walk_stop(&cursor->iter);
}

int ipfi_genl_states_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cursor *cursor = *cursor_of(cb);
	int err;

	/* Not when the dump was started: only now is there an extack to say what is wrong. */
	if (!cursor->parsed) {
		err = ipfi_filter_parse(cb->nlh, ipfi_dump_attrs(cb), &cursor->filter, cb->extack);
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
	struct rhashtable_iter iter;
	struct ipfi_state *state;
	unsigned int looked = 0;
	struct ipfi_flow flow;
	u32 deadline;

	*count = 0;
	rhashtable_walk_enter(&in->table.hash, &iter);
	rhashtable_walk_start(&iter);
	state = rhashtable_walk_peek(&iter);
	while (!IS_ERR_OR_NULL(state)) {
		*count += take_state(state, filter, &flow, &deadline);
		state = rhashtable_walk_next(&iter);
		if (++looked % WALK_BATCH == 0 && !IS_ERR_OR_NULL(state))
			state = walk_pause(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return PTR_ERR_OR_ZERO(state);
}

/* A resize is soon over; it is repeated only after the table has doubled or halved. */
#define COUNT_TRIES 10
#define COUNT_PAUSE 50 /* ms */

static int count_states(struct ipfi_net *in, const struct ipfi_filter *filter, u32 *count)
{
	unsigned int tries;
	int err = -EAGAIN;

	if (!filter->present) {
		*count = atomic_read(&in->table.count);
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

	err = ipfi_filter_parse(info->nlhdr, info->attrs, &filter, info->extack);
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
	if (state->flow.table & IPFI_TABLE_KILLED || !ipfi_filter_matches(filter, &state->flow))
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

	err = ipfi_filter_parse(info->nlhdr, info->attrs, &filter, info->extack);
	if (err)
		return err;
	/* The reply first: what has been deleted cannot fail any more. */
	skb = ipfi_genl_reply_start(info, STATES_PAYLOAD, &header);
	if (!skb)
		return -ENOMEM;
	return reply_states(info, skb, header,
			    ipfi_table_sweep(in, kill_matching, &filter, IPFI_CAUSE_DELETED));
}
