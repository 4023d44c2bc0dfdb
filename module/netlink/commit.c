// SPDX-License-Identifier: GPL-2.0-or-later
/* The end of a transaction, and the decision about a commit that waits to be confirmed. */
#include "module/commit/commit.h"
#include "module/commit/commit_confirm.h"
#include "module/memory.h"
#include "module/nat/conntrack.h"
#include "module/nat/hooks.h"
#include "module/net.h"
#include "module/netlink/attr.h"
#include "module/netlink/handlers.h"
#include "module/netlink/info.h"
#include "module/netlink/message.h"
#include "module/netlink/transaction.h"
#include "module/notify.h"
#include "module/ruleset/ruleset.h"

static struct netlink_range_validation confirm_range __ro_after_init = { 1, IPFI_CONFIRM_MAX };

static const struct nla_policy commit_policy[IPFI_COMMIT_A_MAX + 1] = {
	[IPFI_COMMIT_A_EXPECT] = { .type = NLA_U32 },
	[IPFI_COMMIT_A_STATES] = NLA_POLICY_MAX(NLA_U8, __IPFI_COMMIT_END - 1),
	[IPFI_COMMIT_A_CONFIRM] = NLA_POLICY_FULL_RANGE(NLA_U32, &confirm_range),
};

const struct nla_policy ipfi_commit_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_COMMIT] = NLA_POLICY_NESTED(commit_policy),
};

static const struct nla_policy decision_policy[IPFI_COMMIT_A_MAX + 1] = {
	[IPFI_COMMIT_A_EXPECT] = { .type = NLA_U32 },
};

const struct nla_policy ipfi_decision_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_COMMIT] = NLA_POLICY_NESTED(decision_policy),
};

/*
 * Answers a request that changes the running rule set, its nest COMMIT parsed into @tb: @change does that under
 * in->mutex, or sets the extack and returns -errno; what runs then is the reply.
 */
typedef int (*ruleset_change)(struct ipfi_net *in, struct nlattr *tb[], struct genl_info *info);
static int change_ruleset(struct genl_info *info, ruleset_change change)
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
		err = ipfi_commit_confirm_publish(in, transaction->rs, states, nla_get_u32(tb[IPFI_COMMIT_A_CONFIRM]));
	else
		err = ipfi_commit(in, transaction->rs, states);
	if (err) {
		NL_SET_ERR_MSG(extack, "the rule set cannot be put in force: the old one stays");
		return err;
	}
	transaction->rs = NULL; /* the namespace has it */
	in->confirmation.change = IPFI_CHANGE_COMMITTED;
	ipfi_notify_ruleset(in, IPFI_CHANGE_COMMITTED);
	return 0;
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
	return change_ruleset(info, commit);
}

/* 0 when the running rule set waits, and is the one that is meant. */
static int check_waiting(struct ipfi_net *in, const struct nlattr *expect, struct netlink_ext_ack *extack)
{
	if (!in->confirmation.waits) {
		NL_SET_ERR_MSG(extack, "no rule set waits to be confirmed");
		return -ENOENT;
	}
	if (expect && nla_get_u32(expect) != ipfi_ruleset_running(in)->generation) {
		NL_SET_ERR_MSG_ATTR(extack, expect, "another rule set waits to be confirmed");
		return -ESTALE;
	}
	return 0;
}

static int confirm(struct ipfi_net *in, struct nlattr *tb[], struct genl_info *info)
{
	int err = check_waiting(in, tb[IPFI_COMMIT_A_EXPECT], info->extack);

	if (!err)
		ipfi_commit_confirm_accept(in);
	return err;
}

static int roll_back(struct ipfi_net *in, struct nlattr *tb[], struct genl_info *info)
{
	int err = check_waiting(in, tb[IPFI_COMMIT_A_EXPECT], info->extack);

	if (!err)
		ipfi_commit_confirm_roll_back(in);
	return err;
}

int ipfi_genl_ruleset_confirm(struct sk_buff *request, struct genl_info *info)
{
	return change_ruleset(info, confirm);
}

int ipfi_genl_ruleset_rollback(struct sk_buff *request, struct genl_info *info)
{
	return change_ruleset(info, roll_back);
}
