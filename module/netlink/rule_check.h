/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the attributes of a rule say of each other. */
#ifndef IPFI_NETLINK_RULE_CHECK_H
#define IPFI_NETLINK_RULE_CHECK_H

#include <net/netlink.h>
#include "module/core/rule.h"

/* Do the parsed attributes @tb of *rule go together? 0, or -EINVAL with @extack set. */
int ipfi_rule_check(struct nlattr *tb[], const struct ipfi_rule *rule, struct netlink_ext_ack *extack);

#endif /* IPFI_NETLINK_RULE_CHECK_H */
