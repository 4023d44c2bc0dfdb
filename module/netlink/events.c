// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/netlink/events.h"
#include "module/netlink/family.h"

static int put_kind(struct sk_buff *skb, enum ipfi_event kind, enum ipfi_cause cause)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_EVENT);

	if (!nest || nla_put_u8(skb, IPFI_EVENT_A_KIND, kind) ||
	    (cause != IPFI_CAUSE_UNSPEC && nla_put_u8(skb, IPFI_EVENT_A_CAUSE, cause)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

void ipfi_event_state(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_event kind,
		      enum ipfi_cause cause)
{
	struct ipfi_snapshot snapshot;
	struct sk_buff *skb;
	void *header;

	if (likely(!ipfi_genl_listened(in, IPFI_GROUP_INDEX_STATE)))
		return;
	ipfi_snapshot_take(&snapshot, state);
	header = ipfi_genl_event_start(in, IPFI_GROUP_INDEX_STATE, IPFI_CMD_EVENT_STATE,
				       IPFI_EVENT_PAYLOAD, &skb);
	if (!header)
		return;
	if (WARN_ON_ONCE(put_kind(skb, kind, cause) ||
			 ipfi_state_put(skb, in, &snapshot)))
		nlmsg_free(skb);
	else
		ipfi_genl_event_send(in, IPFI_GROUP_INDEX_STATE, skb, header);
}

static int put_full(struct sk_buff *skb, const struct ipfi_net *in, u32 states)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_STATS);

	if (!nest || nla_put_u32(skb, IPFI_STATS_A_STATES, states) ||
	    nla_put_u32(skb, IPFI_STATS_A_MAX_STATES,
			ipfi_net_max_states(in)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

void ipfi_event_full(struct ipfi_net *in, u32 states)
{
	struct sk_buff *skb;
	void *header;

	if (!ipfi_genl_listened(in, IPFI_GROUP_INDEX_STATE))
		return;
	header = ipfi_genl_event_start(in, IPFI_GROUP_INDEX_STATE, IPFI_CMD_EVENT_FULL,
				       nla_total_size(2 * nla_total_size(sizeof(u32))), &skb);
	if (!header)
		return;
	if (WARN_ON_ONCE(put_full(skb, in, states)))
		nlmsg_free(skb);
	else
		ipfi_genl_event_send(in, IPFI_GROUP_INDEX_STATE, skb, header);
}

void ipfi_event_ruleset(struct ipfi_net *in, enum ipfi_change change)
{
	struct sk_buff *skb;
	void *header;

	if (!ipfi_genl_listened(in, IPFI_GROUP_INDEX_RULESET))
		return;
	header = ipfi_genl_event_start(in, IPFI_GROUP_INDEX_RULESET, IPFI_CMD_EVENT_RULESET,
				       IPFI_INFO_PAYLOAD, &skb);
	if (!header)
		return;
	if (WARN_ON_ONCE(ipfi_info_put_event(skb, in, ipfi_ruleset_running(in), change)))
		nlmsg_free(skb);
	else
		ipfi_genl_event_send(in, IPFI_GROUP_INDEX_RULESET, skb, header);
}
