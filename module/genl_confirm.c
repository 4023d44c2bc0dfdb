// SPDX-License-Identifier: GPL-2.0-or-later
/* The decision about a commit that waits to be confirmed: it stays, or what was before comes back. */
#include "genl.h"
#include "genl_parse.h"

static const struct nla_policy decision_policy[IPFI_COMMIT_A_MAX + 1] = {
	[IPFI_COMMIT_A_EXPECT] = { .type = NLA_U32 },
};

const struct nla_policy ipfi_decision_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_COMMIT] = NLA_POLICY_NESTED(decision_policy),
};

static int decide(struct ipfi_net *in, const struct nlattr *expect, void (*decision)(struct ipfi_net *in),
		  struct netlink_ext_ack *extack)
{
	if (!in->confirmation.waits) {
		NL_SET_ERR_MSG(extack, "no rule set waits to be confirmed");
		return -ENOENT;
	}
	if (expect && nla_get_u32(expect) != ipfi_ruleset_running(in)->generation) {
		NL_SET_ERR_MSG_ATTR(extack, expect, "another rule set waits to be confirmed");
		return -ESTALE;
	}
	decision(in);
	return 0;
}

static int answer_decision(struct genl_info *info, void (*decision)(struct ipfi_net *in))
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct nlattr *tb[IPFI_COMMIT_A_MAX + 1];
	struct sk_buff *skb;
	void *header;
	int err = ipfi_parse_only(tb, IPFI_COMMIT_A_MAX, info, IPFI_A_COMMIT);

	if (err)
		return err;
	/* The reply first: what has been decided cannot fail any more. */
	skb = ipfi_genl_reply_start(info, IPFI_INFO_PAYLOAD, &header);
	if (!skb)
		return -ENOMEM;
	mutex_lock(&in->mutex);
	err = decide(in, tb[IPFI_COMMIT_A_EXPECT], decision, info->extack);
	if (!err)
		WARN_ON_ONCE(ipfi_info_put(skb, in, ipfi_ruleset_running(in), false));
	mutex_unlock(&in->mutex);
	if (err)
		nlmsg_free(skb);
	else
		ipfi_genl_reply_end(info, skb, header);
	return err;
}

int ipfi_genl_ruleset_confirm(struct sk_buff *request, struct genl_info *info)
{
	return answer_decision(info, ipfi_confirm_accept);
}

int ipfi_genl_ruleset_rollback(struct sk_buff *request, struct genl_info *info)
{
	return answer_decision(info, ipfi_confirm_roll_back);
}
