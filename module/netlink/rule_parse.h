/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule as it comes in a message. */
#ifndef IPFI_GENL_RULE_PARSE_H
#define IPFI_GENL_RULE_PARSE_H

#include <net/genetlink.h>
#include "module/core/rule.h"
#include "module/ruleset/ruleset.h"

/*
 * The most bytes that the attributes of a rule may have together: what the kernel adds for a dump
 * must fit into the same nest, whose length is a u16.
 */
#define IPFI_RULE_MESSAGE_MAX \
	ALIGN_DOWN(U16_MAX - NLA_HDRLEN - 3 * nla_total_size_64bit(sizeof(u64)), NLA_ALIGNTO)

/*
 * Parses RULE_ADD into *rule, which has no id yet, and a new *store that its pointers point into
 * and that is freed with kvfree(); the dynamic sets it asks are those that @rs declares. 0, -ENOMEM, or another -errno (mostly -EINVAL, -ERANGE) with the
 * extack set. Sleeps.
 */
int ipfi_rule_parse(const struct genl_info *info, struct ipfi_ruleset *rs, struct ipfi_rule *rule,
		    struct ipfi_rule_store **store);

#endif /* IPFI_GENL_RULE_PARSE_H */
