// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/commit/commit_confirm.h"
#include "module/net.h"
#include "module/netlink/attr.h"
#include "module/netlink/handlers.h"
#include "module/netlink/info.h"
#include "module/netlink/message.h"
#include "module/ruleset/ruleset.h"

static u32 nat_rules(const struct ipfi_ruleset *rs)
{
	return rs ? rs->classifier.count[IPFI_LIST_DSTNAT] + rs->classifier.count[IPFI_LIST_SRCNAT] : 0;
}

static int put_fields(struct sk_buff *skb, const struct ipfi_ruleset *rs, bool with_name)
{
	const u32 nat = nat_rules(rs);

	if (nla_put_u32(skb, IPFI_INFO_A_GENERATION, rs ? rs->generation : 0) ||
	    nla_put_u32(skb, IPFI_INFO_A_RULES, rs ? rs->count : 0) ||
	    (nat && nla_put_u32(skb, IPFI_INFO_A_NAT_RULES, nat)) ||
	    (with_name && nla_put_string(skb, IPFI_INFO_A_NAME, rs ? rs->name : "")))
		return -EMSGSIZE;
	return 0;
}

static int put_confirm(struct sk_buff *skb, const struct ipfi_net *in)
{
	u32 left;

	return ipfi_commit_confirm_left(in, &left) ? nla_put_u32(skb, IPFI_INFO_A_CONFIRM, left) : 0;
}

int ipfi_info_put(struct sk_buff *skb, const struct ipfi_net *in, const struct ipfi_ruleset *rs, bool with_name)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_INFO);

	if (!nest || put_fields(skb, rs, with_name) || put_confirm(skb, in))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int ipfi_info_put_event(struct sk_buff *skb, const struct ipfi_net *in, const struct ipfi_ruleset *rs,
			enum ipfi_change change)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_INFO);

	if (!nest || put_fields(skb, rs, true) || put_confirm(skb, in) ||
	    nla_put_u8(skb, IPFI_INFO_A_CHANGE, change))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_all(struct sk_buff *skb, struct ipfi_net *in, const struct ipfi_ruleset *rs)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_INFO);
	u8 change = READ_ONCE(in->confirmation.change);

	if (!nest || nla_put_string(skb, IPFI_INFO_A_VERSION, IPFI_VERSION) ||
	    nla_put_u8(skb, IPFI_INFO_A_ARMED, !!rs) || put_fields(skb, rs, true) || put_confirm(skb, in))
		return -EMSGSIZE;
	if (change != IPFI_CHANGE_UNSPEC && nla_put_u8(skb, IPFI_INFO_A_CHANGE, change))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int ipfi_genl_info(struct sk_buff *request, struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct ipfi_ruleset *rs;
	struct sk_buff *skb;
	void *header;
	int err = ipfi_check_header(info);

	if (err)
		return err;
	skb = ipfi_genl_reply_start(info, IPFI_INFO_PAYLOAD, &header);
	if (!skb)
		return -ENOMEM;
	rs = ipfi_ruleset_get(in);
	err = put_all(skb, in, rs);
	ipfi_ruleset_put(rs);
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
		return err;
	}
	ipfi_genl_reply_end(info, skb, header);
	return 0;
}
