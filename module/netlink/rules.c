// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules: added to a transaction, dumped from the running rule set. */
#include <linux/mm.h>
#include <net/sock.h>
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/net.h"
#include "module/netlink/handlers.h"
#include "module/netlink/info.h"
#include "module/netlink/message.h"
#include "module/netlink/rule_parse.h"
#include "module/netlink/transaction.h"
#include "module/ruleset/ruleset.h"

static int add_rule(struct ipfi_transaction *transaction, struct genl_info *info)
{
	struct ipfi_rule_store *store;
	struct ipfi_rule rule;
	int err;

	/* Cheaply, for all the rules that follow a refused one. */
	if (!transaction->rs) {
		GENL_SET_ERR_MSG(info, "an earlier message of this transaction was refused");
		return -ECANCELED;
	}
	err = ipfi_rule_parse(info, transaction->rs, &rule, &store);
	if (err)
		return err;
	err = ipfi_ruleset_append(transaction->rs, &rule, store);
	if (!err)
		return 0;
	kvfree(store);
	if (err == -EEXIST)
		GENL_SET_ERR_MSG(info, "another rule of this rule set has this name");
	else if (err == -E2BIG)
		GENL_SET_ERR_MSG(info, "a rule set has a million rules at most");
	return err;
}

int ipfi_genl_rule_add(struct sk_buff *skb, struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct ipfi_transaction *transaction = ipfi_transaction_get(in, info->snd_portid, false);
	int err;

	if (!transaction) {
		GENL_SET_ERR_MSG(info, "this socket has no transaction open: begin one first");
		return -ENOENT;
	}
	mutex_lock(&in->mutex);
	err = add_rule(transaction, info);
	if (err && transaction->rs)
		ipfi_transaction_break(transaction);
	mutex_unlock(&in->mutex);
	ipfi_transaction_put(transaction);
	return err;
}

/* Where a dump is. It holds its rule set, so all of its rules are of one generation. */
struct cursor {
	struct ipfi_ruleset *rs; /* NULL before the first commit */
	u32 next;                /* rule */
	bool begun;
};
static_assert(sizeof(struct cursor) <= sizeof_field(struct netlink_callback, ctx),
	      "a cursor fits into the callback's own memory");

static struct cursor *cursor_of(struct netlink_callback *cb)
{
	return (struct cursor *)cb->ctx;
}

/* Bytes of the longest message of the dump: each must fit into a buffer that is still empty. */
static u32 longest_message(const struct ipfi_ruleset *rs)
{
	u32 head = IPFI_INFO_PAYLOAD + 3 * nla_total_size(sizeof(u8)) +
		   rs->set_count * nla_total_size(IPFI_SET_NAME_LEN + 1);
	u32 most = 0, i;

	for (i = 0; i < rs->count; i++)
		most = max(most, rs->stores[i]->message_length);
	most = max_t(u32, ALIGN(most, NLA_ALIGNTO) + 3 * nla_total_size_64bit(sizeof(u64)), head);
	return NLMSG_HDRLEN + genlmsg_total_size(nla_total_size(most));
}

int ipfi_genl_rules_start(struct netlink_callback *cb)
{
	struct cursor *cursor = cursor_of(cb);

	cursor->rs = ipfi_ruleset_get(ipfi_net(sock_net(cb->skb->sk)));
	if (cursor->rs) {
		cb->min_dump_alloc = max_t(u32, longest_message(cursor->rs), NLMSG_GOODSIZE);
		cb->seq = cursor->rs->generation;
	}
	return 0;
}

int ipfi_genl_rules_done(struct netlink_callback *cb)
{
	ipfi_ruleset_put(cursor_of(cb)->rs);
	return 0;
}

static void *start_message(struct sk_buff *skb, struct netlink_callback *cb)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &ipfi_genl_family,
			   NLM_F_MULTI, IPFI_CMD_RULES_DUMP);
}

/* @err: of what has been put. The message counts only when all of it is there. */
static int end_message(struct sk_buff *skb, struct netlink_callback *cb, void *header, int err)
{
	if (err) {
		genlmsg_cancel(skb, header);
		return err;
	}
	genl_dump_check_consistent(cb, header);
	genlmsg_end(skb, header);
	return 0;
}

static int put_ruleset(struct sk_buff *skb, const struct ipfi_ruleset *rs)
{
	const u8 *standard = rs->classifier.standard;
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_RULESET);
	u32 i;

	if (!nest || nla_put_u8(skb, IPFI_RULESET_A_DEFAULT_IN, standard[IPFI_LIST_IN]) ||
	    nla_put_u8(skb, IPFI_RULESET_A_DEFAULT_OUT, standard[IPFI_LIST_OUT]) ||
	    nla_put_u8(skb, IPFI_RULESET_A_DEFAULT_FORWARD, standard[IPFI_LIST_FORWARD]))
		return -EMSGSIZE;
	for (i = 0; i < rs->set_count; i++)
		if (nla_put_string(skb, IPFI_RULESET_A_SET, rs->sets[i].set->name))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_head(struct sk_buff *skb, const struct ipfi_net *in, const struct ipfi_ruleset *rs)
{
	int err = ipfi_info_put(skb, in, rs, true);

	return err || !rs ? err : put_ruleset(skb, rs);
}

/* A rule that came in no message: one of the module's own. */
static int put_own_rule(struct sk_buff *skb, const struct ipfi_rule *rule)
{
	if (nla_put_string(skb, IPFI_RULE_A_NAME, rule->name) ||
	    nla_put_u8(skb, IPFI_RULE_A_LISTS, rule->lists) ||
	    nla_put_u8(skb, IPFI_RULE_A_VERDICT, rule->verdict) ||
	    (rule->fields & IPFI_FIELD_BIT(IPFI_FIELD_IIF) &&
	     nla_put_string(skb, IPFI_RULE_A_IIF, rule->iif)) ||
	    (rule->fields & IPFI_FIELD_BIT(IPFI_FIELD_FAMILY) &&
	     nla_put_u8(skb, IPFI_RULE_A_FAMILY, rule->family)))
		return -EMSGSIZE;
	return 0;
}

static int put_fields(struct sk_buff *skb, const struct ipfi_ruleset *rs, u32 index)
{
	const struct ipfi_rule_store *store = rs->stores[index];

	if (!store->message)
		return put_own_rule(skb, &rs->rules[index]);
	return nla_append(skb, store->message_length, store->message);
}

/* The attributes as they came, and what the kernel knows of the rule. */
static int put_rule(struct sk_buff *skb, const struct ipfi_ruleset *rs, u32 index)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_RULE);
	struct ipfi_rule_counter sum;

	if (!nest || put_fields(skb, rs, index))
		return -EMSGSIZE;
	ipfi_ruleset_count(rs, index, &sum);
	if (nla_put_u64_64bit(skb, IPFI_RULE_A_ID, rs->rules[index].id, IPFI_RULE_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_RULE_A_PACKETS, sum.packets, IPFI_RULE_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_RULE_A_BYTES, sum.bytes, IPFI_RULE_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int ipfi_genl_rules_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cursor *cursor = cursor_of(cb);
	const struct ipfi_ruleset *rs = cursor->rs;
	void *header;

	if (!cursor->begun) {
		header = start_message(skb, cb);
		if (!header || end_message(skb, cb, header, put_head(skb, ipfi_net(sock_net(cb->skb->sk)), rs)))
			return -EMSGSIZE;
		cursor->begun = true;
	}
	for (; rs && cursor->next < rs->count; cursor->next++) {
		header = start_message(skb, cb);
		if (!header || end_message(skb, cb, header, put_rule(skb, rs, cursor->next)))
			return skb->len ? skb->len : -EMSGSIZE;
	}
	return skb->len;
}
