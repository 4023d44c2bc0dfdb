// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/ktime.h>
#include "module/core/packet.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/netlink/attr.h"
#include "module/netlink/events.h"
#include "module/netlink/info.h"
#include "module/netlink/message.h"
#include "module/netlink/states.h"
#include "module/notify.h"
#include "module/ruleset/ruleset.h"
#include "module/table/state.h"

/* Room for EVENT and STATE. */
#define EVENT_PAYLOAD (nla_total_size(2 * nla_total_size(1)) + IPFI_STATE_PAYLOAD)

/* What the attributes of one packet take at most: numbers, two addresses and two strings. */
#define LOG_PAYLOAD 512

/* An event that has been started, whose attributes have been put with the result @err, goes to who listens. */
static void finish(struct ipfi_net *in, enum ipfi_group group, struct sk_buff *skb, void *header, int err)
{
	if (WARN_ON_ONCE(err))
		nlmsg_free(skb);
	else
		ipfi_genl_event_send(in, group, skb, header);
}

static int put_kind(struct sk_buff *skb, enum ipfi_event kind, enum ipfi_cause cause)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_EVENT);

	if (!nest || nla_put_u8(skb, IPFI_EVENT_A_KIND, kind) ||
	    (cause != IPFI_CAUSE_UNSPEC && nla_put_u8(skb, IPFI_EVENT_A_CAUSE, cause)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static void send_state(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_event kind, enum ipfi_cause cause)
{
	struct ipfi_snapshot snapshot;
	struct sk_buff *skb;
	void *header;

	ipfi_snapshot_take(&snapshot, state);
	header = ipfi_genl_event_start(in, IPFI_GROUP_INDEX_STATE, IPFI_CMD_EVENT_STATE, EVENT_PAYLOAD, &skb);
	if (header)
		finish(in, IPFI_GROUP_INDEX_STATE, skb, header,
		       put_kind(skb, kind, cause) ?: ipfi_state_put(skb, in, &snapshot));
}

static int put_full(struct sk_buff *skb, const struct ipfi_net *in, u32 states)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_STATS);

	if (!nest || nla_put_u32(skb, IPFI_STATS_A_STATES, states) ||
	    nla_put_u32(skb, IPFI_STATS_A_MAX_STATES, ipfi_net_max_states(in)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static void send_full(struct ipfi_net *in, u32 states)
{
	struct sk_buff *skb;
	void *header = ipfi_genl_event_start(in, IPFI_GROUP_INDEX_STATE, IPFI_CMD_EVENT_FULL,
					     nla_total_size(2 * nla_total_size(sizeof(u32))), &skb);

	if (header)
		finish(in, IPFI_GROUP_INDEX_STATE, skb, header, put_full(skb, in, states));
}

static void send_ruleset(struct ipfi_net *in, enum ipfi_change change)
{
	const struct ipfi_ruleset *rs = ipfi_ruleset_running(in);
	struct sk_buff *skb;
	void *header = ipfi_genl_event_start(in, IPFI_GROUP_INDEX_RULESET, IPFI_CMD_EVENT_RULESET, IPFI_INFO_PAYLOAD,
					     &skb);

	if (header)
		finish(in, IPFI_GROUP_INDEX_RULESET, skb, header, ipfi_info_put_event(skb, in, rs, change));
}

static int put_ports(struct sk_buff *skb, const struct ipfi_packet *packet)
{
	if (packet->has_ports)
		return nla_put_u16(skb, IPFI_LOG_A_SPORT, packet->tuple.sport) ||
		       nla_put_u16(skb, IPFI_LOG_A_DPORT, packet->tuple.dport);
	if (packet->icmp_kind != IPFI_ICMP_NONE)
		return nla_put_u16(skb, IPFI_LOG_A_ICMP, packet->icmp);
	return 0;
}

static int put_packet(struct sk_buff *skb, const struct ipfi_packet *packet)
{
	const struct ipfi_tuple *tuple = &packet->tuple;

	return nla_put_u8(skb, IPFI_LOG_A_LIST, packet->list) ||
	       nla_put_u8(skb, IPFI_LOG_A_FAMILY, tuple->family) ||
	       nla_put_u8(skb, IPFI_LOG_A_PROTO, tuple->proto) ||
	       ipfi_put_address(skb, IPFI_LOG_A_SRC, tuple->family, &tuple->src) ||
	       ipfi_put_address(skb, IPFI_LOG_A_DST, tuple->family, &tuple->dst) || put_ports(skb, packet) ||
	       nla_put_u32(skb, IPFI_LOG_A_IIF, packet->iif) || nla_put_u32(skb, IPFI_LOG_A_OIF, packet->oif) ||
	       nla_put_u32(skb, IPFI_LOG_A_LENGTH, packet->length);
}

static int put_log(struct sk_buff *skb, const struct ipfi_packet *packet, const struct ipfi_log_entry *entry)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_LOG);

	if (!nest || nla_put_string(skb, IPFI_LOG_A_PREFIX, entry->prefix) ||
	    nla_put_u64_64bit(skb, IPFI_LOG_A_RULE, entry->rule, IPFI_LOG_A_PAD) ||
	    (entry->name && nla_put_string(skb, IPFI_LOG_A_NAME, entry->name)) ||
	    nla_put_u8(skb, IPFI_LOG_A_VERDICT, entry->verdict) ||
	    nla_put_u8(skb, IPFI_LOG_A_REASON, entry->reason) ||
	    nla_put_u8(skb, IPFI_LOG_A_STATE, entry->state_id) || put_packet(skb, packet) ||
	    nla_put_u64_64bit(skb, IPFI_LOG_A_TIME, ktime_get_real_ns(), IPFI_LOG_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static void send_log(struct ipfi_net *in, const struct ipfi_packet *packet, const struct ipfi_log_entry *entry)
{
	struct sk_buff *skb;
	void *header = ipfi_genl_event_start(in, IPFI_GROUP_INDEX_LOG, IPFI_CMD_EVENT_LOG, LOG_PAYLOAD, &skb);

	if (header)
		finish(in, IPFI_GROUP_INDEX_LOG, skb, header, put_log(skb, packet, entry));
}

static int put_nat_full(struct sk_buff *skb, const struct ipfi_packet *packet, const struct ipfi_rule *rule)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_LOG);

	if (!nest || put_packet(skb, packet) ||
	    nla_put_u64_64bit(skb, IPFI_LOG_A_TIME, ktime_get_real_ns(), IPFI_LOG_A_PAD))
		return -EMSGSIZE;
	if (rule && (nla_put_u64_64bit(skb, IPFI_LOG_A_RULE, rule->id, IPFI_LOG_A_PAD) ||
		     nla_put_string(skb, IPFI_LOG_A_NAME, rule->name)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static void send_nat_full(struct ipfi_net *in, const struct ipfi_packet *packet, const struct ipfi_rule *rule)
{
	struct sk_buff *skb;
	void *header = ipfi_genl_event_start(in, IPFI_GROUP_INDEX_STATE, IPFI_CMD_EVENT_NAT_FULL, LOG_PAYLOAD, &skb);

	if (header)
		finish(in, IPFI_GROUP_INDEX_STATE, skb, header, put_nat_full(skb, packet, rule));
}

static const struct ipfi_notifier notifier = {
	.family = &ipfi_genl_family,
	.state = send_state,
	.table_full = send_full,
	.ruleset = send_ruleset,
	.log = send_log,
	.nat_full = send_nat_full,
};

void ipfi_events_init(void)
{
	ipfi_notifier_register(&notifier);
}

void ipfi_events_exit(void)
{
	ipfi_notifier_unregister();
}
