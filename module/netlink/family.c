// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/netlink/events.h"
#include "module/netlink/family.h"
#include "module/netlink/handlers.h"
#include "module/netlink/message.h"
#include "module/netlink/transaction.h"

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
		.cmd = IPFI_CMD_RULESET_DRY_RUN,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = no_attributes_policy,
		.maxattr = ARRAY_SIZE(no_attributes_policy) - 1,
		.doit = ipfi_genl_ruleset_dry_run,
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

int __init ipfi_genl_init(void)
{
	int err = ipfi_transactions_init();

	if (err)
		return err;
	ipfi_genl_family.ops = operations;
	ipfi_genl_family.n_ops = ARRAY_SIZE(operations);
	err = genl_register_family(&ipfi_genl_family);
	if (err)
		ipfi_transactions_exit();
	else
		ipfi_events_init();
	return err;
}

void ipfi_genl_exit(void)
{
	/* None is sending any more when the groups go. */
	ipfi_events_exit();
	genl_unregister_family(&ipfi_genl_family);
	ipfi_transactions_exit();
}
