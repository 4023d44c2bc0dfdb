// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_shadow: rules whose packets others take before them. See lint_findings.h. */
#include "shell/lint/work.h"

/* Where more rules than these take a rule's packets together, no shorter list is looked for. */
#define SHORTEN_MOST 24

/* Does one of @boxes have all of @box? The first that does is noted. */
static bool has_whole(struct lint_work *w, const struct lint_box *box,
		      const struct lint_boxes *boxes)
{
	u32 border;

	for (u32 i = 0; i < boxes->count; i++) {
		const struct lint_box *other = lint_scene_box(w->proof.scene, boxes->at[i]);

		if (lint_box_relate(box, other, &border) == 0) {
			w->used[other->rule] = w->proof.turn;
			return true;
		}
	}
	return false;
}

/* Keeps part of what is left of @rule in the scene. */
static void keep_left(struct lint_work *w, u32 rule)
{
	struct lint_proof keeper = { .arena = w->inquiry->arena, .scene = w->proof.scene };
	struct lint_box *left = lint_box_copy(&keeper, w->proof.left);

	/* The sets lie in the memory of the proof. */
	for (u32 i = 0; i < keeper.scene->columns; i++) {
		struct lint_set *set = &left->in[i];
		struct ipfi_range *at = lint_alloc(keeper.arena, set->count * sizeof(*at));

		set->at = memcpy(at, set->at, set->count * sizeof(*at));
	}
	w->left[rule] = left;
	w->left_in[rule] = keeper.scene;
}

/* Do the rules before @rule take all of its boxes in the scene? */
static enum lint_answer shadow_in_scene(struct lint_work *w, u32 rule)
{
	const struct lint_scene *scene = w->proof.scene;
	enum lint_answer answer = LINT_COVERED;

	for (u32 i = scene->first[rule]; i < scene->first[rule + 1] && answer == LINT_COVERED;
	     i++) {
		struct lint_mark mark = lint_mark(w->proof.arena);
		struct lint_box *box = lint_scene_box(scene, i);
		struct lint_boxes before = lint_gather(w, box, 0, scene->first[rule], true);

		if (!has_whole(w, box, &before))
			answer = lint_prove(&w->proof, lint_box_copy(&w->proof, box), &before);
		if (answer == LINT_LEFT)
			keep_left(w, rule);
		lint_release(w->proof.arena, mark);
	}
	return answer;
}

static void find_fate(struct lint_work *w, u32 rule)
{
	u8 *fate = &w->inquiry->fates[rule];

	w->proof.used = w->used;
	switch (lint_begin_rule(w) ? shadow_in_scene(w, rule) : LINT_UNKNOWN) {
	case LINT_COVERED:
		*fate = LINT_FATE_SHADOWED;
		lint_list_used(w, &w->takers[rule]);
		break;
	case LINT_LEFT:
		*fate = LINT_FATE_MET;
		break;
	case LINT_UNKNOWN:
		*fate = LINT_FATE_UNKNOWN;
	}
}

static void find_fates(struct lint_work *w)
{
	for (u32 s = 0; s < w->world->scene_count && !w->proof.stopped; s++) {
		const struct lint_scene *scene = &w->world->scenes[s];

		w->proof.scene = scene;
		for (u32 i = 0; i < w->world->rules.count && !w->proof.stopped; i++) {
			u8 fate = w->inquiry->fates[i];

			if (scene->first[i] != scene->first[i + 1] && !w->world->vague[i] &&
			    fate != LINT_FATE_MET && fate != LINT_FATE_UNKNOWN)
				find_fate(w, i);
		}
	}
}

/* The boxes of the rules of @list that match for sure, all of them in the scene. */
static struct lint_boxes boxes_of(struct lint_work *w, const struct lint_list *list)
{
	const struct lint_scene *scene = w->proof.scene;
	struct lint_boxes boxes = { NULL, 0 };
	u32 room = 0;

	for (u32 i = 0; i < list->count; i++)
		room += scene->first[list->at[i] + 1] - scene->first[list->at[i]];
	boxes.at = lint_alloc(w->proof.arena, room * sizeof(*boxes.at));
	for (u32 i = 0; i < list->count; i++)
		for (u32 j = scene->first[list->at[i]]; j < scene->first[list->at[i] + 1]; j++)
			if (lint_scene_box(scene, j)->sure)
				boxes.at[boxes.count++] = j;
	return boxes;
}

/* Do the rules of @list alone take all of @rule's packets? */
static bool take_all(struct lint_work *w, u32 rule, const struct lint_list *list)
{
	bool all = true;

	w->proof.used = NULL;
	for (u32 s = 0; s < w->world->scene_count && all; s++) {
		const struct lint_scene *scene = &w->world->scenes[s];

		w->proof.scene = scene;
		for (u32 i = scene->first[rule]; i < scene->first[rule + 1] && all; i++) {
			struct lint_mark mark = lint_mark(w->proof.arena);
			struct lint_box *box = lint_box_copy(&w->proof, lint_scene_box(scene, i));
			struct lint_boxes boxes = boxes_of(w, list);

			all = lint_prove(&w->proof, box, &boxes) == LINT_COVERED;
			lint_release(w->proof.arena, mark);
		}
	}
	return all;
}

/* Is there one among @takers that takes all of @rule's packets? The first is left alone there. */
static bool find_one(struct lint_work *w, u32 rule, struct lint_list *takers)
{
	for (u32 i = 0; i < takers->count; i++) {
		struct lint_list one = { &takers->at[i], 1, 1 };

		if (take_all(w, rule, &one)) {
			takers->at[0] = takers->at[i];
			takers->count = 1;
			return true;
		}
	}
	return false;
}

/* Leaves of the rules that take @rule's packets one that takes all, or as few as are needed. */
static void shorten(struct lint_work *w, u32 rule)
{
	struct lint_list *takers = &w->takers[rule];

	if (takers->count == 1 || takers->count > SHORTEN_MOST)
		return;
	if (!lint_begin_rule(w) || find_one(w, rule, takers))
		return;
	for (u32 i = takers->count; i--;) {
		u32 without = takers->at[i];
		u32 behind = takers->count - i - 1;

		memmove(&takers->at[i], &takers->at[i + 1], behind * sizeof(*takers->at));
		takers->count--;
		if (take_all(w, rule, takers))
			continue;
		memmove(&takers->at[i + 1], &takers->at[i], behind * sizeof(*takers->at));
		takers->at[i] = without;
		takers->count++;
	}
}

void lint_find_shadowed(struct lint_work *w)
{
	find_fates(w);
	for (u32 i = 0; i < w->world->rules.count && !w->proof.stopped; i++) {
		u8 fate = w->inquiry->fates[i];

		w->removed[i] = fate == LINT_FATE_SHADOWED || fate == LINT_FATE_NONE;
		if (fate == LINT_FATE_SHADOWED)
			shorten(w, i);
	}
}
