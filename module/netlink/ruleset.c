// SPDX-License-Identifier: GPL-2.0-or-later
/* Transactions: begin, commit, abort. genl_rules.c adds the rules. */
#include "module/net.h"
#include "module/netlink/attr.h"
#include "module/netlink/handlers.h"
#include "module/netlink/limits.h"
#include "module/netlink/transaction.h"
#include "module/ruleset/ruleset.h"

#define VERDICT_POLICY NLA_POLICY_RANGE(NLA_U8, IPFI_VERDICT_ALLOW, IPFI_VERDICT_FILTER_MAX)

static const struct nla_policy ruleset_policy[IPFI_RULESET_A_MAX + 1] = {
	[IPFI_RULESET_A_NAME] =
		NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, ipfi_validate_text, IPFI_NAME_LEN),
	[IPFI_RULESET_A_DEFAULT_IN] = VERDICT_POLICY,
	[IPFI_RULESET_A_DEFAULT_OUT] = VERDICT_POLICY,
	[IPFI_RULESET_A_DEFAULT_FORWARD] = VERDICT_POLICY,
	[IPFI_RULESET_A_LIMITS] = NLA_POLICY_NESTED(ipfi_limits_policy),
	[IPFI_RULESET_A_SET] = IPFI_SET_NAME_POLICY,
};

static const struct nla_policy begin_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_RULESET] = NLA_POLICY_NESTED(ruleset_policy),
};

static const u8 default_attr[__IPFI_LIST_FILTER_END] = {
	[IPFI_LIST_IN] = IPFI_RULESET_A_DEFAULT_IN,
	[IPFI_LIST_OUT] = IPFI_RULESET_A_DEFAULT_OUT,
	[IPFI_LIST_FORWARD] = IPFI_RULESET_A_DEFAULT_FORWARD,
};

static int take_sets(struct ipfi_net *in, const struct nlattr *nest, struct ipfi_ruleset *rs,
		     struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int rest, err;

	nla_for_each_nested(attr, nest, rest) {
		if (nla_type(attr) != IPFI_RULESET_A_SET)
			continue;
		err = ipfi_ruleset_declare(in, rs, nla_data(attr));
		if (err == -EEXIST)
			NL_SET_ERR_MSG_ATTR(extack, attr, "a set of this name is declared twice");
		else if (err == -E2BIG)
			NL_SET_ERR_MSG_ATTR(extack, attr, "a rule set has 1024 dynamic sets at most");
		if (err)
			return err;
	}
	return 0;
}

static int take_ruleset(const struct ipfi_net *in, struct nlattr *tb[], struct ipfi_ruleset *rs,
			struct netlink_ext_ack *extack)
{
	unsigned int list;

	if (tb[IPFI_RULESET_A_NAME])
		nla_strscpy(rs->name, tb[IPFI_RULESET_A_NAME], sizeof(rs->name));
	for (list = 0; list < __IPFI_LIST_FILTER_END; list++)
		if (tb[default_attr[list]])
			rs->classifier.standard[list] = nla_get_u8(tb[default_attr[list]]);
	if (!tb[IPFI_RULESET_A_LIMITS])
		return 0;
	rs->sets_limits = true;
	return ipfi_limits_parse(in, tb[IPFI_RULESET_A_LIMITS], &rs->limits, &rs->limits_set, extack);
}

/* The rule set that the message begins, or ERR_PTR() with the extack set. */
static struct ipfi_ruleset *parse_ruleset(struct ipfi_net *in, struct genl_info *info)
{
	struct nlattr *message[IPFI_A_MAX + 1], *tb[IPFI_RULESET_A_MAX + 1];
	struct ipfi_ruleset *rs;
	int err;

	err = ipfi_parse_message(message, info, begin_message_policy);
	if (err)
		return ERR_PTR(err);
	if (!message[IPFI_A_RULESET])
		return ERR_PTR(IPFI_MISSING(info->extack, NULL, IPFI_A_RULESET,
					    "the message lacks the attribute that it is about"));
	err = ipfi_parse_repeating(tb, IPFI_RULESET_A_MAX, message[IPFI_A_RULESET], IPFI_RULESET_A_SET,
				   info->extack);
	if (err)
		return ERR_PTR(err);
	rs = ipfi_ruleset_alloc(in);
	if (!rs)
		return ERR_PTR(-ENOMEM);
	err = take_ruleset(in, tb, rs, info->extack);
	if (!err)
		err = take_sets(in, message[IPFI_A_RULESET], rs, info->extack);
	if (!err)
		return rs;
	ipfi_ruleset_put(rs);
	return ERR_PTR(err);
}

/*
 * A begin that is refused breaks the transaction that the socket may still have: rules that follow
 * in the same stream of messages must not be added to another rule set than the one meant.
 */
static void break_transaction(struct ipfi_net *in, u32 portid)
{
	struct ipfi_transaction *transaction = ipfi_transaction_get(in, portid, false);

	if (!transaction)
		return;
	ipfi_transaction_break(transaction);
	ipfi_transaction_put(transaction);
}

int ipfi_genl_ruleset_begin(struct sk_buff *skb, struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct ipfi_ruleset *rs = parse_ruleset(in, info);
	int err = PTR_ERR_OR_ZERO(rs);

	mutex_lock(&in->mutex);
	if (!err) {
		err = ipfi_transaction_open(in, info->snd_portid, rs);
		if (err)
			ipfi_ruleset_put(rs);
		if (err == -EEXIST)
			GENL_SET_ERR_MSG(info,
					 "this socket had a transaction open: abort it first");
		else if (err == -EBUSY)
			GENL_SET_ERR_MSG(info, "too many transactions are open: try again later");
	}
	if (err)
		break_transaction(in, info->snd_portid);
	mutex_unlock(&in->mutex);
	return err;
}
