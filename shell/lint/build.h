/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_build: what the makers of scenes share. See lint_scene.h. */
#ifndef IPFI_SHELL_LINT_BUILD_H
#define IPFI_SHELL_LINT_BUILD_H

#include "shell/lint/space.h"

/* What a live connection does not remember, or is not asked twice (core/decide.c). */
#define LINT_UNKNOWN_FIELDS                                                    \
	(IPFI_FIELD_BIT(IPFI_FIELD_LENGTH) | IPFI_FIELD_BIT(IPFI_FIELD_DSCP) | \
	 IPFI_FIELD_BIT(IPFI_FIELD_LIMIT) | IPFI_FIELD_BIT(IPFI_FIELD_PER_SOURCE) | \
	 IPFI_FIELD_BIT(IPFI_FIELD_IPSEC))

struct lint_builder {
	struct lint_arena *arena;
	struct lint_world *world;
	u8 icmp_kind[2][256]; /* enum ipfi_icmp_kind of each type, ICMP and ICMPv6 */
};

/* Ranges that a set is made of, before they are in order. */
struct lint_collection {
	struct ipfi_range *at;
	u32 count;
};

static inline void lint_collect(struct lint_collection *c, u32 from, u32 to)
{
	if (c->count && c->at[c->count - 1].to + 1 == from && from)
		c->at[c->count - 1].to = to;
	else
		c->at[c->count++] = (struct ipfi_range){ from, to };
}

static inline struct lint_collection lint_collection(struct lint_builder *b, u32 most)
{
	return (struct lint_collection){ lint_alloc(b->arena, most * sizeof(struct ipfi_range)),
					 0 };
}

static inline void lint_finish(struct lint_builder *b, struct lint_set *set,
			       struct lint_collection *c)
{
	lint_set_ranges(b->arena, set, c->at, c->count);
}

/* Have the scene's packets ports? */
static inline bool lint_has_ports(const struct lint_scene *scene)
{
	return scene->kind <= LINT_PORTS;
}

static inline bool lint_is_icmp(const struct lint_scene *scene)
{
	return scene->kind == LINT_MESSAGE || scene->kind == LINT_ERROR;
}

/* Fills b->icmp_kind; before all else. */
void lint_learn_icmp(struct lint_builder *b);

/* Fills scene->base: the values that packets of the scene have. */
void lint_set_bases(struct lint_builder *b, struct lint_scene *scene);

/* Where the boxes of a rule go. */
struct lint_sink {
	struct lint_scene *scene;
	u32 room;
	struct lint_box *box; /* a box that all others are made from */
};

/* The boxes go to @scene, whose columns are known. */
struct lint_sink lint_open_sink(struct lint_builder *b, struct lint_scene *scene);

/* Adds the boxes of @rule to the scene, where of its fields only @fields are asked. */
void lint_put_rule(struct lint_builder *b, struct lint_sink *sink, const struct ipfi_rule *rule,
		   u32 fields);

#endif
