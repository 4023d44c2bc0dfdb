// SPDX-License-Identifier: GPL-2.0-or-later
/* Dropped packets, dumped as they were remembered. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/checksum.h>
#include <net/sock.h>
#include "module/core/platform.h"
#include "module/net.h"
#include "module/netlink/handlers.h"
#include "module/netlink/message.h"
#include "module/packet/drops.h"

/* Where a dump is: in a copy of one moment. */
struct cursor {
	struct ipfi_drop *drops;
	u32 count, next;
};
static_assert(sizeof(struct cursor) <= sizeof_field(struct netlink_callback, ctx),
	      "a cursor fits into the callback's own memory");

static struct cursor *cursor_of(struct netlink_callback *cb)
{
	return (struct cursor *)cb->ctx;
}

int ipfi_genl_drops_start(struct netlink_callback *cb)
{
	struct ipfi_net *in = ipfi_net(sock_net(cb->skb->sk));
	struct cursor *cursor = cursor_of(cb);
	bool armed;

	memset(cursor, 0, sizeof(*cursor));
	mutex_lock(&in->mutex);
	armed = in->drops.ring;
	mutex_unlock(&in->mutex);
	if (!armed)
		return 0;
	cursor->drops = kvmalloc_array(IPFI_DROPS_KEPT, sizeof(*cursor->drops), GFP_KERNEL_ACCOUNT);
	if (!cursor->drops)
		return -ENOMEM;
	cursor->count = ipfi_drops_copy(in, cursor->drops);
	return 0;
}

int ipfi_genl_drops_done(struct netlink_callback *cb)
{
	kvfree(cursor_of(cb)->drops);
	return 0;
}

/* What was left to the device that would have sent it, so that who reads the packet finds it whole. */
static void complete_checksum(struct ipfi_drop *drop)
{
	__sum16 sum;

	if (!drop->sum_at)
		return;
	sum = csum_fold(csum_partial(drop->header + drop->sum_from, drop->kept - drop->sum_from, 0));
	memcpy(drop->header + drop->sum_at, &sum, sizeof(sum));
	drop->sum_at = 0;
}

static int put_fields(struct sk_buff *skb, const struct ipfi_drop *drop)
{
	if (nla_put_u64_64bit(skb, IPFI_DROP_A_TIME, drop->time, IPFI_DROP_A_PAD) ||
	    nla_put_u8(skb, IPFI_DROP_A_REASON, drop->reason) || nla_put_u8(skb, IPFI_DROP_A_LIST, drop->list) ||
	    nla_put_u32(skb, IPFI_DROP_A_IIF, drop->iif) || nla_put_u32(skb, IPFI_DROP_A_OIF, drop->oif) ||
	    nla_put_u32(skb, IPFI_DROP_A_MARK, drop->mark) || nla_put_u32(skb, IPFI_DROP_A_LENGTH, drop->length) ||
	    nla_put(skb, IPFI_DROP_A_HEADER, drop->kept, drop->header) ||
	    nla_put_u32(skb, IPFI_DROP_A_MISSED, drop->missed))
		return -EMSGSIZE;
	return drop->rule ? nla_put_u64_64bit(skb, IPFI_DROP_A_RULE, drop->rule, IPFI_DROP_A_PAD) : 0;
}

static int put_message(struct sk_buff *skb, struct netlink_callback *cb, struct ipfi_drop *drop)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &ipfi_genl_family,
				   NLM_F_MULTI, IPFI_CMD_DROPS_DUMP);
	struct nlattr *nest;

	if (!header)
		return -EMSGSIZE;
	complete_checksum(drop);
	nest = nla_nest_start(skb, IPFI_A_DROP);
	if (!nest || put_fields(skb, drop)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, header);
	return 0;
}

int ipfi_genl_drops_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cursor *cursor = cursor_of(cb);

	for (; cursor->next < cursor->count; cursor->next++)
		if (put_message(skb, cb, &cursor->drops[cursor->next]))
			break;
	return skb->len;
}
