/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule search: which rule of a list decides a packet. */
#ifndef IPFI_CORE_CLASSIFY_H
#define IPFI_CORE_CLASSIFY_H

#include "module/core/rule.h"

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
				      const struct ipfi_match_env *env);

/*
 * What was asked of the rules of a list, for who wants to be told: @field has for each rule that was asked, in the
 * list's order, the enum ipfi_field that differs first, or IPFI_STEP_MATCHES. Room for all of the list is the
 * caller's.
 */
struct ipfi_steps {
	u8 list; /* enum ipfi_list */
	u32 count;
	u8 *field;
};

#define IPFI_STEP_MATCHES 0xff

/* As ipfi_classify(), and fills in *steps. */
const struct ipfi_rule *ipfi_classify_trace(const struct ipfi_classifier *c, const struct ipfi_packet *packet,
					   const struct ipfi_match_env *env, struct ipfi_steps *steps);

#endif /* IPFI_CORE_CLASSIFY_H */
