// SPDX-License-Identifier: GPL-2.0-or-later
/* Expectations, dumped. */
#include <linux/jiffies.h>
#include <net/sock.h>
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/net.h"
#include "module/netlink/attr.h"
#include "module/netlink/handlers.h"
#include "module/netlink/message.h"
#include "module/table/expect.h"

/* Where a dump is: behind the expectation of this number. */
struct cursor {
	u64 number;
};
static_assert(sizeof(struct cursor) <= sizeof_field(struct netlink_callback, ctx),
	      "a cursor fits into the callback's own memory");

static int put_fields(struct sk_buff *skb, const struct ipfi_expectation *one, u32 left)
{
	if (nla_put_u8(skb, IPFI_EXPECTATION_A_FAMILY, one->key.family) ||
	    nla_put_u8(skb, IPFI_EXPECTATION_A_PROTO, IPFI_PROTO_TCP) ||
	    ipfi_put_address(skb, IPFI_EXPECTATION_A_SRC, one->key.family, &one->key.src) ||
	    ipfi_put_address(skb, IPFI_EXPECTATION_A_DST, one->key.family, &one->key.dst) ||
	    nla_put_u16(skb, IPFI_EXPECTATION_A_DPORT, one->key.dport) ||
	    nla_put_u8(skb, IPFI_EXPECTATION_A_HELPER, IPFI_HELPER_FTP) ||
	    nla_put_u64_64bit(skb, IPFI_EXPECTATION_A_MASTER, one->master->id, IPFI_EXPECTATION_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_EXPECTATION_A_RULE, READ_ONCE(one->master->first.rule),
			      IPFI_EXPECTATION_A_PAD) ||
	    nla_put_u32(skb, IPFI_EXPECTATION_A_TIMEOUT, left))
		return -EMSGSIZE;
	if (one->dst_translated &&
	    (ipfi_put_address(skb, IPFI_EXPECTATION_A_NAT_DST, one->key.family, &one->real_dst) ||
	     nla_put_u16(skb, IPFI_EXPECTATION_A_NAT_DPORT, one->real_dport)))
		return -EMSGSIZE;
	return 0;
}

static int put_message(struct sk_buff *skb, struct netlink_callback *cb, const struct ipfi_expectation *one, u32 left)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &ipfi_genl_family,
				   NLM_F_MULTI, IPFI_CMD_EXPECTATIONS_DUMP);
	struct nlattr *nest;

	if (!header)
		return -EMSGSIZE;
	nest = nla_nest_start(skb, IPFI_A_EXPECTATION);
	if (!nest || put_fields(skb, one, left)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, header);
	return 0;
}

int ipfi_genl_expectations_start(struct netlink_callback *cb)
{
	memset(cb->ctx, 0, sizeof(struct cursor));
	return 0;
}

/* The oldest first. They are few enough (IPFI_EXPECT_ALL) to be passed over again for each part of a dump. */
int ipfi_genl_expectations_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ipfi_expectations *all = &ipfi_net(sock_net(cb->skb->sk))->expectations;
	struct cursor *cursor = (struct cursor *)cb->ctx;
	const struct ipfi_expectation *one;
	s32 left;

	spin_lock_bh(&all->lock);
	list_for_each_entry(one, &all->by_deadline, by_deadline) {
		if (one->number <= cursor->number)
			continue;
		left = one->deadline - (u32)jiffies;
		if (left > 0 && put_message(skb, cb, one, jiffies_to_msecs(left)))
			break;
		cursor->number = one->number;
	}
	spin_unlock_bh(&all->lock);
	return skb->len;
}
