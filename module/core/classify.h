/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule search: which rule of a list decides a packet. */
#ifndef IPFI_CORE_CLASSIFY_H
#define IPFI_CORE_CLASSIFY_H

#include "rule.h"

/*
 * A compiled rule set. The rules are the caller's; @order has room for a list's pointers, in three parts.
 * Everything here is read-only while packets are judged.
 */
struct ipfi_classifier {
	const struct ipfi_rule **list[__IPFI_LIST_END];
	u32 count[__IPFI_LIST_END];
	u8 standard[__IPFI_LIST_FILTER_END]; /* enum ipfi_verdict when no rule matches */
};

/* Room that ipfi_classifier_build() needs for @count rules: so many pointers. */
size_t ipfi_classifier_room(const struct ipfi_rule *rules, u32 count);

/* Compiles @rules (in order) into @c, using @room pointers at @order. c->standard is left alone. */
void ipfi_classifier_build(struct ipfi_classifier *c, const struct ipfi_rule *rules, u32 count,
			   const struct ipfi_rule **order);

/* The first rule of packet->list that matches, or NULL for the list's default. */
const struct ipfi_rule *ipfi_classify(const struct ipfi_classifier *c, const struct ipfi_packet *packet,
				      const struct ipfi_surroundings *around);

#endif /* IPFI_CORE_CLASSIFY_H */
