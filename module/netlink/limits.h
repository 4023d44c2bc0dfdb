/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits as they come in a message. */
#ifndef IPFI_NETLINK_LIMITS_H
#define IPFI_NETLINK_LIMITS_H

#include <net/netlink.h>
#include "module/core/flow.h"
#include "module/net.h"

/* The policy of a nest of limits. */
extern const struct nla_policy ipfi_limits_policy[IPFI_LIMIT_MAX + 1];

/*
 * Reads a nest of limits whose policy has been checked: values of those present go to *limits, and *set says which (mask
 * of 1 << enum ipfi_limit). -EINVAL, or -ERANGE for what @in may not have, with @extack set.
 */
int ipfi_limits_parse(const struct ipfi_net *in, const struct nlattr *nest, struct ipfi_limits *limits, u32 *set,
		      struct netlink_ext_ack *extack);

#endif /* IPFI_NETLINK_LIMITS_H */
