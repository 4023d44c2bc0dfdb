// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A rule's message: what an attribute alone can be stands in the policies; what attributes are
 * together is checked behind them. The shell has checked all of it before, with better words, but
 * is not trusted.
 */
#include <linux/math64.h>
#include <linux/mm.h>
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/netlink/attr.h"
#include "module/netlink/rule_check.h"
#include "module/netlink/rule_parse.h"
#include "module/ruleset/ruleset.h"
#include "module/ruleset/set.h"

/* Fields that are ranges of numbers: X(ATTR = FIELD, member, most). */
#define RANGE_FIELDS(X)                     \
	X(PROTO, proto, U8_MAX)             \
	X(SPORT, sport, U16_MAX)            \
	X(DPORT, dport, U16_MAX)            \
	X(ICMP, icmp, IPFI_ICMP6 | U16_MAX) \
	X(LENGTH, length, U32_MAX)          \
	X(DSCP, dscp, 63)                   \
	X(USER, user, U32_MAX - 1) /* the last one is nobody's: (uid_t)-1 */

/* Fields that are addresses. */
#define ADDRESS_FIELDS(X) \
	X(SRC, src)       \
	X(DST, dst)

#define X(id, member, most)                                                                       \
	static struct netlink_range_validation member##_bounds __ro_after_init = { .max = most }; \
	static const struct nla_policy member##_range_policy[IPFI_RANGE_A_MAX + 1] = {            \
		[IPFI_RANGE_A_FROM] = NLA_POLICY_FULL_RANGE(NLA_U32, &member##_bounds),           \
		[IPFI_RANGE_A_TO] = NLA_POLICY_FULL_RANGE(NLA_U32, &member##_bounds),             \
	};                                                                                        \
	static const struct nla_policy member##_policy[IPFI_RANGES_A_MAX + 1] = {                 \
		[IPFI_RANGES_A_RANGE] = NLA_POLICY_NESTED(member##_range_policy),                 \
	};
RANGE_FIELDS(X)
#undef X

static const struct nla_policy address_range_policy[IPFI_ADDR_RANGE_A_MAX + 1] = {
	[IPFI_ADDR_RANGE_A_FROM] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, ipfi_validate_address),
	[IPFI_ADDR_RANGE_A_TO] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, ipfi_validate_address),
};

static const struct nla_policy addresses_policy[IPFI_ADDRS_A_MAX + 1] = {
	[IPFI_ADDRS_A_RANGE] = NLA_POLICY_NESTED(address_range_policy),
	[IPFI_ADDRS_A_ME] = { .type = NLA_FLAG },
	[IPFI_ADDRS_A_SET] = IPFI_SET_NAME_POLICY,
};

/* What a target is must not change: sets are refused. */
static const struct nla_policy target_addresses_policy[IPFI_ADDRS_A_MAX + 1] = {
	[IPFI_ADDRS_A_RANGE] = NLA_POLICY_NESTED(address_range_policy),
	[IPFI_ADDRS_A_ME] = { .type = NLA_FLAG },
};

static const struct nla_policy target_policy[IPFI_TARGET_A_MAX + 1] = {
	[IPFI_TARGET_A_ADDRS] = NLA_POLICY_NESTED(target_addresses_policy),
	[IPFI_TARGET_A_PORT_FROM] = NLA_POLICY_MIN(NLA_U16, 1),
	[IPFI_TARGET_A_PORT_TO] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* A segment must have room for something: the least that any host must take is 536 (RFC 9293). */
#define MSS_LEAST 64

#define DEVICE_POLICY \
	NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, ipfi_validate_device, IPFI_DEVICE_LEN - 1)

/* ID, PACKETS and BYTES come from the kernel only: without a policy they are refused. */
static const struct nla_policy rule_policy[IPFI_RULE_A_MAX + 1] = {
	[IPFI_RULE_A_NAME] =
		NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, ipfi_validate_name, IPFI_NAME_LEN),
	[IPFI_RULE_A_LISTS] = NLA_POLICY_RANGE(NLA_U8, 1, IPFI_LISTS_ALL),
	[IPFI_RULE_A_VERDICT] = NLA_POLICY_RANGE(NLA_U8, IPFI_VERDICT_ALLOW, IPFI_VERDICT_MAX),
	[IPFI_RULE_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, IPFI_RULE_F_ALL),
	[IPFI_RULE_A_NEGATED] = NLA_POLICY_MASK(NLA_U32, IPFI_FIELDS_NEGATABLE),
	[IPFI_RULE_A_FAMILY] = IPFI_FAMILY_POLICY,
	[IPFI_RULE_A_IPSEC] = NLA_POLICY_MAX(NLA_U8, 1),
	[IPFI_RULE_A_IIF] = DEVICE_POLICY,
	[IPFI_RULE_A_OIF] = DEVICE_POLICY,
#define X(id, member, most) [IPFI_RULE_A_##id] = NLA_POLICY_NESTED(member##_policy),
	RANGE_FIELDS(X)
#undef X
#define X(id, member) [IPFI_RULE_A_##id] = NLA_POLICY_NESTED(addresses_policy),
	ADDRESS_FIELDS(X)
#undef X
	[IPFI_RULE_A_TCP_MASK] = { .type = NLA_U8 },
	[IPFI_RULE_A_TCP_VALUE] = { .type = NLA_U8 },
	[IPFI_RULE_A_MARK_VALUE] = { .type = NLA_U32 },
	[IPFI_RULE_A_MARK_MASK] = { .type = NLA_U32 },
	[IPFI_RULE_A_LIMIT_COUNT] = NLA_POLICY_MIN(NLA_U32, 1),
	[IPFI_RULE_A_LIMIT_PERIOD] = NLA_POLICY_MIN(NLA_U32, 1),
	[IPFI_RULE_A_LIMIT_BURST] = NLA_POLICY_MIN(NLA_U32, 1),
	[IPFI_RULE_A_PER_SOURCE] = NLA_POLICY_MIN(NLA_U32, 1),
	[IPFI_RULE_A_TARGET] = NLA_POLICY_NESTED(target_policy),
	[IPFI_RULE_A_HELPER] = NLA_POLICY_RANGE(NLA_U8, 1, IPFI_HELPER_MAX),
	[IPFI_RULE_A_MSS] = NLA_POLICY_MIN(NLA_U16, MSS_LEAST),
	[IPFI_RULE_A_LOG] =
		NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, ipfi_validate_text, IPFI_LOG_LEN),
	[IPFI_RULE_A_COMMENT] =
		NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, ipfi_validate_string, IPFI_COMMENT_LEN),
	[IPFI_RULE_A_AT] =
		NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, ipfi_validate_string, IPFI_AT_LEN),
	[IPFI_RULE_A_WRITTEN] = { .type = NLA_BINARY, .len = IPFI_WRITTEN_LEN },
};

static const struct nla_policy add_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_RULE] = NLA_POLICY_NESTED(rule_policy),
};

/* The same lists once more, for who walks over them. */
static const struct {
	u16 attr, ranges;
	u32 field;
} range_fields[] = {
#define X(id, member, most) \
	{ IPFI_RULE_A_##id, offsetof(struct ipfi_rule, member), IPFI_FIELD_BIT(IPFI_FIELD_##id) },
	RANGE_FIELDS(X)
#undef X
};

static const struct {
	u16 attr, addresses;
	u32 field;
} address_fields[] = {
#define X(id, member) \
	{ IPFI_RULE_A_##id, offsetof(struct ipfi_rule, member), IPFI_FIELD_BIT(IPFI_FIELD_##id) },
	ADDRESS_FIELDS(X)
#undef X
};

/* The store while it is being filled: each part is handed out where the last one ended. */
struct filling {
	struct ipfi_ruleset *rs; /* whose rule it will be */
	struct ipfi_rule_store *store;
	u8 *at;
};

static void *hand_out(struct filling *filling, size_t bytes)
{
	void *part = filling->at;

	filling->at += bytes;
	return part;
}

static const char *keep_string(struct filling *filling, const struct nlattr *attr)
{
	return memcpy(hand_out(filling, nla_len(attr)), nla_data(attr), nla_len(attr));
}

/* The nest of a target's addresses, NULL for none. */
static const struct nlattr *target_addrs(const struct nlattr *target)
{
	const struct nlattr *attr;
	int rest;

	nla_for_each_nested(attr, target, rest)
		if (nla_type(attr) == IPFI_TARGET_A_ADDRS)
			return attr;
	return NULL;
}

static size_t target_size(const struct nlattr *target)
{
	const struct nlattr *addrs = target_addrs(target);

	return addrs ? ipfi_count_attrs(addrs, IPFI_ADDRS_A_RANGE) * sizeof(struct ipfi_addr_range) : 0;
}

/* Bytes of everything that the rule keeps; a bound of what is handed out, and met exactly. */
static size_t store_size(struct nlattr *tb[], const struct nlattr *nest)
{
	size_t size = ALIGN(nla_len(nest), NLA_ALIGNTO) + nla_len(tb[IPFI_RULE_A_NAME]);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(range_fields); i++)
		if (tb[range_fields[i].attr])
			size += ipfi_count_attrs(tb[range_fields[i].attr], IPFI_RANGES_A_RANGE) *
				sizeof(struct ipfi_range);
	for (i = 0; i < ARRAY_SIZE(address_fields); i++)
		if (tb[address_fields[i].attr])
			size += ipfi_count_attrs(tb[address_fields[i].attr], IPFI_ADDRS_A_RANGE) *
					sizeof(struct ipfi_addr_range) +
				ipfi_count_attrs(tb[address_fields[i].attr], IPFI_ADDRS_A_SET) *
					sizeof(struct ipfi_set *);
	if (tb[IPFI_RULE_A_LOG])
		size += nla_len(tb[IPFI_RULE_A_LOG]);
	if (tb[IPFI_RULE_A_TARGET])
		size += target_size(tb[IPFI_RULE_A_TARGET]);
	return size;
}

static int take_ranges(struct filling *filling, const struct nlattr *nest,
		       struct ipfi_ranges *ranges, struct netlink_ext_ack *extack)
{
	u32 count = ipfi_count_attrs(nest, IPFI_RANGES_A_RANGE);
	struct ipfi_range *range = hand_out(filling, count * sizeof(*range));
	const struct nlattr *attr;
	int rest, err;

	/* An empty list would match nothing, and everything once it is negated. */
	if (!count)
		return IPFI_WRONG(extack, nest, "an empty list: leave the field out instead");
	ranges->at = range;
	ranges->count = count;
	nla_for_each_nested(attr, nest, rest) {
		err = ipfi_parse_range(attr, range++, extack);
		if (err)
			return err;
	}
	return 0;
}

static int parse_address_range(const struct nlattr *nest, struct ipfi_addr_range *range, u8 *family,
			       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IPFI_ADDR_RANGE_A_MAX + 1];
	int err = ipfi_parse_nest(tb, IPFI_ADDR_RANGE_A_MAX, nest, NULL, extack);
	const struct nlattr *to;

	if (err)
		return err;
	if (!tb[IPFI_ADDR_RANGE_A_FROM])
		return IPFI_MISSING(extack, nest, IPFI_ADDR_RANGE_A_FROM,
				    "a range of addresses needs its first one");
	*family = ipfi_get_address(tb[IPFI_ADDR_RANGE_A_FROM], &range->from);
	to = tb[IPFI_ADDR_RANGE_A_TO] ?: tb[IPFI_ADDR_RANGE_A_FROM];
	if (ipfi_get_address(to, &range->to) != *family)
		return IPFI_WRONG(extack, to, "a range of addresses has one family only");
	if (ipfi_addr_compare(&range->from, &range->to) > 0)
		return IPFI_WRONG(extack, to, "a range of addresses ends before it begins");
	return 0;
}

static int take_sets(struct filling *filling, const struct nlattr *nest, struct ipfi_addrs *addrs,
		     struct netlink_ext_ack *extack)
{
	u32 count = ipfi_count_attrs(nest, IPFI_ADDRS_A_SET);
	const void **set = hand_out(filling, count * sizeof(*set));
	const struct nlattr *attr;
	int rest;

	addrs->sets = set;
	addrs->set_count = count;
	nla_for_each_nested(attr, nest, rest) {
		if (nla_type(attr) != IPFI_ADDRS_A_SET)
			continue;
		*set = ipfi_ruleset_set(filling->rs, nla_data(attr));
		if (!*set++)
			return IPFI_WRONG(extack, attr,
					  "the rule set does not declare a dynamic set of this name");
	}
	return 0;
}

/* IPv4 from the front in order, then IPv6: two passes, so that the message may mix them. */
static int take_addresses(struct filling *filling, const struct nlattr *nest,
			  struct ipfi_addrs *addrs, struct netlink_ext_ack *extack)
{
	u32 count = ipfi_count_attrs(nest, IPFI_ADDRS_A_RANGE), taken = 0;
	struct ipfi_addr_range *all = hand_out(filling, count * sizeof(*all)), range;
	const struct nlattr *attr;
	int rest, err;
	u8 pass, family;

	addrs->me = ipfi_count_attrs(nest, IPFI_ADDRS_A_ME);
	if (!count && !addrs->me && !ipfi_count_attrs(nest, IPFI_ADDRS_A_SET))
		return IPFI_WRONG(extack, nest, "an empty list: leave the field out instead");
	for (pass = 4; pass <= 6; pass += 2) {
		nla_for_each_nested(attr, nest, rest) {
			if (nla_type(attr) != IPFI_ADDRS_A_RANGE)
				continue;
			err = parse_address_range(attr, &range, &family, extack);
			if (err)
				return err;
			if (family == pass)
				all[taken++] = range;
		}
		if (pass == 4)
			addrs->v4_count = taken;
	}
	addrs->v4 = all;
	addrs->v6 = all + addrs->v4_count;
	addrs->v6_count = count - addrs->v4_count;
	return take_sets(filling, nest, addrs, extack);
}

static int take_target_ports(struct nlattr *tb[], struct ipfi_nat_target *target, struct netlink_ext_ack *extack)
{
	const struct nlattr *from = tb[IPFI_TARGET_A_PORT_FROM], *to = tb[IPFI_TARGET_A_PORT_TO];

	if (!from && !to)
		return 0;
	if (!from)
		return IPFI_WRONG(extack, to, "a range of ports needs its first one");
	target->port_from = nla_get_u16(from);
	target->port_to = to ? nla_get_u16(to) : target->port_from;
	if (target->port_to < target->port_from)
		return IPFI_WRONG(extack, to, "a range of ports ends before it begins");
	return 0;
}

/* The rule is for connections of the families that its target has addresses of. */
static int take_target_family(struct ipfi_rule *rule, const struct nlattr *addrs, struct netlink_ext_ack *extack)
{
	const struct ipfi_addrs *target = &rule->target.addrs;
	u8 only = !target->v6_count ? 4 : !target->v4_count ? 6 : 0;

	if (target->me)
		return IPFI_WRONG(extack, addrs, "a target has addresses, not those of this machine");
	if (!only)
		return 0;
	if (rule->fields & IPFI_FIELD_BIT(IPFI_FIELD_FAMILY) && rule->family != only)
		return IPFI_WRONG(extack, addrs, "the target has no address of the rule's family");
	rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_FAMILY);
	rule->family = only;
	return 0;
}

static int take_target(struct filling *filling, const struct nlattr *nest, struct ipfi_rule *rule,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IPFI_TARGET_A_MAX + 1];
	int err = ipfi_parse_nest(tb, IPFI_TARGET_A_MAX, nest, NULL, extack);

	if (!err)
		err = take_target_ports(tb, &rule->target, extack);
	if (err || !tb[IPFI_TARGET_A_ADDRS])
		return err;
	err = take_addresses(filling, tb[IPFI_TARGET_A_ADDRS], &rule->target.addrs, extack);
	return err ? err : take_target_family(rule, tb[IPFI_TARGET_A_ADDRS], extack);
}

/* Ranges and addresses first, which need their alignment, then the message, then strings. */
static int take_lists(struct filling *filling, struct nlattr *tb[], const struct nlattr *nest,
		      struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(address_fields); i++) {
		if (!tb[address_fields[i].attr])
			continue;
		err = take_addresses(filling, tb[address_fields[i].attr],
				     (void *)rule + address_fields[i].addresses, extack);
		if (err)
			return err;
		rule->fields |= address_fields[i].field;
	}
	if (tb[IPFI_RULE_A_TARGET]) {
		err = take_target(filling, tb[IPFI_RULE_A_TARGET], rule, extack);
		if (err)
			return err;
	}
	for (i = 0; i < ARRAY_SIZE(range_fields); i++) {
		if (!tb[range_fields[i].attr])
			continue;
		err = take_ranges(filling, tb[range_fields[i].attr],
				  (void *)rule + range_fields[i].ranges, extack);
		if (err)
			return err;
		rule->fields |= range_fields[i].field;
	}
	filling->store->message_length = nla_len(nest);
	filling->store->message = memcpy(hand_out(filling, ALIGN(nla_len(nest), NLA_ALIGNTO)),
					 nla_data(nest), nla_len(nest));
	rule->name = keep_string(filling, tb[IPFI_RULE_A_NAME]);
	if (tb[IPFI_RULE_A_LOG])
		rule->log = keep_string(filling, tb[IPFI_RULE_A_LOG]);
	return 0;
}

static u32 u32_or(const struct nlattr *attr, u32 otherwise)
{
	return attr ? nla_get_u32(attr) : otherwise;
}

static int take_tcp_flags(struct nlattr *tb[], struct ipfi_rule *rule,
			  struct netlink_ext_ack *extack)
{
	const struct nlattr *mask = tb[IPFI_RULE_A_TCP_MASK], *value = tb[IPFI_RULE_A_TCP_VALUE];

	if (!mask && !value)
		return 0;
	if (!mask)
		return IPFI_WRONG(extack, value, "a value of TCP flags needs a mask");
	rule->tcp_mask = nla_get_u8(mask);
	rule->tcp_value = value ? nla_get_u8(value) : 0;
	if (rule->tcp_value & ~rule->tcp_mask)
		return IPFI_WRONG(extack, value,
				  "TCP flags that must be set but are not looked at never match");
	rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_TCP_FLAGS);
	return 0;
}

static int take_mark(struct nlattr *tb[], struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	const struct nlattr *mask = tb[IPFI_RULE_A_MARK_MASK], *value = tb[IPFI_RULE_A_MARK_VALUE];

	if (!mask && !value)
		return 0;
	if (!value)
		return IPFI_WRONG(extack, mask, "a mask of the mark needs a value");
	rule->mark_value = nla_get_u32(value);
	rule->mark_mask = u32_or(mask, U32_MAX);
	if (rule->mark_value & ~rule->mark_mask)
		return IPFI_WRONG(extack, value, "bits of the mark outside its mask never match");
	rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_MARK);
	return 0;
}

static int take_limit(struct nlattr *tb[], struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	const struct nlattr *count = tb[IPFI_RULE_A_LIMIT_COUNT];
	const struct nlattr *period = tb[IPFI_RULE_A_LIMIT_PERIOD];
	const struct nlattr *burst = tb[IPFI_RULE_A_LIMIT_BURST];

	if (!count && !period && !burst)
		return 0;
	if (!count || !period)
		return IPFI_WRONG(extack, count ?: period ?: burst,
				  "a limit needs a count and a period");
	rule->limit_interval =
		div_u64((u64)nla_get_u32(period) * NSEC_PER_MSEC, nla_get_u32(count));
	if (!rule->limit_interval)
		return IPFI_WRONG(extack, count, "a limit above one packet in a nanosecond");
	rule->limit_burst = u32_or(burst, nla_get_u32(count));
	rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_LIMIT);
	return 0;
}

static void take_device(const struct nlattr *attr, char *name, struct ipfi_rule *rule,
			enum ipfi_field field)
{
	if (!attr)
		return;
	nla_strscpy(name, attr, IPFI_DEVICE_LEN);
	rule->fields |= IPFI_FIELD_BIT(field);
}

static int take_single(struct nlattr *tb[], struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	int err = 0;

	rule->lists = nla_get_u8(tb[IPFI_RULE_A_LISTS]);
	rule->verdict = nla_get_u8(tb[IPFI_RULE_A_VERDICT]);
	rule->flags = u32_or(tb[IPFI_RULE_A_FLAGS], 0);
	rule->negated = u32_or(tb[IPFI_RULE_A_NEGATED], 0);
	rule->helper = tb[IPFI_RULE_A_HELPER] ? nla_get_u8(tb[IPFI_RULE_A_HELPER]) : IPFI_HELPER_NONE;
	rule->mss = tb[IPFI_RULE_A_MSS] ? nla_get_u16(tb[IPFI_RULE_A_MSS]) : 0;
	if (tb[IPFI_RULE_A_FAMILY]) {
		err = ipfi_parse_family(tb[IPFI_RULE_A_FAMILY], &rule->family, extack);
		rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_FAMILY);
	}
	if (tb[IPFI_RULE_A_IPSEC]) {
		rule->ipsec = nla_get_u8(tb[IPFI_RULE_A_IPSEC]);
		rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_IPSEC);
	}
	if (tb[IPFI_RULE_A_PER_SOURCE]) {
		rule->per_source = nla_get_u32(tb[IPFI_RULE_A_PER_SOURCE]);
		rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_PER_SOURCE);
	}
	take_device(tb[IPFI_RULE_A_IIF], rule->iif, rule, IPFI_FIELD_IIF);
	take_device(tb[IPFI_RULE_A_OIF], rule->oif, rule, IPFI_FIELD_OIF);
	if (!err)
		err = take_tcp_flags(tb, rule, extack);
	if (!err)
		err = take_mark(tb, rule, extack);
	if (!err)
		err = take_limit(tb, rule, extack);
	return err;
}

static int check_present(struct nlattr *tb[], const struct nlattr *nest,
			 struct netlink_ext_ack *extack)
{
	if (!tb[IPFI_RULE_A_NAME])
		return IPFI_MISSING(extack, nest, IPFI_RULE_A_NAME, "a rule needs a name");
	if (!tb[IPFI_RULE_A_LISTS])
		return IPFI_MISSING(extack, nest, IPFI_RULE_A_LISTS,
				    "a rule needs the lists that it stands in");
	if (!tb[IPFI_RULE_A_VERDICT])
		return IPFI_MISSING(extack, nest, IPFI_RULE_A_VERDICT, "a rule needs a verdict");
	if (nla_len(nest) > IPFI_RULE_MESSAGE_MAX)
		return IPFI_WRONG(extack, nest,
				  "a rule this long does not fit into one message: split it");
	return 0;
}

static int parse_rule(struct nlattr *tb[], const struct nlattr *nest, struct ipfi_rule *rule,
		      struct filling *filling, struct netlink_ext_ack *extack)
{
	int err = take_single(tb, rule, extack);

	if (!err)
		err = take_lists(filling, tb, nest, rule, extack);
	if (!err)
		err = ipfi_rule_check(tb, rule, extack);
	return err;
}

int ipfi_rule_parse(const struct genl_info *info, struct ipfi_ruleset *rs, struct ipfi_rule *rule,
		    struct ipfi_rule_store **store)
{
	struct nlattr *message[IPFI_A_MAX + 1], *tb[IPFI_RULE_A_MAX + 1];
	const struct nlattr *nest;
	struct filling filling;
	size_t size;
	int err;

	memset(rule, 0, sizeof(*rule));
	err = ipfi_parse_message(message, info, add_message_policy);
	if (err)
		return err;
	nest = message[IPFI_A_RULE];
	if (!nest)
		return IPFI_MISSING(info->extack, NULL, IPFI_A_RULE,
				    "the message lacks the attribute that it is about");
	err = ipfi_parse_nest(tb, IPFI_RULE_A_MAX, nest, NULL, info->extack);
	if (!err)
		err = check_present(tb, nest, info->extack);
	if (err)
		return err;

	size = store_size(tb, nest);
	err = ipfi_ruleset_take(rs, struct_size(filling.store, data, size));
	if (err) {
		GENL_SET_ERR_MSG(info, "all network namespaces but the first have no memory left (module parameter namespaces_memory)");
		return err;
	}
	filling.store = kvmalloc(struct_size(filling.store, data, size), GFP_KERNEL_ACCOUNT);
	if (!filling.store)
		return -ENOMEM;
	filling.rs = rs;
	filling.at = filling.store->data;
	err = parse_rule(tb, nest, rule, &filling, info->extack);
	WARN_ON_ONCE(!err && filling.at != filling.store->data + size);
	if (err)
		kvfree(filling.store);
	else
		*store = filling.store;
	return err;
}
