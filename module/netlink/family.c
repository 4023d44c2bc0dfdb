// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/module.h>
#include <linux/rcupdate.h>
#include "module/netlink/family.h"

/* Set while the family is registered: packets and timers come before that and after it. */
static bool registered;

/*
 * RULESET_BEGIN and RULE_ADD as the kernel's core sees them: it checks nothing. Their handlers do,
 * as strictly (ipfi_parse_message()), because a message that the core refuses never reaches its
 * handler, and the transaction would not learn that it lacks a rule: a commit in the same stream of
 * messages would then put in force a rule set with a hole.
 *
 * The core allows that only to commands below resv_start_op, and for those it neither checks the
 * header nor refuses attributes where there is no policy: the few others below it do so by
 * themselves.
 */
static const struct nla_policy unchecked_policy[IPFI_A_MAX + 1] = {};
static const struct nla_policy no_attributes_policy[] = {
	{ .type = NLA_REJECT },
	{ .type = NLA_REJECT },
};

/* What is for administrators of the namespace only says so. */
static const struct genl_ops operations[] = {
	{
		.cmd = IPFI_CMD_INFO,
		.policy = no_attributes_policy,
		.maxattr = ARRAY_SIZE(no_attributes_policy) - 1,
		.doit = ipfi_genl_info,
	},
	{
		.cmd = IPFI_CMD_LIMITS_GET,
		.policy = no_attributes_policy,
		.maxattr = ARRAY_SIZE(no_attributes_policy) - 1,
		.doit = ipfi_genl_limits_get,
	},
	{
		.cmd = IPFI_CMD_LIMITS_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_limits_message_policy,
		.maxattr = IPFI_A_MAX,
		.doit = ipfi_genl_limits_set,
	},
	{
		.cmd = IPFI_CMD_RULESET_BEGIN,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = unchecked_policy,
		.maxattr = IPFI_A_MAX,
		.validate = GENL_DONT_VALIDATE_STRICT,
		.doit = ipfi_genl_ruleset_begin,
	},
	{
		.cmd = IPFI_CMD_RULE_ADD,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = unchecked_policy,
		.maxattr = IPFI_A_MAX,
		.validate = GENL_DONT_VALIDATE_STRICT,
		.doit = ipfi_genl_rule_add,
	},
	{
		.cmd = IPFI_CMD_RULESET_COMMIT,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_commit_message_policy,
		.maxattr = IPFI_A_MAX,
		.doit = ipfi_genl_ruleset_commit,
	},
	{
		.cmd = IPFI_CMD_RULESET_ABORT,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = ipfi_genl_ruleset_abort,
	},
	{
		.cmd = IPFI_CMD_RULESET_TRY,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = no_attributes_policy,
		.maxattr = ARRAY_SIZE(no_attributes_policy) - 1,
		.doit = ipfi_genl_ruleset_try,
	},
	{
		.cmd = IPFI_CMD_RULESET_CONFIRM,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_decision_message_policy,
		.maxattr = IPFI_A_MAX,
		.doit = ipfi_genl_ruleset_confirm,
	},
	{
		.cmd = IPFI_CMD_RULESET_ROLLBACK,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_decision_message_policy,
		.maxattr = IPFI_A_MAX,
		.doit = ipfi_genl_ruleset_rollback,
	},
	{
		.cmd = IPFI_CMD_RULES_DUMP,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = ipfi_genl_rules_start,
		.dumpit = ipfi_genl_rules_dump,
		.done = ipfi_genl_rules_done,
	},
	{
		.cmd = IPFI_CMD_STATES_DUMP,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_filter_message_policy,
		.maxattr = IPFI_A_MAX,
		.start = ipfi_genl_states_start,
		.dumpit = ipfi_genl_states_dump,
		.done = ipfi_genl_states_done,
	},
	{
		.cmd = IPFI_CMD_STATES_COUNT,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_filter_message_policy,
		.maxattr = IPFI_A_MAX,
		.doit = ipfi_genl_states_count,
	},
	{
		.cmd = IPFI_CMD_STATES_DELETE,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_filter_message_policy,
		.maxattr = IPFI_A_MAX,
		.doit = ipfi_genl_states_delete,
	},
	{
		.cmd = IPFI_CMD_STATS,
		.doit = ipfi_genl_stats,
	},
	{
		.cmd = IPFI_CMD_EXPECTATIONS_DUMP,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = ipfi_genl_expectations_start,
		.dumpit = ipfi_genl_expectations_dump,
	},
	{
		.cmd = IPFI_CMD_SETS_DUMP,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_set_message_policy,
		.maxattr = IPFI_A_MAX,
		.start = ipfi_genl_sets_start,
		.dumpit = ipfi_genl_sets_dump,
		.done = ipfi_genl_sets_done,
	},
	{
		.cmd = IPFI_CMD_SET_ADD,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_set_message_policy,
		.maxattr = IPFI_A_MAX,
		.doit = ipfi_genl_set_add,
	},
	{
		.cmd = IPFI_CMD_SET_DELETE,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_set_message_policy,
		.maxattr = IPFI_A_MAX,
		.doit = ipfi_genl_set_delete,
	},
	{
		.cmd = IPFI_CMD_EXPLAIN,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = ipfi_packet_message_policy,
		.maxattr = IPFI_A_MAX,
		.start = ipfi_genl_explain_start,
		.dumpit = ipfi_genl_explain_dump,
		.done = ipfi_genl_explain_done,
	},
	{
		.cmd = IPFI_CMD_DROPS_DUMP,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = ipfi_genl_drops_start,
		.dumpit = ipfi_genl_drops_dump,
		.done = ipfi_genl_drops_done,
	},
};

/* Who speaks to whom is for administrators only. */
static const struct genl_multicast_group groups[] = {
	[IPFI_GROUP_INDEX_STATE] = { .name = IPFI_GROUP_STATE, .flags = GENL_MCAST_CAP_NET_ADMIN },
	[IPFI_GROUP_INDEX_LOG] = { .name = IPFI_GROUP_LOG, .flags = GENL_MCAST_CAP_NET_ADMIN },
	[IPFI_GROUP_INDEX_RULESET] = { .name = IPFI_GROUP_RULESET },
};

struct genl_family ipfi_genl_family __ro_after_init = {
	.name = IPFI_GENL_NAME,
	.version = IPFI_GENL_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.resv_start_op = IPFI_CMD_RULE_ADD + 1,
	.ops = operations,
	.n_ops = ARRAY_SIZE(operations),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

bool ipfi_genl_listened(struct ipfi_net *in, enum ipfi_group group)
{
	return READ_ONCE(registered) && genl_has_listeners(&ipfi_genl_family, in->net, group);
}

void *ipfi_genl_event_start(struct ipfi_net *in, enum ipfi_group group, enum ipfi_cmd cmd,
			    size_t payload, struct sk_buff **skb)
{
	*skb = genlmsg_new(payload, GFP_ATOMIC | __GFP_NOWARN);
	if (!*skb) {
		genl_set_err(&ipfi_genl_family, in->net, 0, group, -ENOBUFS);
		return NULL;
	}
	/* Never NULL: the skb has room for the header. */
	return genlmsg_put(*skb, 0, 0, &ipfi_genl_family, 0, cmd);
}

void ipfi_genl_event_send(struct ipfi_net *in, enum ipfi_group group, struct sk_buff *skb,
			  void *header)
{
	genlmsg_end(skb, header);
	genlmsg_multicast_netns(&ipfi_genl_family, in->net, skb, 0, group, GFP_ATOMIC);
}

struct sk_buff *ipfi_genl_reply_start(struct genl_info *info, size_t payload, void **header)
{
	struct sk_buff *skb = genlmsg_new(payload, GFP_KERNEL);

	if (skb)
		*header = genlmsg_put_reply(skb, info, &ipfi_genl_family, 0, info->genlhdr->cmd);
	return skb;
}

void ipfi_genl_reply_end(struct genl_info *info, struct sk_buff *skb, void *header)
{
	genlmsg_end(skb, header);
	genlmsg_reply(skb, info);
}

int __init ipfi_genl_init(void)
{
	int err = ipfi_transactions_init();

	if (err)
		return err;
	err = genl_register_family(&ipfi_genl_family);
	if (err)
		ipfi_transactions_exit();
	else
		WRITE_ONCE(registered, true);
	return err;
}

void ipfi_genl_exit(void)
{
	WRITE_ONCE(registered, false);
	/* Packets and timers send with BHs off: none is sending any more when the groups go. */
	synchronize_rcu();
	genl_unregister_family(&ipfi_genl_family);
	ipfi_transactions_exit();
}
