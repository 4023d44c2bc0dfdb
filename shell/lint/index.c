// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_index: boxes by their addresses. See lint_index.h. */
#include <stdlib.h>

#include "shell/lint/index.h"

/* Boxes from which on an index pays, and the most buckets it has. */
#define BOXES_LEAST 256
#define BUCKETS_MOST 1024

static int compare_numbers(const void *a, const void *b)
{
	const u32 *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* The last of @count numbers, which are in order and begin with 0, that is not above @value. */
static u32 last_upto(const u32 *numbers, u32 count, u32 value)
{
	u32 low = 0, high = count;

	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (numbers[middle] <= value)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* How many of @count numbers, which are in order, are below @value. */
static u32 count_below(const u32 *numbers, u32 count, u32 value)
{
	u32 low = 0, high = count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (numbers[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_narrow(const struct lint_box *box, u32 column)
{
	return box->narrow >> column & 1;
}

/* Chooses the buckets so that about as many boxes begin in each. False when there are too few. */
static bool choose_buckets(struct lint_arena *arena, const struct lint_scene *scene,
			   struct lint_index *index)
{
	u32 *begins = lint_alloc(arena, scene->count * sizeof(*begins));
	u32 count = 0, last = 0;

	for (u32 i = 0; i < scene->count; i++) {
		const struct lint_box *box = lint_scene_box(scene, i);

		if (is_narrow(box, index->column))
			begins[count++] = box->in[index->column].from;
	}
	if (count < BOXES_LEAST)
		return false;
	qsort(begins, count, sizeof(*begins), compare_numbers);
	index->begin = lint_alloc(arena, BUCKETS_MOST * sizeof(*index->begin));
	index->begin[0] = 0;
	index->count = 1;
	for (u32 i = 1; i < BUCKETS_MOST; i++) {
		u32 value = begins[(u64)i * count / BUCKETS_MOST];

		if (value > last)
			index->begin[index->count++] = value;
		last = value;
	}
	return true;
}

/* The bucket of a box, or index->count for none. */
static u32 bucket_of(const struct lint_index *index, const struct lint_box *box)
{
	const struct lint_set *set = &box->in[index->column];
	u32 bucket;

	if (!is_narrow(box, index->column))
		return index->count;
	bucket = last_upto(index->begin, index->count, set->from);
	return bucket == last_upto(index->begin, index->count, set->to) ? bucket : index->count;
}

static void fill_buckets(struct lint_arena *arena, const struct lint_scene *scene,
			 struct lint_index *index)
{
	u32 *at = lint_zalloc(arena, index->count + 1, sizeof(*at));
	u32 sum = 0;

	index->first = lint_alloc(arena, (index->count + 1) * sizeof(*index->first));
	index->boxes = lint_alloc(arena, scene->count * sizeof(*index->boxes));
	for (u32 i = 0; i < scene->count; i++)
		at[bucket_of(index, lint_scene_box(scene, i))]++;
	index->wide = at[index->count];
	for (u32 i = 0; i <= index->count; i++) {
		index->first[i] = sum;
		sum += at[i];
		at[i] = index->first[i];
	}
	for (u32 i = 0; i < scene->count; i++)
		index->boxes[at[bucket_of(index, lint_scene_box(scene, i))]++] = i;
}

void lint_index_make(struct lint_arena *arena, struct lint_scene *scene)
{
	for (u32 i = 0; i < scene->columns; i++) {
		struct lint_index index = { .column = i };

		if (scene->field[i] != LINT_SRC && scene->field[i] != LINT_DST)
			continue;
		if (!choose_buckets(arena, scene, &index))
			continue;
		fill_buckets(arena, scene, &index);
		scene->index[scene->indexes] = lint_alloc(arena, sizeof(index));
		*scene->index[scene->indexes++] = index;
	}
}

/* The buckets that a box reaches into, and how many boxes are to be looked at then. */
static u32 reach(const struct lint_index *index, const struct lint_box *box, u32 *first, u32 *last)
{
	const struct lint_set *set = &box->in[index->column];

	*first = last_upto(index->begin, index->count, set->from);
	*last = last_upto(index->begin, index->count, set->to);
	return index->first[*last + 1] - index->first[*first] + index->wide;
}

/* Adds those of a list in order that are from @from up to @to. */
static u32 take(u32 *found, u32 count, const u32 *list, u32 length, u32 from, u32 to)
{
	for (u32 i = count_below(list, length, from); i < length && list[i] < to; i++)
		found[count++] = list[i];
	return count;
}

const u32 *lint_index_find(struct lint_arena *arena, const struct lint_scene *scene,
			   const struct lint_box *box, u32 from, u32 to, u32 *count)
{
	const struct lint_index *best = NULL;
	u32 first, last, fewest = (to - from) / 4, *found;

	*count = to - from;
	for (u32 i = 0; i < scene->indexes; i++) {
		u32 boxes = reach(scene->index[i], box, &first, &last);

		if (boxes < fewest) {
			best = scene->index[i];
			fewest = boxes;
		}
	}
	if (!best)
		return NULL;
	reach(best, box, &first, &last);
	found = lint_alloc(arena, fewest * sizeof(*found));
	*count = take(found, 0, best->boxes + best->first[best->count], best->wide, from, to);
	for (u32 i = first; i <= last; i++)
		*count = take(found, *count, best->boxes + best->first[i],
			      best->first[i + 1] - best->first[i], from, to);
	qsort(found, *count, sizeof(*found), compare_numbers);
	return found;
}
