// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bitops.h>
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/core/via.h"
#include "module/net.h"
#include "module/netlink/attr.h"
#include "module/netlink/filter.h"
#include "module/netlink/handlers.h"
#include "module/packet/vrf.h"
#include "module/table/expect.h"
#include "module/table/state.h"

static const struct nla_policy prefix_policy[IPFI_PREFIX_A_MAX + 1] = {
	[IPFI_PREFIX_A_ADDR] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, ipfi_validate_address),
	[IPFI_PREFIX_A_LENGTH] = NLA_POLICY_MAX(NLA_U8, 128),
};

static struct netlink_range_validation port_bounds __ro_after_init = { .max = U16_MAX };
static const struct nla_policy ports_policy[IPFI_RANGE_A_MAX + 1] = {
	[IPFI_RANGE_A_FROM] = NLA_POLICY_FULL_RANGE(NLA_U32, &port_bounds),
	[IPFI_RANGE_A_TO] = NLA_POLICY_FULL_RANGE(NLA_U32, &port_bounds),
};

#define ALL_STATES ((2U << IPFI_STATE_MAX) - (1U << (IPFI_STATE_NONE + 1)))

static const struct nla_policy filter_policy[IPFI_FILTER_A_MAX + 1] = {
	[IPFI_FILTER_A_FAMILY] = IPFI_FAMILY_POLICY,
	[IPFI_FILTER_A_PROTO] = { .type = NLA_U8 },
	[IPFI_FILTER_A_STATES] = NLA_POLICY_MASK(NLA_U32, ALL_STATES),
	[IPFI_FILTER_A_SRC] = NLA_POLICY_NESTED(prefix_policy),
	[IPFI_FILTER_A_DST] = NLA_POLICY_NESTED(prefix_policy),
	[IPFI_FILTER_A_ADDR] = NLA_POLICY_NESTED(prefix_policy),
	[IPFI_FILTER_A_SPORT] = NLA_POLICY_NESTED(ports_policy),
	[IPFI_FILTER_A_DPORT] = NLA_POLICY_NESTED(ports_policy),
	[IPFI_FILTER_A_PORT] = NLA_POLICY_NESTED(ports_policy),
	[IPFI_FILTER_A_RULE] = { .type = NLA_U64 },
	[IPFI_FILTER_A_IIF] = { .type = NLA_U32 },
	[IPFI_FILTER_A_OIF] = { .type = NLA_U32 },
	[IPFI_FILTER_A_DEVICE] = { .type = NLA_U32 },
	[IPFI_FILTER_A_MIDSTREAM] = NLA_POLICY_MAX(NLA_U8, 1),
	[IPFI_FILTER_A_MARK] = { .type = NLA_U32 },
	[IPFI_FILTER_A_ID] = { .type = NLA_U64 },
	[IPFI_FILTER_A_MASTER] = { .type = NLA_U64 },
	[IPFI_FILTER_A_HELPER] = NLA_POLICY_RANGE(NLA_U8, 1, IPFI_HELPER_MAX),
	[IPFI_FILTER_A_VRF] = { .type = NLA_U32 },
	[IPFI_FILTER_A_NAT] = NLA_POLICY_MASK(NLA_U32, IPFI_STATE_F_SRC_NAT | IPFI_STATE_F_DST_NAT),
};

const struct nla_policy ipfi_filter_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_FILTER] = NLA_POLICY_NESTED(filter_policy),
};

static_assert(IPFI_FILTER_A_MAX < 32, "a mask of filter attributes has 32 bits");

static int take_prefix(const struct nlattr *nest, struct ipfi_prefix *prefix,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IPFI_PREFIX_A_MAX + 1];
	int i, err = ipfi_parse_nest(tb, IPFI_PREFIX_A_MAX, nest, NULL, extack);
	unsigned int length, most;

	if (err)
		return err;
	if (!tb[IPFI_PREFIX_A_ADDR])
		return IPFI_MISSING(extack, nest, IPFI_PREFIX_A_ADDR, "a prefix needs an address");
	prefix->family = ipfi_get_address(tb[IPFI_PREFIX_A_ADDR], &prefix->addr);
	most = prefix->family == 4 ? 32 : 128;
	length = tb[IPFI_PREFIX_A_LENGTH] ? nla_get_u8(tb[IPFI_PREFIX_A_LENGTH]) : most;
	if (length > most)
		return IPFI_WRONG(extack, tb[IPFI_PREFIX_A_LENGTH],
				  "a prefix longer than its address");
	ipfi_prefix_mask(&prefix->mask, length);
	for (i = 0; i < 4; i++)
		prefix->addr.w[i] &= prefix->mask.w[i];
	return 0;
}

static int take_filter(struct ipfi_net *in, struct nlattr *tb[], struct ipfi_filter *filter,
		       struct netlink_ext_ack *extack)
{
	unsigned int i;
	int err = 0;

	for (i = 1; i <= IPFI_FILTER_A_MAX && !err; i++) {
		if (!tb[i])
			continue;
		filter->present |= 1U << i;
		switch (i) {
		case IPFI_FILTER_A_FAMILY:
			err = ipfi_parse_family(tb[i], &filter->family, extack);
			break;
		case IPFI_FILTER_A_PROTO:
			filter->proto = nla_get_u8(tb[i]);
			break;
		case IPFI_FILTER_A_STATES:
			filter->states = nla_get_u32(tb[i]);
			break;
		case IPFI_FILTER_A_SRC:
			err = take_prefix(tb[i], &filter->src, extack);
			break;
		case IPFI_FILTER_A_DST:
			err = take_prefix(tb[i], &filter->dst, extack);
			break;
		case IPFI_FILTER_A_ADDR:
			err = take_prefix(tb[i], &filter->addr, extack);
			break;
		case IPFI_FILTER_A_SPORT:
			err = ipfi_parse_range(tb[i], &filter->sport, extack);
			break;
		case IPFI_FILTER_A_DPORT:
			err = ipfi_parse_range(tb[i], &filter->dport, extack);
			break;
		case IPFI_FILTER_A_PORT:
			err = ipfi_parse_range(tb[i], &filter->port, extack);
			break;
		case IPFI_FILTER_A_RULE:
			filter->rule = nla_get_u64(tb[i]);
			break;
		case IPFI_FILTER_A_IIF:
			filter->iif = nla_get_u32(tb[i]);
			break;
		case IPFI_FILTER_A_OIF:
			filter->oif = nla_get_u32(tb[i]);
			break;
		case IPFI_FILTER_A_DEVICE:
			filter->device = nla_get_u32(tb[i]);
			break;
		case IPFI_FILTER_A_MIDSTREAM:
			filter->guessed = nla_get_u8(tb[i]);
			break;
		case IPFI_FILTER_A_MARK:
			filter->mark = nla_get_u32(tb[i]);
			break;
		case IPFI_FILTER_A_ID:
			filter->id = nla_get_u64(tb[i]);
			break;
		case IPFI_FILTER_A_MASTER:
			filter->master = nla_get_u64(tb[i]);
			break;
		case IPFI_FILTER_A_HELPER:
			filter->helper = nla_get_u8(tb[i]);
			break;
		case IPFI_FILTER_A_VRF:
			filter->vrf = nla_get_u32(tb[i]) ? ipfi_vrf_find(in, nla_get_u32(tb[i])) : 0;
			break;
		case IPFI_FILTER_A_NAT:
			filter->nat = nla_get_u32(tb[i]);
			break;
		}
	}
	return err;
}

int ipfi_filter_parse(struct ipfi_net *in, const struct nlmsghdr *nlh, struct nlattr *attrs[],
		      struct ipfi_filter *filter, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IPFI_FILTER_A_MAX + 1];
	int err = ipfi_check_once(attrs, nlh, extack);

	memset(filter, 0, sizeof(*filter));
	if (err || !attrs[IPFI_A_FILTER])
		return err;
	err = ipfi_parse_nest(tb, IPFI_FILTER_A_MAX, attrs[IPFI_A_FILTER], NULL, extack);
	return err ? err : take_filter(in, tb, filter, extack);
}

static bool address_in(const struct ipfi_prefix *prefix, const struct ipfi_addr *addr, u8 family)
{
	int i;

	if (family != prefix->family)
		return false;
	for (i = 0; i < 4; i++)
		if ((addr->w[i] & prefix->mask.w[i]) != prefix->addr.w[i])
			return false;
	return true;
}

static bool port_in(const struct ipfi_range *range, u32 value)
{
	return value >= range->from && value <= range->to;
}

/* What a filter is asked about. The tuples are the same where nothing is translated. */
struct asked {
	struct ipfi_state *state;
	const struct ipfi_state_ext *ext; /* NULL for a plain one */
	const struct ipfi_flow *flow;
	struct ipfi_tuple real;
	const struct ipfi_tuple *opened, *leaving;
};

static bool address_of_any(const struct ipfi_prefix *prefix, const struct asked *asked)
{
	const u8 family = asked->real.family;

	return address_in(prefix, &asked->opened->src, family) || address_in(prefix, &asked->opened->dst, family) ||
	       (asked->ext && (address_in(prefix, &asked->leaving->src, family) ||
				address_in(prefix, &asked->real.dst, family)));
}

static bool port_of_any(const struct ipfi_range *range, const struct asked *asked)
{
	return port_in(range, asked->opened->sport) || port_in(range, asked->opened->dport) ||
	       (asked->ext && (port_in(range, asked->leaving->sport) || port_in(range, asked->real.dport)));
}

static bool nat_is(u32 nat, const struct ipfi_flow *flow)
{
	const u32 has = flow->flags & (IPFI_STATE_F_SRC_NAT | IPFI_STATE_F_DST_NAT);

	return nat ? has & nat : !has;
}

static bool holds(const struct ipfi_filter *filter, const struct asked *asked, enum ipfi_filter_attr attr)
{
	const struct ipfi_tuple *tuple = asked->opened;
	const struct ipfi_flow *flow = asked->flow;

	switch (attr) {
	case IPFI_FILTER_A_FAMILY:
		return tuple->family == filter->family;
	case IPFI_FILTER_A_PROTO:
		return tuple->proto == filter->proto;
	case IPFI_FILTER_A_STATES:
		return filter->states & 1U << flow->state;
	case IPFI_FILTER_A_SRC:
		return address_in(&filter->src, &tuple->src, tuple->family);
	case IPFI_FILTER_A_DST:
		return address_in(&filter->dst, &tuple->dst, tuple->family);
	case IPFI_FILTER_A_ADDR:
		return address_of_any(&filter->addr, asked);
	case IPFI_FILTER_A_SPORT:
		return port_in(&filter->sport, tuple->sport);
	case IPFI_FILTER_A_DPORT:
		return port_in(&filter->dport, tuple->dport);
	case IPFI_FILTER_A_PORT:
		return port_of_any(&filter->port, asked);
	case IPFI_FILTER_A_RULE:
		return flow->rule == filter->rule;
	case IPFI_FILTER_A_IIF:
		return ipfi_flow_iif(flow) == filter->iif;
	case IPFI_FILTER_A_OIF:
		return ipfi_flow_oif(flow) == filter->oif;
	case IPFI_FILTER_A_DEVICE:
		return ipfi_flow_iif(flow) == filter->device ||
		       ipfi_flow_oif(flow) == filter->device;
	case IPFI_FILTER_A_MIDSTREAM:
		return !!(flow->flags & IPFI_STATE_F_MIDSTREAM) == filter->guessed;
	case IPFI_FILTER_A_MARK:
		return flow->mark == filter->mark;
	case IPFI_FILTER_A_ID:
		return ipfi_state_id(asked->state) == filter->id;
	case IPFI_FILTER_A_MASTER:
		return asked->ext && asked->ext->master && asked->ext->master->id == filter->master;
	case IPFI_FILTER_A_HELPER:
		return asked->ext && (asked->ext->master || asked->ext->control);
	case IPFI_FILTER_A_VRF:
		return filter->vrf ? asked->real.src_vrf == filter->vrf || asked->leaving->dst_vrf == filter->vrf :
				     !(asked->real.src_vrf | asked->leaving->dst_vrf);
	case IPFI_FILTER_A_NAT:
		return nat_is(filter->nat, flow);
	default:
		return true;
	}
}

bool ipfi_filter_matches(const struct ipfi_filter *filter, struct ipfi_state *state)
{
	struct asked asked = {
		.state = state,
		.ext = ipfi_state_extended(state),
		.flow = &state->flow,
	};
	u32 left = filter->present;

	if (!left)
		return true;
	ipfi_flow_tuple(&state->flow, &asked.real);
	asked.opened = asked.ext ? &asked.ext->arriving : &asked.real;
	asked.leaving = asked.ext ? &asked.ext->leaving : &asked.real;
	for (; left; left &= left - 1)
		if (!holds(filter, &asked, __ffs(left)))
			return false;
	return true;
}
