// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_redundant: rules without which all packets fare the same. See lint_findings.h. */
#include "shell/lint/work.h"

#define BIT(field) IPFI_FIELD_BIT(IPFI_FIELD_##field)

/* What IPv6 needs to live: see core/packet.c, ipfi_packet_is_neighbour(). */
static bool meets_neighbours(struct lint_work *w, const struct lint_box *box)
{
	static const struct ipfi_range types[] = { { 130 << 8, 138 << 8 }, { 143 << 8, 144 << 8 } };
	const struct lint_scene *scene = w->proof.scene;
	struct ipfi_range ranges[2];
	struct lint_set set;

	if (!scene->neighbours)
		return false;
	for (u32 i = 0; i < scene->columns; i++) {
		if (scene->field[i] != LINT_ICMP)
			continue;
		memcpy(ranges, types, sizeof(ranges));
		lint_set_ranges(w->proof.arena, &set, ranges, 2);
		return lint_set_meets(&box->in[i], &set);
	}
	return true;
}

/* Does a rule that denies also deny what IPv6 needs to live? See core/decide.c. */
static bool speaks(const struct ipfi_rule *rule)
{
	const u32 of_no_packet = BIT(IIF) | BIT(OIF) | BIT(LIMIT) | BIT(PER_SOURCE);

	return rule->verdict != IPFI_VERDICT_ALLOW && rule->fields & ~of_no_packet;
}

/* Would what lies in @box fare the same by @other, NULL for the default, as by @rule? */
static bool same_effect(struct lint_work *w, u32 rule, const struct ipfi_rule *other,
			const struct lint_box *box)
{
	const u32 *effects = w->inquiry->effects;
	u32 effect = other ? effects[other->index] : w->inquiry->defaults[w->proof.scene->list];

	if (effects[rule] != effect)
		return false;
	return speaks(&w->world->rules.at[rule]) == (other && speaks(other)) ||
	       !meets_neighbours(w, box);
}

/* What @rule's removal is asked about in one scene. */
struct removal {
	u32 rule;
	bool telling;		  /* it is known to be redundant: note who takes its packets then */
	struct lint_boxes before; /* what takes packets before it */
	struct lint_boxes after;  /* what lies behind it, in order */
};

/* Is anything of @box, which is changed, decided by the rule at all? */
static enum lint_answer is_met(struct lint_work *w, const struct removal *r, struct lint_box *box)
{
	struct lint_boxes before = {
		lint_alloc(w->proof.arena, r->before.count * sizeof(*before.at)), r->before.count
	};

	memcpy(before.at, r->before.at, before.count * sizeof(*before.at));
	return lint_prove(&w->proof, box, &before);
}

static enum lint_answer differs(struct lint_work *w, const struct removal *r, struct lint_box *box,
				u32 from);

/* The parts of @box outside of @other, which would treat what is inside the same. */
static enum lint_answer differs_outside(struct lint_work *w, const struct removal *r,
					struct lint_box *box, const struct lint_box *other,
					u32 from)
{
	u32 borders[LINT_BORDERS_MOST];
	u32 count = lint_box_borders(box, other, borders);

	for (u32 i = 0; i < count; i++) {
		struct lint_mark mark = lint_mark(w->proof.arena);
		struct lint_box *part = lint_box_copy(&w->proof, box);
		enum lint_answer answer;

		lint_box_cut(&w->proof, part, other, borders[i]);
		answer = differs(w, r, part, from);
		if (answer != LINT_COVERED)
			return answer;
		lint_release(w->proof.arena, mark);
		lint_box_keep(&w->proof, box, other, borders[i]);
	}
	return LINT_COVERED;
}

/* Is what lies in both boxes decided by the rule? */
static enum lint_answer differs_inside(struct lint_work *w, const struct removal *r,
				       const struct lint_box *box, const struct lint_box *other)
{
	struct lint_mark mark = lint_mark(w->proof.arena);
	struct lint_box *part = lint_box_copy(&w->proof, box);
	u32 borders[LINT_BORDERS_MOST];
	u32 count = lint_box_borders(box, other, borders);
	enum lint_answer answer;

	for (u32 i = 0; i < count; i++)
		lint_box_keep(&w->proof, part, other, borders[i]);
	answer = is_met(w, r, part);
	lint_release(w->proof.arena, mark);
	return answer;
}

/*
 * Is there something in @box that the rule decides and that would fare differently without it, by
 * the rules from r->after[@from] on? LINT_LEFT when there is.
 */
static enum lint_answer differs(struct lint_work *w, const struct removal *r, struct lint_box *box,
				u32 from)
{
	const struct ipfi_rule *rules = w->world->rules.at;
	enum lint_answer answer;
	u32 border;

	if (w->proof.depth > LINT_DEPTH_MOST)
		return LINT_UNKNOWN;
	for (u32 i = from; i < r->after.count; i++) {
		const struct lint_box *other = lint_scene_box(w->proof.scene, r->after.at[i]);
		int borders;

		if (!lint_may_go_on(&w->proof))
			return LINT_UNKNOWN;
		borders = lint_box_relate(box, other, &border);
		if (borders < 0)
			continue;
		/* A rule with a limit would let less pass for others than it does now. */
		if (!other->sure || !same_effect(w, r->rule, &rules[other->rule], box)) {
			answer = differs_inside(w, r, box, other);
			if (answer != LINT_COVERED)
				return answer;
			continue;
		}
		if (r->telling && differs_inside(w, r, box, other) != LINT_COVERED)
			w->used[other->rule] = w->proof.turn;
		if (borders == 0)
			return LINT_COVERED;
		if (borders == 1) {
			lint_box_cut(&w->proof, box, other, border);
			continue;
		}
		w->proof.depth++;
		answer = differs_outside(w, r, box, other, i + 1);
		w->proof.depth--;
		return answer;
	}
	answer = is_met(w, r, lint_box_copy(&w->proof, box));
	if (!same_effect(w, r->rule, NULL, box))
		return answer;
	if (r->telling && answer != LINT_COVERED)
		w->by_default[r->rule] = true;
	return LINT_COVERED;
}

/* Like differs(), of all that the rule matches in the scene. */
static enum lint_answer differs_in_scene(struct lint_work *w, u32 rule, bool telling)
{
	const struct lint_scene *scene = w->proof.scene;
	enum lint_answer answer = LINT_COVERED;

	for (u32 i = scene->first[rule]; i < scene->first[rule + 1] && answer == LINT_COVERED;
	     i++) {
		struct lint_mark mark = lint_mark(w->proof.arena);
		struct lint_box *box = lint_scene_box(scene, i);
		struct removal r = {
			.rule = rule,
			.telling = telling,
			.before = lint_gather(w, box, 0, scene->first[rule], true),
			.after = lint_gather(w, box, scene->first[rule + 1], scene->count, false),
		};

		answer = differs(w, &r, lint_box_copy(&w->proof, box), 0);
		lint_release(w->proof.arena, mark);
	}
	return answer;
}

/*
 * A quick answer for most rules: at one point that the rule decides, is it needed? What is known
 * of it comes from the proof that it is met.
 */
static bool is_needed_at_left(struct lint_work *w, u32 rule)
{
	const struct lint_scene *scene = w->left_in[rule];
	struct lint_mark mark = lint_mark(w->proof.arena);
	struct lint_boxes after;
	struct lint_box *point;
	bool same;

	w->proof.scene = scene;
	point = lint_point(&w->proof, w->left[rule]);
	after = lint_gather(w, point, scene->first[rule + 1], scene->count, false);
	if (after.count) {
		const struct lint_box *next = lint_scene_box(scene, after.at[0]);

		same = next->sure && same_effect(w, rule, &w->world->rules.at[next->rule], point);
	} else {
		same = same_effect(w, rule, NULL, point);
	}
	lint_release(w->proof.arena, mark);
	return !same;
}

static enum lint_answer differs_anywhere(struct lint_work *w, u32 rule, bool telling)
{
	enum lint_answer answer = LINT_COVERED;

	if (!lint_begin_rule(w))
		return LINT_UNKNOWN;
	for (u32 s = 0; s < w->world->scene_count && answer == LINT_COVERED; s++) {
		w->proof.scene = &w->world->scenes[s];
		answer = differs_in_scene(w, rule, telling);
	}
	return answer;
}

void lint_find_redundant(struct lint_work *w)
{
	/* What is not known of one rule is not known of what is left to it by others. */
	if (w->world->any_vague)
		return;
	w->proof.used = NULL;
	for (u32 i = w->world->rules.count; i-- && !w->proof.stopped;) {
		if (w->inquiry->fates[i] != LINT_FATE_MET || is_needed_at_left(w, i) ||
		    differs_anywhere(w, i, false) != LINT_COVERED)
			continue;
		w->removed[i] = 1;
		/* From scenes where it is shadowed, though not in all. */
		w->takers[i].count = 0;
		if (differs_anywhere(w, i, true) == LINT_COVERED)
			lint_list_used(w, &w->takers[i]);
	}
}
