/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_set: the values that a field may have, as ranges of numbers in order, none of which meets or
 * touches the next.
 */
#ifndef IPFI_SHELL_LINT_SET_H
#define IPFI_SHELL_LINT_SET_H

#include "module/core/rule.h"
#include "shell/lint/arena.h"

struct lint_set {
	u32 from, to; /* of all of it; not to be read of an empty one */
	u32 count;    /* of ranges, 0 for an empty set */
	u32 room;     /* of the ranges that this set may write to, 0 where they are another's */
	struct ipfi_range *at;
};

/* The set of one range. */
void lint_set_range(struct lint_arena *arena, struct lint_set *set, u32 from, u32 to);

/* The set of any ranges, in any order, which may meet; @ranges is put in order. */
void lint_set_ranges(struct lint_arena *arena, struct lint_set *set, struct ipfi_range *ranges,
		     u32 count);

/* What @a and @b have both. @set may be neither of them. */
void lint_set_meet(struct lint_arena *arena, struct lint_set *set, const struct lint_set *a,
		   const struct lint_set *b);

/* Takes @other's values out of @set. */
void lint_set_cut(struct lint_arena *arena, struct lint_set *set, const struct lint_set *other);

/* Have they a value in common? */
bool lint_set_meets(const struct lint_set *a, const struct lint_set *b);

/* Has @b all values of @a? */
bool lint_set_within(const struct lint_set *a, const struct lint_set *b);

bool lint_set_has(const struct lint_set *set, u32 value);

bool lint_set_equal(const struct lint_set *a, const struct lint_set *b);

#endif
