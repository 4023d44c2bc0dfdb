/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs, as replies and events say it: the attribute INFO. */
#ifndef IPFI_NETLINK_INFO_H
#define IPFI_NETLINK_INFO_H

#include "module/net.h"
#include "module/ruleset/ruleset.h"

struct sk_buff;

/* Room for what these put. */
#define IPFI_INFO_PAYLOAD 256

/* 0, or -EMSGSIZE when @skb is full. @rs is NULL before the first commit. */
int ipfi_info_put(struct sk_buff *skb, const struct ipfi_net *in, const struct ipfi_ruleset *rs, bool with_name);
int ipfi_info_put_event(struct sk_buff *skb, const struct ipfi_net *in, const struct ipfi_ruleset *rs,
			enum ipfi_change change);

#endif /* IPFI_NETLINK_INFO_H */
