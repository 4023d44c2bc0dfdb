// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rule search. It keeps for each list the rules that stand in it, in order, and asks them one
 * after the other. A rule that stands in several lists has a pointer in each.
 */
#include "module/core/classify.h"

size_t ipfi_classifier_room(const struct ipfi_rule *rules, u32 count)
{
	size_t room = 0;
	unsigned int list;
	u32 i;

	for (i = 0; i < count; i++)
		for (list = 0; list < __IPFI_LIST_END; list++)
			room += rules[i].lists >> list & 1;
	return room;
}

void ipfi_classifier_build(struct ipfi_classifier *c, const struct ipfi_rule *rules, u32 count,
			   const struct ipfi_rule **order)
{
	unsigned int list;
	u32 i;

	for (list = 0; list < __IPFI_LIST_END; list++) {
		c->list[list] = order;
		for (i = 0; i < count; i++)
			if (rules[i].lists >> list & 1)
				*order++ = &rules[i];
		c->count[list] = (u32)(order - c->list[list]);
	}
}

const struct ipfi_rule *ipfi_classify(const struct ipfi_classifier *c,
				      const struct ipfi_packet *packet,
				      const struct ipfi_match_env *env)
{
	const struct ipfi_rule **rules = c->list[packet->list];
	const u32 count = c->count[packet->list];
	u32 i;

	for (i = 0; i < count; i++)
		if (ipfi_rule_differs(rules[i], packet, env) < 0)
			return rules[i];
	return NULL;
}

const struct ipfi_rule *ipfi_classify_trace(const struct ipfi_classifier *c,
					   const struct ipfi_packet *packet,
					   const struct ipfi_match_env *env,
					   struct ipfi_steps *steps)
{
	const struct ipfi_rule **rules = c->list[packet->list];
	int field;
	u32 i;

	steps->list = packet->list;
	steps->count = 0;
	for (i = 0; i < c->count[packet->list]; i++) {
		field = ipfi_rule_differs(rules[i], packet, env);
		steps->field[steps->count++] = field < 0 ? IPFI_STEP_MATCHES : (u8)field;
		if (field < 0)
			return rules[i];
	}
	return NULL;
}
