/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules made by hand for the unit tests, and the surroundings that they ask. */
#ifndef IPFI_TESTS_WORLD_H
#define IPFI_TESTS_WORLD_H

#include "module/core/rule.h"
#include "support.h"

#define BIT(field) IPFI_FIELD_BIT(IPFI_FIELD_##field)
#define MATCH (-1)

/* { from, to }, ... as a struct ipfi_ranges; lives as long as the block it stands in. */
#define RANGES(...)                                                           \
	{                                                                     \
		.at = (const struct ipfi_range[]){ __VA_ARGS__ },             \
		.count = sizeof((const struct ipfi_range[]){ __VA_ARGS__ }) / \
			 sizeof(struct ipfi_range)                            \
	}

/* A dynamic set of one address. */
struct one_set {
	struct ipfi_addr member;
	u8 family;
};

/* What the rules ask of their surroundings, and how often they did. */
static struct world {
	struct ipfi_addr me;
	u8 me_family;
	bool within_limit;
	u32 states;
	unsigned int asked_me, asked_limit, asked_states, asked_sets;
} world;

static bool is_me(void *context, u8 family, const struct ipfi_addr *addr)
{
	struct world *w = context;

	w->asked_me++;
	return family == w->me_family && ipfi_addr_equal(addr, &w->me);
}

static bool take_limit(void *context, const struct ipfi_rule *rule)
{
	struct world *w = context;

	assert_non_null(rule);
	w->asked_limit++;
	return w->within_limit;
}

static u32 source_states(void *context, const struct ipfi_rule *rule, const struct ipfi_tuple *tuple)
{
	struct world *w = context;
	struct ipfi_addr one = host(tuple->family, 1);

	assert_non_null(rule);
	assert_true(ipfi_addr_equal(&tuple->src, &one));
	w->asked_states++;
	return w->states;
}

static bool in_set(void *context, const void *set, u8 family, const struct ipfi_addr *addr)
{
	const struct one_set *one = set;
	struct world *w = context;

	w->asked_sets++;
	return family == one->family && ipfi_addr_equal(addr, &one->member);
}

static const struct ipfi_match_env around = {
	.is_me = is_me,
	.take_limit = take_limit,
	.source_states = source_states,
	.in_set = in_set,
	.context = &world,
};

static inline int setup(void **state)
{
	(void)state;
	world = (struct world){ .within_limit = true };
	return 0;
}

static inline struct ipfi_rule new_rule(u32 fields)
{
	return (struct ipfi_rule){
		.name = "test",
		.lists = IPFI_LISTS_FILTER,
		.verdict = IPFI_VERDICT_ALLOW,
		.fields = fields,
	};
}

/* The same with all fields of @rule turned round that can be. */
static inline struct ipfi_rule negated(const struct ipfi_rule *rule)
{
	struct ipfi_rule other = *rule;

	other.negated = other.fields & IPFI_FIELDS_NEGATABLE;
	return other;
}

static inline int differs(const struct ipfi_rule *rule, const struct ipfi_packet *packet)
{
	return ipfi_rule_differs(rule, packet, &around);
}

#endif /* IPFI_TESTS_WORLD_H */
