// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_proof: what is left of a box. See lint_proof.h. */
#include "shell/lint/sample.h"
#include "shell/lint/proof.h"

/* Points that are tried before a cut. */
#define TRIES 4

/* Steps between two looks at whether the answer is still wanted. */
#define STOP_MASK 0xffff

/* A border is a column, or from here on a bit of the facts. */
#define FACTS __LINT_FIELDS

struct lint_box *lint_box_copy(struct lint_proof *proof, const struct lint_box *box)
{
	struct lint_box *copy = lint_alloc(proof->arena, proof->scene->stride);

	memcpy(copy, box, proof->scene->stride);
	for (u32 i = 0; i < proof->scene->columns; i++)
		copy->in[i].room = 0;
	return copy;
}

/* Facts of which @b speaks and @a does not yet; false when they contradict each other. */
static bool open_facts(const struct lint_box *a, const struct lint_box *b,
		       u64 open[LINT_FACT_WORDS])
{
	for (int i = 0; i < LINT_FACT_WORDS; i++) {
		if ((a->facts.value[i] ^ b->facts.value[i]) & a->facts.mask[i] & b->facts.mask[i])
			return false;
		open[i] = b->facts.mask[i] & ~a->facts.mask[i];
	}
	return true;
}

int lint_box_relate(const struct lint_box *a, const struct lint_box *b, u32 *border)
{
	u64 open[LINT_FACT_WORDS];
	int count = 0;

	for (u32 narrow = b->narrow; narrow; narrow &= narrow - 1) {
		u32 column = (u32)__builtin_ctz(narrow);

		if (!lint_set_meets(&a->in[column], &b->in[column]))
			return -1;
		if (!lint_set_within(&a->in[column], &b->in[column])) {
			*border = column;
			count++;
		}
	}
	if (!open_facts(a, b, open))
		return -1;
	for (u32 i = 0; i < LINT_FACT_WORDS; i++) {
		if (!open[i])
			continue;
		*border = FACTS + 64 * i + (u32)__builtin_ctzll(open[i]);
		count += __builtin_popcountll(open[i]);
	}
	return count;
}

u32 lint_box_borders(const struct lint_box *a, const struct lint_box *b,
		     u32 borders[LINT_BORDERS_MOST])
{
	u64 open[LINT_FACT_WORDS];
	u32 count = 0;

	for (u32 narrow = b->narrow; narrow; narrow &= narrow - 1) {
		u32 column = (u32)__builtin_ctz(narrow);

		if (!lint_set_within(&a->in[column], &b->in[column]))
			borders[count++] = column;
	}
	open_facts(a, b, open);
	for (u32 i = 0; i < LINT_FACT_WORDS; i++)
		for (; open[i]; open[i] &= open[i] - 1)
			borders[count++] = FACTS + 64 * i + (u32)__builtin_ctzll(open[i]);
	return count;
}

static void fix_fact(struct lint_box *a, const struct lint_box *b, u32 border, bool same)
{
	u32 word = (border - FACTS) / 64;
	u64 bit = 1ULL << (border - FACTS) % 64;

	a->facts.mask[word] |= bit;
	if (((b->facts.value[word] & bit) != 0) == same)
		a->facts.value[word] |= bit;
	else
		a->facts.value[word] &= ~bit;
}

void lint_box_cut(struct lint_proof *proof, struct lint_box *a, const struct lint_box *b,
		  u32 border)
{
	if (border >= FACTS)
		fix_fact(a, b, border, false);
	else
		lint_set_cut(proof->arena, &a->in[border], &b->in[border]);
}

void lint_box_keep(struct lint_proof *proof, struct lint_box *a, const struct lint_box *b,
		   u32 border)
{
	struct lint_set old;

	if (border >= FACTS) {
		fix_fact(a, b, border, true);
		return;
	}
	old = a->in[border];
	lint_set_meet(proof->arena, &a->in[border], &old, &b->in[border]);
}

bool lint_may_go_on(struct lint_proof *proof)
{
	if (++proof->steps > proof->most)
		return false;
	if ((proof->steps & STOP_MASK) == 0 && proof->stop && proof->stop())
		proof->stopped = true;
	return !proof->stopped;
}

static void use(struct lint_proof *proof, const struct lint_box *box)
{
	if (proof->used)
		proof->used[box->rule] = proof->turn;
}

/*
 * Takes out what can be taken out without a choice, and forgets those that lie elsewhere. *best is
 * the one with the fewest borders of those that are left.
 */
static enum lint_answer reduce(struct lint_proof *proof, struct lint_box *box,
			       struct lint_boxes *others, const struct lint_box **best)
{
	int fewest = 0;
	bool again = true;

	while (again) {
		u32 kept = 0;

		again = false;
		*best = NULL;
		for (u32 i = 0; i < others->count; i++) {
			const struct lint_box *other = lint_scene_box(proof->scene, others->at[i]);
			int borders;
			u32 border;

			if (!lint_may_go_on(proof))
				return LINT_UNKNOWN;
			borders = lint_box_relate(box, other, &border);
			if (borders < 0)
				continue;
			if (borders == 0) {
				use(proof, other);
				return LINT_COVERED;
			}
			if (borders == 1) {
				use(proof, other);
				lint_box_cut(proof, box, other, border);
				again = true;
				continue;
			}
			others->at[kept++] = others->at[i];
			if (!*best || borders < fewest) {
				*best = other;
				fewest = borders;
			}
		}
		others->count = kept;
	}
	return LINT_LEFT;
}

static struct lint_boxes copy_boxes(struct lint_proof *proof, const struct lint_boxes *boxes)
{
	struct lint_boxes copy = { lint_alloc(proof->arena, boxes->count * sizeof(*copy.at)),
				   boxes->count };

	memcpy(copy.at, boxes->at, boxes->count * sizeof(*copy.at));
	return copy;
}

/* A point of the scene. */
struct point {
	u32 value[__LINT_FIELDS]; /* by column */
	u64 facts[LINT_FACT_WORDS];
};

/* George Marsaglia's xorshift (Journal of Statistical Software 8(14), 2003); the same in every run.
 */
static u64 next_random(struct lint_proof *proof)
{
	u64 x = proof->random ? proof->random : 0x9e3779b97f4a7c15;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	proof->random = x;
	return x;
}

/*
 * One of the set's values: each range is as likely as the others. A field that packets of the scene
 * do not have, like the flags of UDP, has none, and nobody asks for it.
 */
static u32 any_value(struct lint_proof *proof, const struct lint_set *set)
{
	u64 random = next_random(proof);
	const struct ipfi_range *range;

	if (!set->count)
		return set->from;
	range = &set->at[(u32)random % set->count];
	return range->from + (u32)((random >> 32) % ((u64)range->to - range->from + 1));
}

static u32 liked_value(struct lint_proof *proof, const struct lint_box *box, u32 column)
{
	return lint_pick(proof->world, proof->scene, proof->scene->field[column], &box->in[column]);
}

static bool has_point(const struct lint_box *box, const struct point *point)
{
	for (u32 narrow = box->narrow; narrow; narrow &= narrow - 1) {
		u32 column = (u32)__builtin_ctz(narrow);

		if (!lint_set_has(&box->in[column], point->value[column]))
			return false;
	}
	for (int i = 0; i < LINT_FACT_WORDS; i++)
		if ((box->facts.value[i] ^ point->facts[i]) & box->facts.mask[i])
			return false;
	return true;
}

static bool is_left(struct lint_proof *proof, const struct point *point,
		    const struct lint_boxes *others)
{
	proof->steps += others->count;
	for (u32 i = 0; i < others->count; i++)
		if (has_point(lint_scene_box(proof->scene, others->at[i]), point))
			return false;
	return true;
}

/* Makes the point, which nobody takes, more like an ordinary packet where that does not change. */
static void please(struct lint_proof *proof, const struct lint_box *box,
		   const struct lint_boxes *others, struct point *point)
{
	for (u32 i = 0; i < proof->scene->columns; i++) {
		u32 value = point->value[i];

		point->value[i] = liked_value(proof, box, i);
		if (point->value[i] != value && !is_left(proof, point, others))
			point->value[i] = value;
	}
}

static void keep_point(struct lint_proof *proof, const struct lint_box *box,
		       const struct point *point)
{
	proof->left = lint_box_copy(proof, box);
	for (u32 i = 0; i < proof->scene->columns; i++)
		lint_set_range(proof->arena, &proof->left->in[i], point->value[i], point->value[i]);
	for (int i = 0; i < LINT_FACT_WORDS; i++) {
		proof->left->facts.mask[i] = ~0ULL;
		proof->left->facts.value[i] = point->facts[i];
	}
}

/* Tries an ordinary point of @box, and some others. */
static bool find_point(struct lint_proof *proof, const struct lint_box *box,
		       const struct lint_boxes *others)
{
	struct point point;

	for (int try = 0; try < TRIES; try++) {
		for (u32 i = 0; i < proof->scene->columns; i++)
			point.value[i] =
				try ? any_value(proof, &box->in[i]) : liked_value(proof, box, i);
		for (int i = 0; i < LINT_FACT_WORDS; i++) {
			u64 liked = i == 0 ? lint_pick_facts(proof->scene) : 0;

			point.facts[i] =
				box->facts.value[i] |
				((try > 1 ? next_random(proof) : liked) & ~box->facts.mask[i]);
		}
		if (!is_left(proof, &point, others))
			continue;
		if (try)
			please(proof, box, others, &point);
		keep_point(proof, box, &point);
		return true;
	}
	return false;
}

/* Asks each of the parts of @box that lie outside of @best, which has several borders. */
static enum lint_answer branch(struct lint_proof *proof, struct lint_box *box,
			       const struct lint_boxes *others, const struct lint_box *best)
{
	u32 borders[LINT_BORDERS_MOST];
	u32 count = lint_box_borders(box, best, borders);
	struct lint_mark mark;

	if (proof->depth == LINT_DEPTH_MOST)
		return LINT_UNKNOWN;
	use(proof, best);
	for (u32 i = 0; i < count; i++) {
		struct lint_boxes copy;
		enum lint_answer answer;
		struct lint_box *part;

		mark = lint_mark(proof->arena);
		part = lint_box_copy(proof, box);
		copy = copy_boxes(proof, others);
		lint_box_cut(proof, part, best, borders[i]);
		proof->depth++;
		answer = lint_prove(proof, part, &copy);
		proof->depth--;
		if (answer != LINT_COVERED)
			return answer;
		lint_release(proof->arena, mark);
		lint_box_keep(proof, box, best, borders[i]);
	}
	return LINT_COVERED;
}

enum lint_answer lint_prove(struct lint_proof *proof, struct lint_box *box,
			    struct lint_boxes *others)
{
	const struct lint_box *best;
	enum lint_answer answer = reduce(proof, box, others, &best);

	if (answer != LINT_LEFT)
		return answer;
	if (best && !find_point(proof, box, others))
		return branch(proof, box, others, best);
	if (!best)
		proof->left = box;
	return LINT_LEFT;
}
