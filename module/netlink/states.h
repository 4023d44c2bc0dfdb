/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A state, as replies and events say it: the attribute STATE. */
#ifndef IPFI_NETLINK_STATES_H
#define IPFI_NETLINK_STATES_H

#include <net/netlink.h>
#include "module/net.h"
#include "module/table/state.h"

/* Room for 18 numbers of up to 32 bits, 7 of 64 bits with their padding and four addresses in their nest. */
#define IPFI_STATE_PAYLOAD                                                                    \
	nla_total_size(18 * nla_total_size(4) + 7 * (nla_total_size(0) + nla_total_size(8)) + \
		       4 * nla_total_size(16))

/* 0, or -EMSGSIZE when @skb is full. */
int ipfi_state_put(struct sk_buff *skb, struct ipfi_net *in, const struct ipfi_snapshot *snapshot);

#endif /* IPFI_NETLINK_STATES_H */
