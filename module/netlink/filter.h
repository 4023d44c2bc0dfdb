/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which states a request is about. */
#ifndef IPFI_GENL_FILTER_H
#define IPFI_GENL_FILTER_H

#include <net/genetlink.h>
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/table/state.h"

struct ipfi_prefix {
	struct ipfi_addr addr, mask; /* addr has no bit outside mask */
	u8 family;
};

struct ipfi_filter {
	u32 present; /* mask of 1 << enum ipfi_filter_attr; 0 matches every state */
	u8 family, proto, guessed;
	u32 states; /* mask of 1 << enum ipfi_state_id */
	struct ipfi_prefix src, dst, addr;
	struct ipfi_range sport, dport, port;
	u64 rule;
	u32 iif, oif, device, mark;
	u64 id, master;
	u8 helper;
	u8 vrf; /* a number of vrf.h, 0 for states in none */
	u32 nat; /* mask of IPFI_STATE_F_*_NAT, 0 for states without */
};

/*
 * Reads the filter out of the message @nlh, whose attributes @attrs the core has checked by
 * ipfi_filter_message_policy; a message without one matches every state. -EINVAL with @extack set.
 */
int ipfi_filter_parse(struct ipfi_net *in, const struct nlmsghdr *nlh, struct nlattr *attrs[],
		      struct ipfi_filter *filter, struct netlink_ext_ack *extack);

/* Is @state, which is locked, one of them? */
bool ipfi_filter_matches(const struct ipfi_filter *filter, struct ipfi_state *state);

#endif /* IPFI_GENL_FILTER_H */
