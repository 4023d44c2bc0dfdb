// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a rule's attributes may not be together. What says nothing in its rule is refused: whoever wrote it meant
 * something by it.
 */
#include "module/core/packet.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/netlink/attr.h"
#include "module/netlink/rule_check.h"

static bool only_protocols_with_ports(const struct ipfi_ranges *protos)
{
	u32 i, proto;

	for (i = 0; i < protos->count; i++)
		for (proto = protos->at[i].from; proto <= protos->at[i].to; proto++)
			if (!ipfi_proto_has_ports(proto))
				return false;
	return protos->count;
}

static bool only_tcp(const struct ipfi_rule *rule)
{
	u32 i;

	for (i = 0; i < rule->proto.count; i++)
		if (rule->proto.at[i].from != IPFI_PROTO_TCP || rule->proto.at[i].to != IPFI_PROTO_TCP)
			return false;
	return rule->proto.count && !(rule->negated & IPFI_FIELD_BIT(IPFI_FIELD_PROTO));
}

static bool has_field(const struct ipfi_rule *rule, enum ipfi_field field)
{
	return rule->fields & IPFI_FIELD_BIT(field);
}

static bool is_negated(const struct ipfi_rule *rule, enum ipfi_field field)
{
	return rule->negated & IPFI_FIELD_BIT(field);
}

/* Are all protocols of the rule, if it names some, among the two? */
static bool only_protocols(const struct ipfi_rule *rule, u8 one, u8 other)
{
	u32 i, proto;

	for (i = 0; i < rule->proto.count; i++)
		for (proto = rule->proto.at[i].from; proto <= rule->proto.at[i].to; proto++)
			if (proto != one && proto != other)
				return false;
	return !is_negated(rule, IPFI_FIELD_PROTO);
}

/* Does the rule ask for addresses, none of which is of its family? What a set holds may change. */
static bool no_addr_of_family(const struct ipfi_rule *rule, const struct ipfi_addrs *addrs)
{
	return has_field(rule, IPFI_FIELD_FAMILY) && !addrs->me && !addrs->set_count &&
	       !(rule->family == 4 ? addrs->v4_count : addrs->v6_count);
}

static bool no_icmp_of_family(const struct ipfi_rule *rule)
{
	u32 i;

	if (!has_field(rule, IPFI_FIELD_FAMILY))
		return false;
	for (i = 0; i < rule->icmp.count; i++)
		if (rule->family == 4 ? rule->icmp.at[i].from < IPFI_ICMP6 : rule->icmp.at[i].to >= IPFI_ICMP6)
			return false;
	return true;
}

/* Whom a rule is about: each field has something to choose from. */
static int check_fields(struct nlattr *tb[], const struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	if (tb[IPFI_RULE_A_IIF] && rule->lists == 1 << IPFI_LIST_OUT)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_IIF], "packets of list out come in by no device");
	if (tb[IPFI_RULE_A_OIF] && rule->lists == 1 << IPFI_LIST_IN)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_OIF], "packets of list in leave by no device");
	if (has_field(rule, IPFI_FIELD_SRC) && no_addr_of_family(rule, &rule->src))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_SRC], "no address is of the rule's family");
	if (has_field(rule, IPFI_FIELD_DST) && no_addr_of_family(rule, &rule->dst))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_DST], "no address is of the rule's family");
	if (tb[IPFI_RULE_A_ICMP] && (!only_protocols(rule, IPFI_PROTO_ICMP, IPFI_PROTO_ICMPV6) || no_icmp_of_family(rule)))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_ICMP],
				  "ICMP messages are of ICMP and ICMPv6 only, each of its family");
	if (tb[IPFI_RULE_A_TCP_MASK] &&
	    (!only_protocols(rule, IPFI_PROTO_TCP, IPFI_PROTO_TCP) || tb[IPFI_RULE_A_ICMP] || !rule->tcp_mask))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_TCP_MASK], "flags are of TCP only, and some are looked at");
	if (has_field(rule, IPFI_FIELD_MARK) && !rule->mark_mask)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_MARK_MASK], "a mask of the mark that looks at no bit");
	return 0;
}

/* Which verdicts a rule may have follows from its list. */
static int check_list(struct nlattr *tb[], const struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	const bool nat = rule->lists & ~IPFI_LISTS_FILTER;
	u8 list = 0;

	switch (rule->verdict) {
	case IPFI_VERDICT_DNAT:
	case IPFI_VERDICT_REDIRECT:
		list = 1 << IPFI_LIST_DSTNAT;
		break;
	case IPFI_VERDICT_SNAT:
	case IPFI_VERDICT_MASQUERADE:
		list = 1 << IPFI_LIST_SRCNAT;
	}
	if (list ? rule->lists != list : nat)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_LISTS],
				  "dnat and redirect stand in list dstnat, snat and masquerade in srcnat, others in neither");
	return 0;
}

/* Do all connections of the rule that a source opens have the same translation even without PERSISTENT? */
static bool always_persistent(const struct ipfi_rule *rule)
{
	const struct ipfi_addrs *to = &rule->target.addrs;
	const struct ipfi_addr_range *only = to->v4_count ? to->v4 : to->v6;
	u32 i, proto;

	if (rule->verdict == IPFI_VERDICT_REDIRECT)
		return true;
	if (rule->verdict == IPFI_VERDICT_DNAT)
		return to->v4_count + to->v6_count == 1 && ipfi_addr_equal(&only->from, &only->to);
	if (!rule->proto.count || is_negated(rule, IPFI_FIELD_PROTO))
		return false;
	for (i = 0; i < rule->proto.count; i++)
		for (proto = rule->proto.at[i].from; proto <= rule->proto.at[i].to; proto++)
			if (ipfi_proto_has_ports(proto) || proto == IPFI_PROTO_ICMP || proto == IPFI_PROTO_ICMPV6)
				return false;
	return true;
}

/* Is any message that the rule asks for one that opens a connection? Others are translated with theirs. */
static bool icmp_opens(const struct ipfi_rule *rule)
{
	u32 i, type;

	for (i = 0; i < rule->icmp.count; i++)
		for (type = rule->icmp.at[i].from >> 8; type <= rule->icmp.at[i].to >> 8; type++)
			if (ipfi_icmp_kind(type & IPFI_ICMP6 >> 8 ? 6 : 4, (u8)type) == IPFI_ICMP_QUERY)
				return true;
	return is_negated(rule, IPFI_FIELD_ICMP);
}

/* What a NAT rule has and has not. */
static int check_nat(struct nlattr *tb[], const struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	static const u16 not_here[] = {
		IPFI_RULE_A_USER,
		IPFI_RULE_A_PER_SOURCE,
		IPFI_RULE_A_HELPER,
		IPFI_RULE_A_MSS,
		IPFI_RULE_A_TCP_MASK, /* of a whole connection no packet's flags are meant */
	};
	const bool wants_addrs = rule->verdict == IPFI_VERDICT_DNAT || rule->verdict == IPFI_VERDICT_SNAT;
	const bool has_addrs = rule->target.addrs.v4_count + rule->target.addrs.v6_count;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(not_here); i++)
		if (tb[not_here[i]])
			return IPFI_WRONG(extack, tb[not_here[i]], "not for a rule that translates");
	if (rule->flags & ~IPFI_RULE_F_PERSISTENT)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_FLAGS], "a rule that translates has no flag but PERSISTENT");
	if (rule->flags & IPFI_RULE_F_PERSISTENT && always_persistent(rule))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_FLAGS],
				  "PERSISTENT says nothing where there is one target only, or no port");
	if (tb[IPFI_RULE_A_ICMP] && !icmp_opens(rule))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_ICMP], "only messages that ask open a connection");
	if (tb[IPFI_RULE_A_OIF] && rule->lists == 1 << IPFI_LIST_DSTNAT)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_OIF],
				  "where a connection leaves is not known when its destination is translated");
	if (wants_addrs && !has_addrs)
		return tb[IPFI_RULE_A_TARGET] ?
			       IPFI_WRONG(extack, tb[IPFI_RULE_A_TARGET], "a target needs addresses") :
			       IPFI_MISSING(extack, NULL, IPFI_RULE_A_TARGET, "dnat and snat need a target");
	if (!wants_addrs && has_addrs)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_TARGET],
				  "redirect and masquerade take this machine's own address");
	if (rule->target.port_from &&
	    (rule->negated & IPFI_FIELD_BIT(IPFI_FIELD_PROTO) || !only_protocols_with_ports(&rule->proto)))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_TARGET],
				  "ports to translate to need proto, and only protocols that have ports");
	return 0;
}

/* What a filter rule has and has not. */
static int check_filter(struct nlattr *tb[], const struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	const struct nlattr *tcp = tb[IPFI_RULE_A_HELPER] ?: tb[IPFI_RULE_A_MSS];

	if (tb[IPFI_RULE_A_TARGET])
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_TARGET], "only a rule that translates has a target");
	if (rule->flags & IPFI_RULE_F_PERSISTENT)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_FLAGS], "only a translation can be persistent");
	if (rule->flags & IPFI_RULE_F_FTP_FOREIGN && rule->helper != IPFI_HELPER_FTP)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_FLAGS], "FTP_FOREIGN is of the helper for FTP");
	if (tcp && (rule->verdict != IPFI_VERDICT_ALLOW || !only_tcp(rule)))
		return IPFI_WRONG(extack, tcp, "only for a rule that allows TCP and nothing else");
	if (tb[IPFI_RULE_A_HELPER] && !(rule->flags & IPFI_RULE_F_STATEFUL))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_HELPER], "only a stateful rule can have a helper");
	if (tb[IPFI_RULE_A_PER_SOURCE] && !(rule->flags & IPFI_RULE_F_STATEFUL))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_PER_SOURCE], "only a stateful rule has states to be counted");
	if (tb[IPFI_RULE_A_MSS] && !(rule->lists & 1 << IPFI_LIST_FORWARD))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_MSS], "segment sizes are of connections that pass through");
	if (tb[IPFI_RULE_A_MSS] && rule->tcp_mask & ~rule->tcp_value & IPFI_TCP_SYN)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_MSS], "segment sizes stand in SYNs, which the flags leave out");
	return 0;
}

int ipfi_rule_check(struct nlattr *tb[], const struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	const struct nlattr *ports = tb[IPFI_RULE_A_DPORT] ?: tb[IPFI_RULE_A_SPORT];

	if (rule->flags & IPFI_RULE_F_STATEFUL && rule->verdict != IPFI_VERDICT_ALLOW)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_FLAGS],
				  "only a rule that allows can be stateful");
	if (rule->negated & ~rule->fields)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_NEGATED],
				  "a field that is absent cannot be negated");
	if (ports && (rule->negated & IPFI_FIELD_BIT(IPFI_FIELD_PROTO) ||
		      !only_protocols_with_ports(&rule->proto)))
		return IPFI_WRONG(extack, ports,
				  "ports need proto, and only protocols that have ports");
	if (tb[IPFI_RULE_A_USER] && rule->lists != 1 << IPFI_LIST_OUT)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_USER], "user is known in list out only");
	if (check_fields(tb, rule, extack) || check_list(tb, rule, extack))
		return -EINVAL;
	return rule->lists & ~IPFI_LISTS_FILTER ? check_nat(tb, rule, extack) : check_filter(tb, rule, extack);
}
