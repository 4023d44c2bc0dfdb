// SPDX-License-Identifier: GPL-2.0-or-later
#include "genl.h"
#include "genl_filter.h"
#include "genl_parse.h"

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
	[IPFI_FILTER_A_GUESSED] = NLA_POLICY_MAX(NLA_U8, 1),
	[IPFI_FILTER_A_MARK] = { .type = NLA_U32 },
};

const struct nla_policy ipfi_filter_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_FILTER] = NLA_POLICY_NESTED(filter_policy),
};

static_assert(IPFI_FILTER_A_MAX < 32, "a mask of filter attributes has 32 bits");

static void prefix_mask(struct ipfi_addr *mask, unsigned int length)
{
	int i;

	for (i = 0; i < 4; i++) {
		unsigned int bits = min(length, 32U);

		mask->w[i] = bits ? ~0U << (32 - bits) : 0;
		length -= bits;
	}
}

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
	prefix_mask(&prefix->mask, length);
	for (i = 0; i < 4; i++)
		prefix->addr.w[i] &= prefix->mask.w[i];
	return 0;
}

static int take_filter(struct nlattr *tb[], struct ipfi_filter *filter,
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
		case IPFI_FILTER_A_GUESSED:
			filter->guessed = nla_get_u8(tb[i]);
			break;
		case IPFI_FILTER_A_MARK:
			filter->mark = nla_get_u32(tb[i]);
			break;
		}
	}
	return err;
}

int ipfi_filter_parse(const struct nlmsghdr *nlh, struct nlattr *attrs[],
		      struct ipfi_filter *filter, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IPFI_FILTER_A_MAX + 1];
	int err = ipfi_check_once(attrs, nlh, extack);

	memset(filter, 0, sizeof(*filter));
	if (err || !attrs[IPFI_A_FILTER])
		return err;
	err = ipfi_parse_nest(tb, IPFI_FILTER_A_MAX, attrs[IPFI_A_FILTER], NULL, extack);
	return err ? err : take_filter(tb, filter, extack);
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

static bool holds(const struct ipfi_filter *filter, const struct ipfi_flow *flow,
		  const struct ipfi_tuple *tuple, enum ipfi_filter_attr attr)
{
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
		return address_in(&filter->addr, &tuple->src, tuple->family) ||
		       address_in(&filter->addr, &tuple->dst, tuple->family);
	case IPFI_FILTER_A_SPORT:
		return port_in(&filter->sport, tuple->sport);
	case IPFI_FILTER_A_DPORT:
		return port_in(&filter->dport, tuple->dport);
	case IPFI_FILTER_A_PORT:
		return port_in(&filter->port, tuple->sport) || port_in(&filter->port, tuple->dport);
	case IPFI_FILTER_A_RULE:
		return flow->rule == filter->rule;
	case IPFI_FILTER_A_IIF:
		return ipfi_flow_iif(flow) == filter->iif;
	case IPFI_FILTER_A_OIF:
		return ipfi_flow_oif(flow) == filter->oif;
	case IPFI_FILTER_A_DEVICE:
		return ipfi_flow_iif(flow) == filter->device ||
		       ipfi_flow_oif(flow) == filter->device;
	case IPFI_FILTER_A_GUESSED:
		return !!(flow->flags & IPFI_STATE_F_GUESSED) == filter->guessed;
	case IPFI_FILTER_A_MARK:
		return flow->mark == filter->mark;
	default:
		return true;
	}
}

bool ipfi_filter_matches(const struct ipfi_filter *filter, const struct ipfi_flow *flow)
{
	u32 left = filter->present;
	struct ipfi_tuple tuple;

	if (!left)
		return true;
	ipfi_flow_tuple(flow, &tuple);
	for (; left; left &= left - 1)
		if (!holds(filter, flow, &tuple, __ffs(left)))
			return false;
	return true;
}
