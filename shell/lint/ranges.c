// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_set: sets of numbers. See lint_set.h. */
#include <stdlib.h>

#include "shell/lint/ranges.h"

/* Brings from and to up to date. */
static void settle(struct lint_set *set)
{
	if (!set->count)
		return;
	set->from = set->at[0].from;
	set->to = set->at[set->count - 1].to;
}

void lint_set_range(struct lint_arena *arena, struct lint_set *set, u32 from, u32 to)
{
	set->at = lint_alloc(arena, sizeof(*set->at));
	set->at[0] = (struct ipfi_range){ from, to };
	set->count = 1;
	set->room = 1;
	settle(set);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct ipfi_range *one = a, *other = b;

	return (one->from > other->from) - (one->from < other->from);
}

void lint_set_ranges(struct lint_arena *arena, struct lint_set *set, struct ipfi_range *ranges,
		     u32 count)
{
	struct ipfi_range *last = NULL;

	qsort(ranges, count, sizeof(*ranges), compare_ranges);
	set->at = lint_alloc(arena, count * sizeof(*ranges));
	set->room = count;
	set->count = 0;
	for (u32 i = 0; i < count; i++) {
		if (last && (last->to == UINT32_MAX || ranges[i].from <= last->to + 1)) {
			if (ranges[i].to > last->to)
				last->to = ranges[i].to;
			continue;
		}
		last = &set->at[set->count++];
		*last = ranges[i];
	}
	settle(set);
}

/* The first range of @set that ends at @value or behind it; set->count for none. */
static u32 find(const struct lint_set *set, u32 value)
{
	u32 low = 0, high = set->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (set->at[middle].to < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void lint_set_meet(struct lint_arena *arena, struct lint_set *set, const struct lint_set *a,
		   const struct lint_set *b)
{
	u32 i, j;

	set->count = 0;
	/* Each range of the result ends where one of the two does. */
	set->room = a->count + b->count;
	set->at = lint_alloc(arena, set->room * sizeof(*set->at));
	if (!a->count || !b->count)
		return;
	i = find(a, b->from);
	j = find(b, a->from);
	while (i < a->count && j < b->count) {
		u32 from = a->at[i].from > b->at[j].from ? a->at[i].from : b->at[j].from;
		u32 to = a->at[i].to < b->at[j].to ? a->at[i].to : b->at[j].to;

		if (from <= to)
			set->at[set->count++] = (struct ipfi_range){ from, to };
		if (a->at[i].to < b->at[j].to)
			i++;
		else
			j++;
	}
	settle(set);
}

/* Makes room for one range more, in memory that is the set's own. */
static void grow(struct lint_arena *arena, struct lint_set *set)
{
	struct ipfi_range *at;

	if (set->count < set->room)
		return;
	set->room = set->count + set->count / 2 + 2;
	at = lint_alloc(arena, set->room * sizeof(*at));
	memcpy(at, set->at, set->count * sizeof(*at));
	set->at = at;
}

static void cut_range(struct lint_arena *arena, struct lint_set *set, struct ipfi_range range)
{
	u32 first = find(set, range.from), last = find(set, range.to);
	u32 behind = last, kept = 0;
	struct ipfi_range left[2];

	/* All from first up to behind are touched; of the outer two something may be left. */
	if (last < set->count && set->at[last].from <= range.to)
		behind = last + 1;
	if (first == behind)
		return;
	grow(arena, set);
	if (set->at[first].from < range.from)
		left[kept++] = (struct ipfi_range){ set->at[first].from, range.from - 1 };
	if (set->at[behind - 1].to > range.to)
		left[kept++] = (struct ipfi_range){ range.to + 1, set->at[behind - 1].to };
	memmove(&set->at[first + kept], &set->at[behind], (set->count - behind) * sizeof(*left));
	memcpy(&set->at[first], left, kept * sizeof(*left));
	set->count = set->count - (behind - first) + kept;
}

void lint_set_cut(struct lint_arena *arena, struct lint_set *set, const struct lint_set *other)
{
	for (u32 i = set->count ? find(other, set->from) : other->count;
	     i < other->count && other->at[i].from <= set->to; i++)
		cut_range(arena, set, other->at[i]);
	settle(set);
}

bool lint_set_meets(const struct lint_set *a, const struct lint_set *b)
{
	u32 i, j;

	if (!a->count || !b->count || a->from > b->to || b->from > a->to)
		return false;
	if (a->count == 1 && b->count == 1)
		return true;
	i = find(a, b->from);
	j = find(b, a->from);
	while (i < a->count && j < b->count) {
		if (a->at[i].to < b->at[j].from)
			i++;
		else if (b->at[j].to < a->at[i].from)
			j++;
		else
			return true;
	}
	return false;
}

bool lint_set_within(const struct lint_set *a, const struct lint_set *b)
{
	u32 j;

	if (!a->count)
		return true;
	if (!b->count || a->from < b->from || a->to > b->to)
		return false;
	if (b->count == 1)
		return true;
	j = find(b, a->from);
	for (u32 i = 0; i < a->count; i++) {
		while (j < b->count && b->at[j].to < a->at[i].to)
			j++;
		if (j == b->count || b->at[j].from > a->at[i].from)
			return false;
	}
	return true;
}

bool lint_set_has(const struct lint_set *set, u32 value)
{
	u32 i;

	if (!set->count || value < set->from || value > set->to)
		return false;
	i = find(set, value);
	return i < set->count && set->at[i].from <= value;
}

bool lint_set_equal(const struct lint_set *a, const struct lint_set *b)
{
	return a->count == b->count && !memcmp(a->at, b->at, a->count * sizeof(*a->at));
}
