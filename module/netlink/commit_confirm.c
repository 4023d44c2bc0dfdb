// SPDX-License-Identifier: GPL-2.0-or-later
/* The decision about a commit that waits to be confirmed: it stays, or what was before comes back. */
#include "module/netlink/family.h"
#include "module/netlink/attr.h"

static const struct nla_policy decision_policy[IPFI_COMMIT_A_MAX + 1] = {
	[IPFI_COMMIT_A_EXPECT] = { .type = NLA_U32 },
};

const struct nla_policy ipfi_decision_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_COMMIT] = NLA_POLICY_NESTED(decision_policy),
};

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
		ipfi_confirm_accept(in);
	return err;
}

static int roll_back(struct ipfi_net *in, struct nlattr *tb[], struct genl_info *info)
{
	int err = check_waiting(in, tb[IPFI_COMMIT_A_EXPECT], info->extack);

	if (!err)
		ipfi_confirm_roll_back(in);
	return err;
}

int ipfi_genl_ruleset_confirm(struct sk_buff *request, struct genl_info *info)
{
	return ipfi_genl_change_ruleset(info, confirm);
}

int ipfi_genl_ruleset_rollback(struct sk_buff *request, struct genl_info *info)
{
	return ipfi_genl_change_ruleset(info, roll_back);
}
