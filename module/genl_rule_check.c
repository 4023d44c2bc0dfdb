// SPDX-License-Identifier: GPL-2.0-or-later
/* What a rule's attributes may not be together. */
#include "genl_parse.h"
#include "genl_rule_parse.h"

static bool only_protocols_with_ports(const struct ipfi_ranges *protos)
{
	u32 i, proto;

	for (i = 0; i < protos->count; i++)
		for (proto = protos->at[i].from; proto <= protos->at[i].to; proto++)
			if (proto != IPFI_PROTO_TCP && proto != IPFI_PROTO_UDP &&
			    proto != IPFI_PROTO_UDPLITE && proto != IPFI_PROTO_SCTP &&
			    proto != IPFI_PROTO_DCCP)
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

/* What a NAT rule has and has not. */
static int check_nat(struct nlattr *tb[], const struct ipfi_rule *rule, struct netlink_ext_ack *extack)
{
	static const u16 not_here[] = {
		IPFI_RULE_A_USER,
		IPFI_RULE_A_PER_SOURCE,
		IPFI_RULE_A_HELPER,
		IPFI_RULE_A_MSS,
	};
	const bool wants_addrs = rule->verdict == IPFI_VERDICT_DNAT || rule->verdict == IPFI_VERDICT_SNAT;
	const bool has_addrs = rule->target.addrs.v4_count + rule->target.addrs.v6_count;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(not_here); i++)
		if (tb[not_here[i]])
			return IPFI_WRONG(extack, tb[not_here[i]], "not for a rule that translates");
	if (rule->flags & ~IPFI_RULE_F_PERSISTENT)
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_FLAGS], "a rule that translates has no flag but PERSISTENT");
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
	if (rule->target.port_from && rule->lists == 1 << IPFI_LIST_DSTNAT &&
	    !(rule->fields & IPFI_FIELD_BIT(IPFI_FIELD_PROTO)))
		return IPFI_WRONG(extack, tb[IPFI_RULE_A_TARGET], "a port to translate to needs proto");
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
	if (check_list(tb, rule, extack))
		return -EINVAL;
	return rule->lists & ~IPFI_LISTS_FILTER ? check_nat(tb, rule, extack) : check_filter(tb, rule, extack);
}
