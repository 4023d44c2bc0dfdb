// SPDX-License-Identifier: GPL-2.0-or-later
/* Transactions: begin, commit, abort. genl_rules.c adds the rules. */
#include "module/nat/conntrack.h"
#include "module/netlink/events.h"
#include "module/netlink/family.h"
#include "module/netlink/attr.h"
#include "module/netlink/transaction.h"
#include "module/nat/translate.h"

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

static struct netlink_range_validation confirm_range __ro_after_init = { 1, IPFI_CONFIRM_MOST };

static const struct nla_policy commit_policy[IPFI_COMMIT_A_MAX + 1] = {
	[IPFI_COMMIT_A_EXPECT] = { .type = NLA_U32 },
	[IPFI_COMMIT_A_STATES] = NLA_POLICY_MAX(NLA_U8, __IPFI_COMMIT_END - 1),
	[IPFI_COMMIT_A_CONFIRM] = NLA_POLICY_FULL_RANGE(NLA_U32, &confirm_range),
};

const struct nla_policy ipfi_commit_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_COMMIT] = NLA_POLICY_NESTED(commit_policy),
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

static int no_transaction(struct genl_info *info)
{
	GENL_SET_ERR_MSG(info, "this socket has no transaction open: begin one first");
	return -ENOENT;
}

int ipfi_genl_ruleset_abort(struct sk_buff *skb, struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct ipfi_transaction *transaction = ipfi_transaction_get(in, info->snd_portid, true);

	if (!transaction)
		return no_transaction(info);
	ipfi_transaction_put(transaction);
	return 0;
}

static int publish(struct ipfi_net *in, struct ipfi_transaction *transaction, struct nlattr *tb[],
		   struct netlink_ext_ack *extack)
{
	const struct ipfi_ruleset *running = ipfi_ruleset_running(in);
	const struct nlattr *expect = tb[IPFI_COMMIT_A_EXPECT];
	enum ipfi_commit_states states = IPFI_COMMIT_RECHECK;
	int err;

	if (!transaction->rs) {
		NL_SET_ERR_MSG(extack, "a message of this transaction was refused: begin again");
		return -ECANCELED;
	}
	if (in->confirmation.waits) {
		NL_SET_ERR_MSG(extack, "the running rule set waits to be confirmed: confirm it or roll it back first");
		return -EBUSY;
	}
	if (expect && nla_get_u32(expect) != (running ? running->generation : 0)) {
		NL_SET_ERR_MSG_ATTR(extack, expect,
				    "overtaken: another rule set was committed meanwhile");
		return -ESTALE;
	}
	ipfi_memory_pay(in);
	if (tb[IPFI_COMMIT_A_STATES])
		states = nla_get_u8(tb[IPFI_COMMIT_A_STATES]);
	if (tb[IPFI_COMMIT_A_CONFIRM])
		err = ipfi_confirm_publish(in, transaction->rs, states, nla_get_u32(tb[IPFI_COMMIT_A_CONFIRM]));
	else
		err = ipfi_ruleset_publish(in, transaction->rs, states);
	if (err) {
		NL_SET_ERR_MSG(extack, "the rule set cannot be put in force: the old one stays");
		return err;
	}
	transaction->rs = NULL; /* the namespace has it */
	in->confirmation.change = IPFI_CHANGE_COMMITTED;
	ipfi_event_ruleset(in, IPFI_CHANGE_COMMITTED);
	return 0;
}

int ipfi_genl_change_ruleset(struct genl_info *info, ipfi_ruleset_change change)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct nlattr *tb[IPFI_COMMIT_A_MAX + 1];
	struct sk_buff *skb;
	void *header;
	int err = ipfi_parse_only(tb, IPFI_COMMIT_A_MAX, info, IPFI_A_COMMIT);

	if (err)
		return err;
	/* The reply first: what has been changed cannot fail any more. */
	skb = ipfi_genl_reply_start(info, IPFI_INFO_PAYLOAD, &header);
	if (!skb)
		return -ENOMEM;
	mutex_lock(&in->mutex);
	err = change(in, tb, info);
	if (!err)
		WARN_ON_ONCE(ipfi_info_put(skb, in, ipfi_ruleset_running(in), false));
	mutex_unlock(&in->mutex);
	if (err)
		nlmsg_free(skb);
	else
		ipfi_genl_reply_end(info, skb, header);
	return err;
}

/* A commit ends the transaction, however it ends itself. */
#define CONNTRACK_WARNING "nf_conntrack is active here: to it the replies that NAT rules translate are invalid"

static int commit(struct ipfi_net *in, struct nlattr *tb[], struct genl_info *info)
{
	struct ipfi_transaction *transaction = ipfi_transaction_get(in, info->snd_portid, true);
	int err;

	if (!transaction)
		return no_transaction(info);
	err = publish(in, transaction, tb, info->extack);
	ipfi_transaction_put(transaction);
	/* In an acknowledgement it is a warning. */
	if (!err && ipfi_nat_is_active(in) && ipfi_conntrack_is_active(in->net))
		NL_SET_ERR_MSG(info->extack, CONNTRACK_WARNING);
	return err;
}

int ipfi_genl_ruleset_commit(struct sk_buff *request, struct genl_info *info)
{
	return ipfi_genl_change_ruleset(info, commit);
}
