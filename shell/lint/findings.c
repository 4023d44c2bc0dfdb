// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_findings: rules that are of no use. See lint_findings.h. */
#include "shell/lint/index.h"
#include "shell/lint/work.h"

#define BIT(field) IPFI_FIELD_BIT(IPFI_FIELD_##field)

static void add(struct lint_work *w, struct lint_list *list, u32 rule)
{
	if (list->count == list->room) {
		u32 *old = list->at;

		list->room = list->room ? 2 * list->room : 4;
		list->at = lint_alloc(w->inquiry->arena, list->room * sizeof(*list->at));
		if (list->count)
			memcpy(list->at, old, list->count * sizeof(*old));
	}
	list->at[list->count++] = rule;
}

void lint_list_used(struct lint_work *w, struct lint_list *list)
{
	for (u32 i = 0; i < list->count; i++)
		w->used[list->at[i]] = w->proof.turn;
	list->count = 0;
	for (u32 i = 0; i < w->world->rules.count; i++)
		if (w->used[i] == w->proof.turn)
			add(w, list, i);
}

bool lint_begin_rule(struct lint_work *w)
{
	const struct lint_inquiry *inquiry = w->inquiry;
	u64 left = inquiry->all_steps > w->proof.steps ? inquiry->all_steps - w->proof.steps : 0;

	w->proof.most = w->proof.steps + (left < inquiry->rule_steps ? left : inquiry->rule_steps);
	w->proof.turn++;
	return left;
}

struct lint_boxes lint_gather(struct lint_work *w, const struct lint_box *box, u32 from, u32 to,
			      bool sure)
{
	const struct lint_scene *scene = w->proof.scene;
	struct lint_boxes boxes = { NULL, 0 };
	u32 count, border;
	const u32 *near = lint_index_find(w->proof.arena, scene, box, from, to, &count);

	boxes.at = lint_alloc(w->proof.arena, count * sizeof(*boxes.at));
	w->proof.steps += count;
	w->proof.most += count;
	for (u32 i = 0; i < count; i++) {
		u32 number = near ? near[i] : from + i;
		const struct lint_box *other = lint_scene_box(scene, number);

		if ((other->sure || !sure) && !w->removed[other->rule] &&
		    lint_box_relate(box, other, &border) >= 0)
			boxes.at[boxes.count++] = number;
	}
	return boxes;
}

/* Of the fields of a rule that no packet meets those that contradict each other. */
static u32 find_conflict(struct lint_work *w, const struct ipfi_rule *rule)
{
	u32 fields = rule->fields & ~(BIT(LIMIT) | BIT(PER_SOURCE));

	for (u32 bit = 1; bit < 1U << __IPFI_FIELD_END; bit <<= 1)
		if (fields & bit &&
		    !lint_world_has_packets(w->inquiry->arena, w->world, rule, fields & ~bit))
			fields &= ~bit;
	return fields;
}

/* The packet of a scene's point; false when there is none to show. */
static bool make_packet(struct lint_work *w, const struct lint_scene *scene,
			const struct lint_box *box, struct lint_packet *packet)
{
	struct lint_mark mark = lint_mark(w->proof.arena);
	struct lint_box *point;
	bool made;

	w->proof.scene = scene;
	point = lint_point(&w->proof, box);
	made = lint_packet_make(w->world, scene, point, packet);
	lint_release(w->proof.arena, mark);
	return made;
}

/*
 * A packet that a shadowed rule matches, for choice one that first meets one of the rules that it
 * is said to be shadowed by.
 */
static bool show_shadowed(struct lint_work *w, struct lint_finding *f)
{
	const struct ipfi_rule *rule = &w->world->rules.at[f->rule];
	struct lint_packet packet;
	bool shown = false;

	for (u32 s = 0; s < w->world->scene_count; s++) {
		const struct lint_scene *scene = &w->world->scenes[s];

		for (u32 i = scene->first[f->rule]; i < scene->first[f->rule + 1]; i++) {
			const struct ipfi_rule *meets, *unlimited;

			if (!make_packet(w, scene, lint_scene_box(scene, i), &packet))
				continue;
			meets = lint_packet_meets(&packet, &w->classifier, LINT_LIMITS_ALL, NULL);
			unlimited =
				lint_packet_meets(&packet, &w->classifier, LINT_LIMITS_ONE, rule);
			if (!lint_packet_matches(&packet, rule) || !meets || !unlimited ||
			    meets->index >= f->rule || unlimited->index >= f->rule)
				return false;
			if (shown)
				continue;
			f->packet = packet;
			f->meets = meets;
			shown = true;
			for (u32 j = 0; j < f->by_count; j++)
				if (f->by[j] == meets->index)
					return true;
			shown = true;
		}
	}
	return shown;
}

/* A packet that a redundant rule decides, and that the next rule or the default treats alike. */
static bool show_redundant(struct lint_work *w, struct lint_finding *f)
{
	const struct lint_rules *rules = &w->world->rules;
	const struct ipfi_rule *rule = &rules->at[f->rule];
	const u32 *effects = w->inquiry->effects;
	const u8 list = w->left_in[f->rule]->list;

	if (!make_packet(w, w->left_in[f->rule], w->left[f->rule], &f->packet))
		return false;
	f->meets = lint_packet_meets(&f->packet, &w->classifier, LINT_LIMITS_ALL, NULL);
	if (lint_packet_meets(&f->packet, &w->classifier, LINT_LIMITS_ONE, rule) != rule)
		return false;
	for (u32 i = f->rule + 1; i < rules->count; i++)
		if (!w->removed[i] && rules->at[i].lists >> list & 1 &&
		    lint_packet_matches(&f->packet, &rules->at[i]))
			return effects[i] == effects[f->rule];
	return effects[f->rule] == w->inquiry->defaults[list];
}

static void tell(struct lint_work *w, u32 rule)
{
	struct lint_inquiry *inquiry = w->inquiry;
	struct lint_finding *f = &inquiry->findings[inquiry->count];
	bool shown = true;

	*f = (struct lint_finding){
		.rule = rule,
		.by = w->takers[rule].at,
		.by_count = w->takers[rule].count,
		.by_default = w->by_default[rule],
	};
	switch (inquiry->fates[rule]) {
	case LINT_FATE_NONE:
		f->kind = LINT_DEAD;
		f->fields = find_conflict(w, &w->world->rules.at[rule]);
		break;
	case LINT_FATE_SHADOWED:
		f->kind = LINT_SHADOWED;
		shown = show_shadowed(w, f);
		break;
	default:
		f->kind = LINT_REDUNDANT;
		shown = show_redundant(w, f);
	}
	if (shown)
		inquiry->count++;
	else
		inquiry->refuted++;
}

static void show_reached(struct lint_work *w)
{
	struct lint_inquiry *inquiry = w->inquiry;

	inquiry->reaches =
		lint_zalloc(inquiry->arena, w->world->rules.count, sizeof(*inquiry->reaches));
	for (u32 i = 0; i < w->world->rules.count; i++)
		if (inquiry->fates[i] == LINT_FATE_MET &&
		    !make_packet(w, w->left_in[i], w->left[i], &inquiry->reaches[i]))
			inquiry->reaches[i].scene = NULL;
}

static void build_classifier(struct lint_work *w)
{
	const struct lint_rules *rules = &w->world->rules;
	size_t room = ipfi_classifier_room(rules->at, rules->count);

	ipfi_classifier_build(&w->classifier, rules->at, rules->count,
			      lint_alloc(w->inquiry->arena, room * sizeof(struct ipfi_rule *)));
}

/* The rules that nothing can be said of, because they ask too many dynamic sets. */
static void mark_vague(struct lint_work *w)
{
	for (u32 i = 0; i < w->world->rules.count; i++)
		if (w->world->vague[i])
			w->inquiry->fates[i] = LINT_FATE_UNKNOWN;
}

void lint_inquire(struct lint_inquiry *inquiry)
{
	u32 count = inquiry->world->rules.count;
	struct lint_arena *arena = inquiry->arena;
	struct lint_work w = {
		.inquiry = inquiry,
		.world = inquiry->world,
		.proof = { .world = inquiry->world,
			   .arena = inquiry->scratch,
			   .stop = inquiry->stop },
	};

	inquiry->fates = lint_zalloc(arena, count, sizeof(*inquiry->fates));
	inquiry->findings = lint_zalloc(arena, count, sizeof(*inquiry->findings));
	w.used = lint_zalloc(arena, count, sizeof(*w.used));
	w.removed = lint_zalloc(arena, count, sizeof(*w.removed));
	w.takers = lint_zalloc(arena, count, sizeof(*w.takers));
	w.by_default = lint_zalloc(arena, count, sizeof(*w.by_default));
	w.left = lint_zalloc(arena, count, sizeof(*w.left));
	w.left_in = lint_zalloc(arena, count, sizeof(*w.left_in));
	build_classifier(&w);
	mark_vague(&w);
	lint_find_shadowed(&w);
	lint_find_redundant(&w);
	for (u32 i = 0; i < count && !w.proof.stopped; i++)
		if (w.removed[i])
			tell(&w, i);
	show_reached(&w);
	inquiry->steps = w.proof.steps;
	inquiry->stopped = w.proof.stopped;
}
