/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic netlink family: one file an object, genl_<object>.c, each with the policies above its
 * handlers; genl.c only lists the commands.
 */
#ifndef IPFI_GENL_H
#define IPFI_GENL_H

#include <net/genetlink.h>
#include "module/net.h"

enum ipfi_group {
	IPFI_GROUP_INDEX_STATE,
	IPFI_GROUP_INDEX_LOG,
	IPFI_GROUP_INDEX_RULESET,
};

extern struct genl_family ipfi_genl_family;

int ipfi_genl_init(void);
void ipfi_genl_exit(void);

/* Frees the transactions that are open when the namespace goes. */
void ipfi_genl_net_exit(struct ipfi_net *in);

/*
 * Does anybody listen to the group, in any namespace? False while the family is not registered. No
 * sleep.
 */
bool ipfi_genl_listened(struct ipfi_net *in, enum ipfi_group group);

/*
 * A message of the namespace's own: starts one in a new *skb with room for @payload bytes of
 * attributes, and sends it to all who listen. NULL when memory is short, which the listeners are
 * told. No sleep.
 */
void *ipfi_genl_event_start(struct ipfi_net *in, enum ipfi_group group, enum ipfi_cmd cmd,
			    size_t payload, struct sk_buff **skb);
void ipfi_genl_event_send(struct ipfi_net *in, enum ipfi_group group, struct sk_buff *skb,
			  void *header);

/*
 * A reply to @info: starts one in a new skb, which is returned; NULL without memory. Sleeps.
 * ipfi_genl_reply_end() sends it. That it may not reach a socket whose buffer is full is no error:
 * what was asked for has been done.
 */
struct sk_buff *ipfi_genl_reply_start(struct genl_info *info, size_t payload, void **header);
void ipfi_genl_reply_end(struct genl_info *info, struct sk_buff *skb, void *header);

/*
 * Answers a request that changes the running rule set, its nest COMMIT parsed into @tb: @change does that under
 * in->mutex, or sets the extack and returns -errno; what runs then is the reply.
 */
typedef int (*ipfi_ruleset_change)(struct ipfi_net *in, struct nlattr *tb[], struct genl_info *info);
int ipfi_genl_change_ruleset(struct genl_info *info, ipfi_ruleset_change change);

/* Handlers, by command; each in the file of its object. All may sleep. */
int ipfi_genl_info(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_limits_get(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_limits_set(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_begin(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_commit(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_abort(struct sk_buff *skb, struct genl_info *info);
int ipfi_genl_ruleset_try(struct sk_buff *skb, struct genl_info *info);
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

/*
 * Attributes of more than one message, STATE and INFO: 0, or -EMSGSIZE when @skb is full. @rs is
 * NULL before the first commit.
 */
int ipfi_state_put(struct sk_buff *skb, struct ipfi_net *in, const struct ipfi_snapshot *snapshot);
int ipfi_info_put(struct sk_buff *skb, const struct ipfi_net *in, const struct ipfi_ruleset *rs, bool with_name);
int ipfi_info_put_event(struct sk_buff *skb, const struct ipfi_net *in, const struct ipfi_ruleset *rs,
			enum ipfi_change change);

/* The rule set in force, NULL before the first commit. Holds in->mutex. */
static inline const struct ipfi_ruleset *ipfi_ruleset_running(struct ipfi_net *in)
{
	return rcu_dereference_protected(in->ruleset, lockdep_is_held(&in->mutex));
}

/*
 * Payloads that hold what these put: of a state 16 numbers of up to 32 bits, 7 of 64 bits with
 * their padding and four addresses in their nest. IPFI_EVENT_PAYLOAD has room for EVENT and STATE.
 */
#define IPFI_STATE_PAYLOAD                                                                    \
	nla_total_size(18 * nla_total_size(4) + 7 * (nla_total_size(0) + nla_total_size(8)) + \
		       4 * nla_total_size(16))
#define IPFI_EVENT_PAYLOAD (nla_total_size(2 * nla_total_size(1)) + IPFI_STATE_PAYLOAD)
#define IPFI_INFO_PAYLOAD 256

/* The limits policy, for the nests of LIMITS_SET and RULESET_BEGIN. */
extern const struct nla_policy ipfi_limits_policy[IPFI_LIMIT_MAX + 1];

/*
 * Reads a nest of limits whose policy has been checked: values of those present go to *limits, and
 * *set says which (mask of 1 << enum ipfi_limit). -EINVAL, or -ERANGE for what @in may not have, with @extack set.
 */
int ipfi_limits_parse(const struct ipfi_net *in, const struct nlattr *nest, struct ipfi_limits *limits, u32 *set,
		      struct netlink_ext_ack *extack);

/* What ends with the sockets. */
int ipfi_transactions_init(void);
void ipfi_transactions_exit(void);

#endif /* IPFI_GENL_H */
