// SPDX-License-Identifier: GPL-2.0-or-later
/* A packet, explained: a dump of the steps of its judgement, which comes last. */
#include <linux/ipv6.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "module/compat.h"
#include "module/core/classify.h"
#include "module/core/decide.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/explain/explain.h"
#include "module/net.h"
#include "module/netlink/attr.h"
#include "module/netlink/handlers.h"
#include "module/netlink/message.h"

/* No IP header is shorter. */
#define DATA_LEAST 20

/* A device's own name: that of ipfi_validate_device() without the star. */
static int validate_whole_device(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	int err = ipfi_validate_device(attr, extack);

	if (!err && strchr(nla_data(attr), '*'))
		return IPFI_WRONG(extack, attr, "a packet has one device, not all of a kind");
	return err;
}

#define DEVICE_POLICY NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, validate_whole_device, IPFI_DEVICE_LEN - 1)

static const struct nla_policy packet_policy[IPFI_PACKET_A_MAX + 1] = {
	[IPFI_PACKET_A_DATA] = { .type = NLA_BINARY },
	[IPFI_PACKET_A_LIST] = NLA_POLICY_MAX(NLA_U8, __IPFI_LIST_FILTER_END - 1),
	[IPFI_PACKET_A_IIF] = DEVICE_POLICY,
	[IPFI_PACKET_A_OIF] = DEVICE_POLICY,
	[IPFI_PACKET_A_MARK] = { .type = NLA_U32 },
	[IPFI_PACKET_A_USER] = { .type = NLA_U32 },
	[IPFI_PACKET_A_IPSEC] = NLA_POLICY_MAX(NLA_U8, 1),
};

const struct nla_policy ipfi_packet_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_PACKET] = NLA_POLICY_NESTED(packet_policy),
};

/* Where a dump is: all has been answered when it begins, at one moment. */
struct cursor {
	struct ipfi_explanation explanation;
	const struct ipfi_steps *trace[3]; /* in the order in which they were asked */
	unsigned int list; /* place in told ... */
	u32 step;          /* ... and in that */
	bool asked, judged;
};

static struct cursor **cursor_of(struct netlink_callback *cb)
{
	return (struct cursor **)cb->ctx;
}

int ipfi_genl_explain_start(struct netlink_callback *cb)
{
	struct cursor *cursor = kzalloc(sizeof(*cursor), GFP_KERNEL);

	if (!cursor)
		return -ENOMEM;
	*cursor_of(cb) = cursor;
	return 0;
}

int ipfi_genl_explain_done(struct netlink_callback *cb)
{
	struct cursor *cursor = *cursor_of(cb);

	ipfi_explanation_end(&cursor->explanation);
	kfree(cursor);
	return 0;
}

static int parse_question(struct nlattr *tb[], struct ipfi_query *query, const struct nlattr *nest,
			  struct netlink_ext_ack *extack)
{
	memset(query, 0, sizeof(*query));
	if (!tb[IPFI_PACKET_A_DATA])
		return IPFI_MISSING(extack, nest, IPFI_PACKET_A_DATA, "a packet needs its bytes");
	if (nla_len(tb[IPFI_PACKET_A_DATA]) < DATA_LEAST)
		return IPFI_WRONG(extack, tb[IPFI_PACKET_A_DATA], "no IP packet has so few bytes");
	if (*(const u8 *)nla_data(tb[IPFI_PACKET_A_DATA]) >> 4 == 6 && !ipv6_mod_enabled()) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IPFI_PACKET_A_DATA],
				    "this machine has no IPv6 (ipv6.disable=1): no such packet comes here");
		return -EAFNOSUPPORT;
	}
	if (!tb[IPFI_PACKET_A_LIST])
		return IPFI_MISSING(extack, nest, IPFI_PACKET_A_LIST, "a packet needs the list that judges it");
	query->data = nla_data(tb[IPFI_PACKET_A_DATA]);
	query->length = nla_len(tb[IPFI_PACKET_A_DATA]);
	query->list = nla_get_u8(tb[IPFI_PACKET_A_LIST]);
	if (tb[IPFI_PACKET_A_MARK])
		query->mark = nla_get_u32(tb[IPFI_PACKET_A_MARK]);
	query->ipsec = tb[IPFI_PACKET_A_IPSEC] && nla_get_u8(tb[IPFI_PACKET_A_IPSEC]);
	if (tb[IPFI_PACKET_A_USER]) {
		if (query->list != IPFI_LIST_OUT)
			return IPFI_WRONG(extack, tb[IPFI_PACKET_A_USER], "only what is sent here has a user");
		query->has_user = true;
		query->user = nla_get_u32(tb[IPFI_PACKET_A_USER]);
	}
	if (tb[IPFI_PACKET_A_IIF]) {
		if (query->list == IPFI_LIST_OUT)
			return IPFI_WRONG(extack, tb[IPFI_PACKET_A_IIF], "what is sent here has not come in");
		query->iif = nla_data(tb[IPFI_PACKET_A_IIF]);
	}
	if (tb[IPFI_PACKET_A_OIF])
		query->oif = nla_data(tb[IPFI_PACKET_A_OIF]);
	return 0;
}

static int ask(struct ipfi_net *in, struct netlink_callback *cb, struct cursor *cursor)
{
	const struct ipfi_trace *trace = &cursor->explanation.dry_run.trace;
	struct nlattr **attrs = ipfi_dump_attrs(cb);
	struct netlink_ext_ack *extack = cb->extack;
	struct nlattr *tb[IPFI_PACKET_A_MAX + 1];
	struct ipfi_query query;
	int err = ipfi_check_once(attrs, cb->nlh, extack);

	if (err)
		return err;
	if (!attrs[IPFI_A_PACKET])
		return IPFI_MISSING(extack, NULL, IPFI_A_PACKET, "the message lacks the attribute that it is about");
	err = ipfi_parse_nest(tb, IPFI_PACKET_A_MAX, attrs[IPFI_A_PACKET], NULL, extack);
	if (!err)
		err = parse_question(tb, &query, attrs[IPFI_A_PACKET], extack);
	if (err)
		return err;
	err = ipfi_explain(in, &query, &cursor->explanation);
	if (err == -ENODEV || err == -ENXIO) {
		if (err == -ENODEV)
			NL_SET_ERR_MSG_ATTR(extack, tb[IPFI_PACKET_A_IIF], "there is no such device to enter by");
		else
			NL_SET_ERR_MSG_ATTR(extack, tb[IPFI_PACKET_A_OIF], "there is no such device to leave by");
		return -ENODEV;
	}
	if (err == -ENODATA)
		return IPFI_WRONG(extack, tb[IPFI_PACKET_A_DATA], "the packet's headers are not all there");
	cursor->trace[0] = &trace->dstnat;
	cursor->trace[1] = &trace->filter;
	cursor->trace[2] = &trace->srcnat;
	return err;
}

static int put_step(struct sk_buff *skb, const struct ipfi_explanation *x, const struct ipfi_steps *trace, u32 step)
{
	const struct ipfi_rule *rule = x->rs->classifier.list[trace->list][step];
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_STEP);

	if (!nest || nla_put_u8(skb, IPFI_STEP_A_LIST, trace->list) ||
	    nla_put_u64_64bit(skb, IPFI_STEP_A_RULE, rule->id, IPFI_STEP_A_PAD) ||
	    (trace->field[step] != IPFI_STEP_MATCHES && nla_put_u8(skb, IPFI_STEP_A_FIELD, trace->field[step]))) {
		if (nest)
			nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_rule(struct sk_buff *skb, int type, u64 rule)
{
	return rule ? nla_put_u64_64bit(skb, type, rule, IPFI_RESULT_A_PAD) : 0;
}

static int put_leaving(struct sk_buff *skb, const struct ipfi_tuple *leaving)
{
	return ipfi_put_address(skb, IPFI_RESULT_A_SRC, leaving->family, &leaving->src) ||
	       ipfi_put_address(skb, IPFI_RESULT_A_DST, leaving->family, &leaving->dst) ||
	       nla_put_u16(skb, IPFI_RESULT_A_SPORT, leaving->sport) ||
	       nla_put_u16(skb, IPFI_RESULT_A_DPORT, leaving->dport);
}

static int put_judgement(struct sk_buff *skb, const struct ipfi_explanation *x)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_RESULT);

	if (!nest || nla_put_u8(skb, IPFI_RESULT_A_VERDICT, x->verdict) ||
	    nla_put_u8(skb, IPFI_RESULT_A_LIST, x->list) ||
	    (x->reason && nla_put_u8(skb, IPFI_RESULT_A_REASON, x->reason)) ||
	    (x->state && nla_put_u8(skb, IPFI_RESULT_A_STATE, x->state)) ||
	    put_rule(skb, IPFI_RESULT_A_RULE, x->rule) ||
	    put_rule(skb, IPFI_RESULT_A_STATE_ID, x->state_id) ||
	    put_rule(skb, IPFI_RESULT_A_DSTNAT_RULE, x->dry_run.dstnat_rule) ||
	    put_rule(skb, IPFI_RESULT_A_SRCNAT_RULE, x->dry_run.srcnat_rule) ||
	    (x->translated && put_leaving(skb, &x->leaving)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* As many steps as there is room for; 0 when there are no more. */
static unsigned int put_steps(struct sk_buff *skb, struct cursor *cursor)
{
	unsigned int put = 0;

	for (; cursor->list < ARRAY_SIZE(cursor->trace); cursor->list++, cursor->step = 0)
		for (; cursor->step < cursor->trace[cursor->list]->count; cursor->step++, put++)
			if (put_step(skb, &cursor->explanation, cursor->trace[cursor->list], cursor->step))
				return put;
	return put;
}

static void *start_message(struct sk_buff *skb, struct netlink_callback *cb)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &ipfi_genl_family, NLM_F_MULTI,
			   IPFI_CMD_EXPLAIN);
}

static void end_message(struct sk_buff *skb, struct netlink_callback *cb, void *header)
{
	genl_dump_check_consistent(cb, header);
	genlmsg_end(skb, header);
}

int ipfi_genl_explain_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ipfi_net *in = ipfi_net(sock_net(cb->skb->sk));
	struct cursor *cursor = *cursor_of(cb);
	void *header;
	int err;

	/* Not when the dump was started: only now is there an extack to say what is wrong. */
	if (!cursor->asked) {
		err = ask(in, cb, cursor);
		if (err)
			return err;
		cursor->asked = true;
	}
	if (cursor->judged)
		return 0;
	/* A reader who is told of newer rules can ask again: this answer is by those of its beginning. */
	cb->seq = 1 + READ_ONCE(in->generation);
	header = start_message(skb, cb);
	if (!header)
		return -EMSGSIZE;
	if (put_steps(skb, cursor)) {
		end_message(skb, cb, header);
		return skb->len;
	}
	err = put_judgement(skb, &cursor->explanation);
	if (err) {
		genlmsg_cancel(skb, header);
		return err;
	}
	end_message(skb, cb, header);
	cursor->judged = true;
	return skb->len;
}
