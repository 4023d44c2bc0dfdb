/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each command of the family is answered by; each in the file of its object. All may sleep. */
#ifndef IPFI_NETLINK_HANDLERS_H
#define IPFI_NETLINK_HANDLERS_H

#include <net/genetlink.h>
#include <linux/ipfi.h>

int ipfi_genl_info(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_limits_get(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_limits_set(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_begin(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_commit(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_abort(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_dry_run(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_confirm(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_rollback(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_rule_add(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_rules_start(struct netlink_callback *cb);
int ipfi_genl_rules_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ipfi_genl_rules_done(struct netlink_callback *cb);
int ipfi_genl_states_start(struct netlink_callback *cb);
int ipfi_genl_states_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ipfi_genl_states_done(struct netlink_callback *cb);
int ipfi_genl_states_count(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_states_delete(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_expectations_start(struct netlink_callback *cb);
int ipfi_genl_expectations_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ipfi_genl_stats(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_sets_start(struct netlink_callback *cb);
int ipfi_genl_sets_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ipfi_genl_sets_done(struct netlink_callback *cb);
int ipfi_genl_set_add(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_set_delete(struct sk_buff *skb, struct genl_info *info);

int ipfi_genl_explain_start(struct netlink_callback *cb);
int ipfi_genl_explain_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ipfi_genl_explain_done(struct netlink_callback *cb);
int ipfi_genl_drops_start(struct netlink_callback *cb);
int ipfi_genl_drops_dump(struct sk_buff *skb, struct netlink_callback *cb);
int ipfi_genl_drops_done(struct netlink_callback *cb);

/* Policies of whole messages. */
extern const struct nla_policy ipfi_limits_message_policy[IPFI_A_MAX + 1];
extern const struct nla_policy ipfi_commit_message_policy[IPFI_A_MAX + 1];
extern const struct nla_policy ipfi_decision_message_policy[IPFI_A_MAX + 1];
extern const struct nla_policy ipfi_filter_message_policy[IPFI_A_MAX + 1];
extern const struct nla_policy ipfi_set_message_policy[IPFI_A_MAX + 1];
extern const struct nla_policy ipfi_packet_message_policy[IPFI_A_MAX + 1];

#endif /* IPFI_NETLINK_HANDLERS_H */
