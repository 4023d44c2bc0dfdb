// SPDX-License-Identifier: GPL-2.0-or-later
/* The trial of the rule set that a transaction has built. */
#include <linux/slab.h>
#include "module/commit/dry_run.h"
#include "module/net.h"
#include "module/netlink/handlers.h"
#include "module/netlink/message.h"
#include "module/netlink/transaction.h"
#include "module/ruleset/ruleset.h"

#define ROW_PAYLOAD                                                                              \
	nla_total_size(2 * nla_total_size(1) + nla_total_size(0) + nla_total_size(8) +           \
		       nla_total_size(IPFI_NAME_LEN + 1) + nla_total_size(4) + nla_total_size(0))
#define STATES_PAYLOAD nla_total_size(nla_total_size(sizeof(u32)))

static int put_states(struct sk_buff *skb, u32 states)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_STATS);

	if (!nest || nla_put_u32(skb, IPFI_STATS_A_STATES, states))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_row(struct sk_buff *skb, const struct ipfi_impact_row *row)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_DRY_RUN);

	if (!nest || nla_put_u8(skb, IPFI_DRY_RUN_A_IMPACT, row->fate) || nla_put_u8(skb, IPFI_DRY_RUN_A_LIST, row->list) ||
	    nla_put_u64_64bit(skb, IPFI_DRY_RUN_A_RULE, row->rule, IPFI_DRY_RUN_A_PAD) ||
	    (row->by && nla_put_string(skb, IPFI_DRY_RUN_A_BY, row->by->name)) ||
	    nla_put_u32(skb, IPFI_DRY_RUN_A_STATES, row->states))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_rest(struct sk_buff *skb, u8 fate, u32 states)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_DRY_RUN);

	if (!nest || nla_put_u8(skb, IPFI_DRY_RUN_A_IMPACT, fate) || nla_put_u32(skb, IPFI_DRY_RUN_A_STATES, states) ||
	    nla_put_flag(skb, IPFI_DRY_RUN_A_REST))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_trial(struct sk_buff *skb, const struct ipfi_impacts *trial)
{
	int err = put_states(skb, trial->states);
	unsigned int fate;
	u32 i;

	for (i = 0; i < trial->count && !err; i++)
		err = put_row(skb, &trial->row[i]);
	for (fate = 1; fate <= IPFI_IMPACT_MAX && !err; fate++)
		if (trial->rest[fate])
			err = put_rest(skb, fate, trial->rest[fate]);
	return err;
}

static int reply(struct genl_info *info, const struct ipfi_impacts *trial)
{
	struct sk_buff *skb;
	void *header;

	skb = ipfi_genl_reply_start(info, STATES_PAYLOAD + (trial->count + IPFI_IMPACT_MAX) * ROW_PAYLOAD, &header);
	if (!skb)
		return -ENOMEM;
	if (WARN_ON_ONCE(put_trial(skb, trial))) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	ipfi_genl_reply_end(info, skb, header);
	return 0;
}

/* The rule set of the socket's transaction, which ends; ERR_PTR() with the extack set. */
static struct ipfi_ruleset *take_ruleset(struct ipfi_net *in, struct genl_info *info)
{
	struct ipfi_transaction *transaction;
	struct ipfi_ruleset *rs = NULL;

	mutex_lock(&in->mutex);
	transaction = ipfi_transaction_get(in, info->snd_portid, true);
	if (transaction) {
		rs = transaction->rs;
		transaction->rs = NULL; /* who adds a rule at the same time finds it broken */
		ipfi_transaction_put(transaction);
	}
	mutex_unlock(&in->mutex);
	if (rs)
		return rs;
	if (transaction) {
		GENL_SET_ERR_MSG(info, "a message of this transaction was refused: begin again");
		return ERR_PTR(-ECANCELED);
	}
	GENL_SET_ERR_MSG(info, "this socket has no transaction open: begin one first");
	return ERR_PTR(-ENOENT);
}

int ipfi_genl_ruleset_dry_run(struct sk_buff *request, struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct ipfi_ruleset *rs = take_ruleset(in, info);
	struct ipfi_impacts *trial;
	int err;

	if (IS_ERR(rs))
		return PTR_ERR(rs);
	trial = kvmalloc(sizeof(*trial), GFP_KERNEL);
	err = trial ? ipfi_ruleset_compile(rs) : -ENOMEM;
	if (!err)
		err = ipfi_dry_run_ruleset(trial, in, rs);
	if (err == -EAGAIN)
		GENL_SET_ERR_MSG(info, "the state table is being resized: try again");
	if (!err)
		err = reply(info, trial);
	kvfree(trial);
	ipfi_ruleset_put(rs);
	return err;
}
