// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/commit/limits.h"
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/net.h"
#include "module/netlink/attr.h"
#include "module/netlink/handlers.h"
#include "module/netlink/limits.h"
#include "module/netlink/message.h"

#define X(id, name, least, most, standard) \
	static struct netlink_range_validation name##_range __ro_after_init = { least, most };
IPFI_LIMITS(X)
#undef X

const struct nla_policy ipfi_limits_policy[IPFI_LIMIT_MAX + 1] = {
#define X(id, name, least, most, standard) \
	[IPFI_LIMIT_##id] = NLA_POLICY_FULL_RANGE(NLA_U32, &name##_range),
	IPFI_LIMITS(X)
#undef X
};

const struct nla_policy ipfi_limits_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_LIMITS] = NLA_POLICY_NESTED(ipfi_limits_policy),
};

static_assert(IPFI_LIMIT_MAX < 32, "a mask of limits has 32 bits");

static u32 take_limits(struct nlattr *tb[], struct ipfi_limits *limits)
{
	u32 set = 0;
	unsigned int id;

	for (id = 1; id <= IPFI_LIMIT_MAX; id++) {
		if (!tb[id])
			continue;
		limits->value[id] = nla_get_u32(tb[id]);
		set |= 1U << id;
	}
	return set;
}

/* May @in have them? Else the error names the attribute. */
static int check_limits(const struct ipfi_net *in, struct nlattr *tb[], const struct ipfi_limits *limits, u32 set,
			struct netlink_ext_ack *extack)
{
	int refused = ipfi_net_check_limits(in, limits, set);

	if (!refused)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[refused], "more than the machine's first network namespace has: only that may raise it");
	return -ERANGE;
}

int ipfi_limits_parse(const struct ipfi_net *in, const struct nlattr *nest, struct ipfi_limits *limits, u32 *set,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IPFI_LIMIT_MAX + 1];
	int err = ipfi_parse_nest(tb, IPFI_LIMIT_MAX, nest, NULL, extack);

	if (err)
		return err;
	*set = take_limits(tb, limits);
	return check_limits(in, tb, limits, *set, extack);
}

int ipfi_genl_limits_set(struct sk_buff *skb, struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct nlattr *tb[IPFI_LIMIT_MAX + 1];
	struct ipfi_limits limits;
	int err = ipfi_check_header(info);
	u32 set;

	if (!err)
		err = ipfi_parse_only(tb, IPFI_LIMIT_MAX, info, IPFI_A_LIMITS);
	if (err)
		return err;
	set = take_limits(tb, &limits);
	err = check_limits(in, tb, &limits, set, info->extack);
	if (err)
		return err;
	mutex_lock(&in->mutex);
	ipfi_net_set_limits(in, &limits, set);
	mutex_unlock(&in->mutex);
	return 0;
}

static int put_limits(struct sk_buff *skb, const struct ipfi_net *in)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_LIMITS);
	unsigned int id;

	if (!nest)
		return -EMSGSIZE;
	for (id = 1; id <= IPFI_LIMIT_MAX; id++)
		if (nla_put_u32(skb, id, id == IPFI_LIMIT_MAX_STATES ? ipfi_net_max_states(in) :
								       READ_ONCE(in->limits.value[id])))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int ipfi_genl_limits_get(struct sk_buff *request, struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct sk_buff *skb;
	void *header;
	int err = ipfi_check_header(info);

	if (err)
		return err;
	skb = ipfi_genl_reply_start(
		info, nla_total_size(IPFI_LIMIT_MAX * nla_total_size(sizeof(u32))), &header);
	if (!skb)
		return -ENOMEM;
	mutex_lock(&in->mutex);
	err = put_limits(skb, in);
	mutex_unlock(&in->mutex);
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
		return err;
	}
	ipfi_genl_reply_end(info, skb, header);
	return 0;
}
