// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/module.h>
#include "module/net.h"
#include "module/netlink/message.h"
#include "module/notify.h"

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
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

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
