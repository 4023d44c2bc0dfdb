// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_boxes: what a rule matches in a scene. See lint_scene.h. */
#include "shell/lint/build.h"

#define BIT(field) IPFI_FIELD_BIT(IPFI_FIELD_##field)

/* What a field allows: all of the scene, part of it, nothing. */
enum extent {
	NOTHING,
	PART,
	ALL,
};

/* Of the scene's values those in @set, or those not in it. */
static enum extent limit_to(struct lint_builder *b, const struct lint_set *base,
			    struct lint_set *set, bool negated)
{
	struct lint_set given = *set;

	if (!negated) {
		if (lint_set_within(base, &given)) {
			*set = *base;
			return ALL;
		}
		lint_set_meet(b->arena, set, base, &given);
	} else {
		if (!lint_set_meets(base, &given)) {
			*set = *base;
			return ALL;
		}
		*set = *base;
		set->room = 0;
		lint_set_cut(b->arena, set, &given);
	}
	return set->count ? PART : NOTHING;
}

/* The ranges between @least and @most, which becomes 0. */
static void take_ranges(struct lint_builder *b, const struct ipfi_ranges *ranges, u32 least,
			u32 most, struct lint_set *set)
{
	struct lint_collection c = lint_collection(b, ranges->count);

	for (u32 i = 0; i < ranges->count; i++) {
		u32 from = ranges->at[i].from > least ? ranges->at[i].from : least;
		u32 to = ranges->at[i].to < most ? ranges->at[i].to : most;

		if (from <= to)
			lint_collect(&c, from - least, to - least);
	}
	lint_finish(b, set, &c);
}

static void take_flags(struct lint_builder *b, const struct ipfi_rule *rule, struct lint_set *set)
{
	struct lint_collection c = lint_collection(b, 256);

	for (u32 i = 0; i < 256; i++)
		if ((i & rule->tcp_mask) == rule->tcp_value)
			lint_collect(&c, i, i);
	lint_finish(b, set, &c);
}

/* Ports are those of TCP and UDP; of other protocols only where the rule names the protocol. */
static bool asks_for_ports(const struct lint_scene *scene, const struct ipfi_rule *rule, u32 fields)
{
	if (!lint_has_ports(scene))
		return false;
	return scene->kind == LINT_TCP || scene->kind == LINT_UDP ||
	       fields & ~rule->negated & BIT(PROTO);
}

/* One device's name, where its packets have one. */
static enum extent take_device(struct lint_builder *b, const struct lint_scene *scene,
			       enum lint_field field, const char pattern[IPFI_DEVICE_LEN],
			       bool negated, struct lint_set *set)
{
	struct ipfi_range steps = lint_name_steps(&b->world->names, pattern);

	if (!(field == LINT_IIF ? scene->iif : scene->oif))
		return NOTHING;
	lint_set_range(b->arena, set, steps.from, steps.to);
	return limit_to(b, &scene->base[field], set, negated);
}

/* A rule of which only @fields are looked at, in a scene. */
struct asked {
	const struct lint_scene *scene;
	const struct ipfi_rule *rule;
	u32 fields;
};

/* What @field allows, of a column that is no address and no device. */
static enum extent take_numbers(struct lint_builder *b, const struct asked *a,
				enum lint_field field, struct lint_set *set)
{
	const struct ipfi_rule *rule = a->rule;
	const struct lint_scene *scene = a->scene;
	u32 bit;

	switch (field) {
	case LINT_DPORT:
	case LINT_SPORT:
		bit = field == LINT_DPORT ? BIT(DPORT) : BIT(SPORT);
		if (a->fields & bit && !asks_for_ports(scene, rule, a->fields))
			return NOTHING;
		take_ranges(b, field == LINT_DPORT ? &rule->dport : &rule->sport, 0, UINT16_MAX,
			    set);
		break;
	case LINT_PROTO:
		bit = BIT(PROTO);
		take_ranges(b, &rule->proto, 0, 255, set);
		break;
	case LINT_ICMP:
		bit = BIT(ICMP);
		if (a->fields & bit && !lint_is_icmp(scene))
			return NOTHING;
		take_ranges(b, &rule->icmp, scene->family == 6 ? IPFI_ICMP6 : 0,
			    scene->family == 6 ? IPFI_ICMP6 | UINT16_MAX : UINT16_MAX, set);
		break;
	case LINT_FLAGS:
		bit = BIT(TCP_FLAGS);
		if (a->fields & bit && scene->kind != LINT_TCP)
			return NOTHING;
		take_flags(b, rule, set);
		break;
	case LINT_LENGTH:
		bit = BIT(LENGTH);
		take_ranges(b, &rule->length, 0, UINT32_MAX, set);
		break;
	case LINT_DSCP:
		bit = BIT(DSCP);
		take_ranges(b, &rule->dscp, 0, UINT32_MAX, set);
		break;
	default:
		bit = BIT(USER);
		take_ranges(b, &rule->user, 0, LINT_NOBODY - 1, set);
		/* Without an owner there is nothing that could be another. */
		if (a->fields & rule->negated & bit) {
			struct lint_set nobody;

			lint_set_range(b->arena, &nobody, LINT_NOBODY, LINT_NOBODY);
			if (limit_to(b, &scene->base[field], set, true) == NOTHING)
				return NOTHING;
			set->room = 0;
			lint_set_cut(b->arena, set, &nobody);
			return set->count ? PART : NOTHING;
		}
	}
	if (!(a->fields & bit)) {
		*set = scene->base[field];
		return ALL;
	}
	return limit_to(b, &scene->base[field], set, rule->negated & bit);
}

static enum extent take_devices(struct lint_builder *b, const struct asked *a,
				enum lint_field field, struct lint_set *set)
{
	const struct ipfi_rule *rule = a->rule;
	enum extent extent = ALL, other;
	struct lint_set first, second;

	*set = a->scene->base[field];
	if (a->fields & BIT(IIF) && field == LINT_IIF)
		extent = take_device(b, a->scene, LINT_IIF, rule->iif, rule->negated & BIT(IIF),
				     set);
	if (!(a->fields & BIT(OIF)) || (field == LINT_IIF) != a->scene->loopback)
		return extent;
	if (field == LINT_OIF)
		return take_device(b, a->scene, LINT_OIF, rule->oif, rule->negated & BIT(OIF), set);
	first = *set;
	other = take_device(b, a->scene, LINT_OIF, rule->oif, rule->negated & BIT(OIF), &second);
	if (extent == NOTHING || other == NOTHING)
		return NOTHING;
	lint_set_meet(b->arena, set, &first, &second);
	if (!set->count)
		return NOTHING;
	return extent == ALL && other == ALL ? ALL : PART;
}

/* One of the ways in which an address can meet a field. */
struct choice {
	struct lint_set set;
	enum extent extent;
	u64 mask, value; /* facts, word 0 */
};

static void take_addr_ranges(struct lint_builder *b, u8 family, const struct ipfi_addrs *addrs,
			     struct lint_set *set)
{
	u32 count = family == 4 ? addrs->v4_count : addrs->v6_count;
	struct lint_collection c = lint_collection(b, count);

	for (u32 i = 0; i < count; i++) {
		if (family == 4) {
			lint_collect(&c, addrs->v4[i].from.w[0], addrs->v4[i].to.w[0]);
		} else {
			struct ipfi_range steps = lint_addr_steps(&b->world->addrs, &addrs->v6[i]);

			lint_collect(&c, steps.from, steps.to);
		}
	}
	lint_finish(b, set, &c);
}

/* Not in any of them: one choice. False when there can be none, or nothing can be said. */
static bool none_of(struct lint_builder *b, const struct lint_set *base, u32 side,
		    const struct ipfi_addrs *addrs, struct choice *choice)
{
	choice->extent = limit_to(b, base, &choice->set, true);
	choice->value = 0;
	choice->mask = addrs->me ? 1ULL << (LINT_ME_SRC + side) : 0;
	for (u32 i = 0; i < addrs->set_count; i++) {
		const struct lint_dynamic *set = addrs->sets[i];

		if (set->number >= LINT_SETS_MOST)
			return false;
		choice->mask |= 1ULL << LINT_IN_SET(set->number, side);
	}
	return choice->extent != NOTHING;
}

/* The choices that an address field leaves: in its ranges, or own, or in one of its sets. */
static u32 choose_addrs(struct lint_builder *b, const struct asked *a, u32 side,
			struct choice *choices)
{
	const struct ipfi_addrs *addrs = side ? &a->rule->dst : &a->rule->src;
	const struct lint_set *base = &a->scene->base[side ? LINT_DST : LINT_SRC];
	const u32 bit = side ? BIT(DST) : BIT(SRC);
	struct choice *choice = choices, whole = { *base, ALL, 0, 0 };

	if (!(a->fields & bit)) {
		*choice = whole;
		return 1;
	}
	take_addr_ranges(b, a->scene->family, addrs, &choice->set);
	if (a->rule->negated & bit)
		return none_of(b, base, side, addrs, choice);
	choice->extent = limit_to(b, base, &choice->set, false);
	choice->mask = 0;
	choice->value = 0;
	if (choice->extent != NOTHING)
		choice++;
	if (addrs->me) {
		*choice = whole;
		choice->mask = choice->value = 1ULL << (LINT_ME_SRC + side);
		choice++;
	}
	for (u32 i = 0; i < addrs->set_count; i++) {
		const struct lint_dynamic *set = addrs->sets[i];

		if (set->number >= LINT_SETS_MOST)
			continue;
		*choice = whole;
		choice->mask = choice->value = 1ULL << LINT_IN_SET(set->number, side);
		choice++;
	}
	return (u32)(choice - choices);
}

/*
 * The marks that a rule meets, as masks and values: one, or when it is negated one for each bit
 * that may be the first to differ.
 */
static u32 choose_marks(const struct asked *a, u64 masks[32], u64 values[32])
{
	const struct ipfi_rule *rule = a->rule;
	u32 count = 0, before = 0;

	if (!(a->fields & BIT(MARK))) {
		masks[0] = 0;
		values[0] = 0;
		return 1;
	}
	if (!(rule->negated & BIT(MARK))) {
		masks[0] = rule->mark_mask;
		values[0] = rule->mark_value;
		return 1;
	}
	for (u32 i = 0; i < 32; i++) {
		u32 bit = 1U << i;

		if (!(rule->mark_mask & bit))
			continue;
		masks[count] = before | bit;
		values[count] = (rule->mark_value & before) | (~rule->mark_value & bit);
		before |= bit;
		count++;
	}
	return count;
}

/*
 * The fields of @rule that matter in the scene; false when it matches nothing there. Judged again,
 * a rule that denies by what is not remembered matches nothing, one that allows matches as if it
 * did not ask.
 */
static bool fields_in(const struct lint_scene *scene, const struct ipfi_rule *rule, u32 *fields)
{
	if (!(rule->lists >> scene->list & 1))
		return false;
	if (scene->again && *fields & LINT_UNKNOWN_FIELDS) {
		if (rule->verdict != IPFI_VERDICT_ALLOW)
			return false;
		*fields &= ~LINT_UNKNOWN_FIELDS;
	}
	return !(*fields & BIT(FAMILY)) || rule->family == scene->family;
}

static void put_box(struct lint_builder *b, struct lint_sink *sink)
{
	struct lint_scene *scene = sink->scene;

	if (scene->count == sink->room) {
		unsigned char *old = scene->boxes;

		sink->room = sink->room ? 2 * sink->room : 64;
		scene->boxes = lint_alloc(b->arena, sink->room * scene->stride);
		if (scene->count)
			memcpy(scene->boxes, old, scene->count * scene->stride);
	}
	memcpy(lint_scene_box(scene, scene->count++), sink->box, scene->stride);
}

static void put_set(struct lint_box *box, u32 column, const struct lint_set *set,
		    enum extent extent)
{
	box->in[column] = *set;
	box->in[column].room = 0;
	if (extent == ALL)
		box->narrow &= ~(1U << column);
	else
		box->narrow |= 1U << column;
}

/* The column of a field, or -1. */
static int column_of(const struct lint_scene *scene, enum lint_field field)
{
	for (int i = 0; i < scene->columns; i++)
		if (scene->field[i] == field)
			return i;
	return -1;
}

static void put_choice(const struct lint_scene *scene, struct lint_box *box, enum lint_field field,
		       const struct choice *choice)
{
	int column = column_of(scene, field);

	if (column >= 0)
		put_set(box, (u32)column, &choice->set, choice->extent);
}

static void put_boxes(struct lint_builder *b, struct lint_sink *sink, const struct asked *a)
{
	const struct lint_scene *scene = sink->scene;
	struct choice *src = lint_alloc(b->arena, (2 + a->rule->src.set_count) * sizeof(*src));
	struct choice *dst = lint_alloc(b->arena, (2 + a->rule->dst.set_count) * sizeof(*dst));
	u32 srcs = choose_addrs(b, a, 0, src), dsts = choose_addrs(b, a, 1, dst);
	struct lint_facts *facts = &sink->box->facts;
	u64 masks[32], values[32];
	const u64 ipsec = a->fields & BIT(IPSEC) ? 1ULL << LINT_IPSEC : 0;
	u32 marks = choose_marks(a, masks, values);

	for (u32 i = 0; i < srcs; i++) {
		for (u32 j = 0; j < dsts; j++) {
			put_choice(scene, sink->box, LINT_SRC, &src[i]);
			put_choice(scene, sink->box, LINT_DST, &dst[j]);
			facts->mask[0] = src[i].mask | dst[j].mask;
			facts->value[0] = src[i].value | dst[j].value;
			for (u32 k = 0; k < marks; k++) {
				facts->mask[LINT_MARK] = masks[k] | ipsec;
				facts->value[LINT_MARK] = values[k] | (a->rule->ipsec ? ipsec : 0);
				put_box(b, sink);
			}
		}
	}
}

/* All columns but those of addresses. False when the rule matches nothing in the scene. */
static bool put_columns(struct lint_builder *b, struct lint_sink *sink, const struct asked *a)
{
	const struct lint_scene *scene = sink->scene;
	enum extent extent;
	struct lint_set set;

	for (u32 i = 0; i < scene->columns; i++) {
		enum lint_field field = scene->field[i];

		if (field == LINT_SRC || field == LINT_DST)
			continue;
		if (field == LINT_IIF || field == LINT_OIF)
			extent = take_devices(b, a, field, &set);
		else
			extent = take_numbers(b, a, field, &set);
		if (extent == NOTHING)
			return false;
		put_set(sink->box, i, &set, extent);
	}
	return true;
}

void lint_put_rule(struct lint_builder *b, struct lint_sink *sink, const struct ipfi_rule *rule,
		   u32 fields)
{
	struct asked asked = { sink->scene, rule, fields };

	if (!fields_in(sink->scene, rule, &asked.fields))
		return;
	sink->box->rule = rule->index;
	sink->box->sure = !(asked.fields & (BIT(LIMIT) | BIT(PER_SOURCE)));
	if (put_columns(b, sink, &asked))
		put_boxes(b, sink, &asked);
}

struct lint_sink lint_open_sink(struct lint_builder *b, struct lint_scene *scene)
{
	scene->stride = sizeof(struct lint_box) + scene->columns * sizeof(struct lint_set);
	return (struct lint_sink){ scene, 0, lint_zalloc(b->arena, 1, scene->stride) };
}
