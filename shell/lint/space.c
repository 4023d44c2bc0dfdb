// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_scene: the scenes of a rule set. See lint_scene.h. */
#include "shell/lint/build.h"
#include "shell/lint/index.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(field) IPFI_FIELD_BIT(IPFI_FIELD_##field)

/*
 * The ways through the machine. Only a packet on a loopback device has a device that its list does
 * not speak of (module/skb.c); where a connection that is made here goes to is translated before
 * its way out is known.
 */
static const struct way {
	u8 list;
	bool iif, oif, loopback;
} ways[] = {
	/* clang-format off */
	{ IPFI_LIST_IN,      .iif = true },
	{ IPFI_LIST_IN,      .iif = true, .oif = true, .loopback = true },
	{ IPFI_LIST_OUT,     .oif = true },
	{ IPFI_LIST_OUT,     .iif = true, .oif = true, .loopback = true },
	{ IPFI_LIST_FORWARD, .iif = true, .oif = true },
	{ IPFI_LIST_DSTNAT,  .iif = true },
	{ IPFI_LIST_DSTNAT,  .iif = false },
	{ IPFI_LIST_SRCNAT,  .iif = true, .oif = true },
	{ IPFI_LIST_SRCNAT,  .oif = true },
	/* clang-format on */
};

/* The fields of a rule of the scene's list that are columns of the scene. */
static void set_columns(struct lint_scene *scene, u32 fields)
{
	static const struct {
		u32 rule;
		enum lint_field field;
	} columns[] = {
		{ BIT(SRC), LINT_SRC },		{ BIT(DST), LINT_DST },
		{ BIT(DPORT), LINT_DPORT },	{ BIT(SPORT), LINT_SPORT },
		{ BIT(PROTO), LINT_PROTO },	{ BIT(ICMP), LINT_ICMP },
		{ BIT(TCP_FLAGS), LINT_FLAGS }, { BIT(IIF), LINT_IIF },
		{ BIT(OIF), LINT_OIF },		{ BIT(LENGTH), LINT_LENGTH },
		{ BIT(DSCP), LINT_DSCP },	{ BIT(USER), LINT_USER },
	};
	/* Where a loopback device is both, what is asked of the one is asked of it. */
	if (scene->loopback && fields & BIT(OIF))
		fields = (fields | BIT(IIF)) & ~BIT(OIF);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (fields & columns[i].rule)
			scene->field[scene->columns++] = columns[i].field;
}

static bool same_boxes(const struct lint_scene *one, const struct lint_scene *other)
{
	for (u32 i = 0; i < one->count; i++) {
		const struct lint_box *a = lint_scene_box(one, i), *b = lint_scene_box(other, i);

		if (a->rule != b->rule || a->narrow != b->narrow || a->sure != b->sure ||
		    memcmp(&a->facts, &b->facts, sizeof(a->facts)))
			return false;
		for (u32 c = 0; c < one->columns; c++)
			if (a->narrow >> c & 1 && !lint_set_equal(&a->in[c], &b->in[c]))
				return false;
	}
	return true;
}

/* Do two scenes show the same, so that what holds in the one holds in the other? */
static bool same_scenes(const struct lint_scene *one, const struct lint_scene *other)
{
	if (one->list != other->list || one->count != other->count ||
	    one->columns != other->columns || one->neighbours != other->neighbours ||
	    memcmp(one->field, other->field, one->columns))
		return false;
	for (u32 i = 0; i < one->columns; i++)
		if (!lint_set_equal(&one->base[one->field[i]], &other->base[one->field[i]]))
			return false;
	return same_boxes(one, other);
}

static bool is_known(const struct lint_world *world, const struct lint_scene *scene)
{
	for (u32 i = 0; i < world->scene_count; i++)
		if (same_scenes(&world->scenes[i], scene))
			return true;
	return false;
}

static struct lint_scene new_scene(struct lint_builder *b, const struct way *way, u8 family,
				   enum lint_kind kind, bool again)
{
	struct lint_scene scene = {
		.list = way->list,
		.family = family,
		.kind = kind,
		.iif = way->iif,
		.oif = way->oif,
		.loopback = way->loopback,
		.again = again,
		.neighbours = family == 6 && kind == LINT_MESSAGE && !again &&
			      (way->list == IPFI_LIST_IN || way->list == IPFI_LIST_OUT),
	};

	lint_set_bases(b, &scene);
	return scene;
}

/* Errors open no connection and are not translated by rules. */
static bool exists(const struct way *way, enum lint_kind kind, bool again)
{
	return kind != LINT_ERROR || (!again && way->list < __IPFI_LIST_FILTER_END);
}

static void add_scene(struct lint_builder *b, const struct way *way, u8 family, enum lint_kind kind,
		      bool again, u32 fields)
{
	struct lint_mark mark = lint_mark(b->arena);
	struct lint_scene scene = new_scene(b, way, family, kind, again);
	struct lint_rules *rules = &b->world->rules;
	struct lint_sink sink;

	set_columns(&scene, again ? fields & ~LINT_UNKNOWN_FIELDS : fields);
	scene.first = lint_alloc(b->arena, (rules->count + (size_t)1) * sizeof(*scene.first));
	sink = lint_open_sink(b, &scene);
	for (u32 i = 0; i < rules->count; i++) {
		scene.first[i] = scene.count;
		lint_put_rule(b, &sink, &rules->at[i], rules->at[i].fields);
	}
	scene.first[rules->count] = scene.count;
	if (!scene.count || is_known(b->world, &scene)) {
		lint_release(b->arena, mark);
		return;
	}
	lint_index_make(b->arena, &scene);
	b->world->scenes[b->world->scene_count++] = scene;
}

static u32 fields_of_list(const struct lint_rules *rules, u8 list)
{
	u32 fields = 0;

	for (u32 i = 0; i < rules->count; i++)
		if (rules->at[i].lists >> list & 1)
			fields |= rules->at[i].fields;
	return fields;
}

/* Is the way the same as one before it, because no rule of its list asks for devices? */
static bool is_like_another(size_t way, u32 fields)
{
	return way && ways[way].list == ways[way - 1].list && !(fields & (BIT(IIF) | BIT(OIF)));
}

#define SCENES_MOST (ARRAY_SIZE(ways) * 2 * __LINT_KINDS * 2)

static void add_scenes(struct lint_builder *b)
{
	b->world->scenes = lint_zalloc(b->arena, SCENES_MOST, sizeof(*b->world->scenes));
	/* What comes first gives the packets that are shown: new ones before live connections. */
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
			u32 fields = fields_of_list(&b->world->rules, ways[i].list);

			if (is_like_another(i, fields))
				continue;
			if (again && (!(fields & LINT_UNKNOWN_FIELDS) ||
				      ways[i].list >= __IPFI_LIST_FILTER_END))
				continue;
			for (u8 family = 4; family <= 6; family += 2)
				for (int kind = 0; kind < __LINT_KINDS; kind++)
					if (exists(&ways[i], kind, again))
						add_scene(b, &ways[i], family, kind, again, fields);
		}
	}
}

static bool is_vague(const struct ipfi_addrs *addrs)
{
	for (u32 i = 0; i < addrs->set_count; i++)
		if (((const struct lint_dynamic *)addrs->sets[i])->number >= LINT_SETS_MOST)
			return true;
	return false;
}

bool lint_world_read(struct lint_arena *arena, const void *bytes, size_t len,
		     struct lint_world *world, struct wire_error *error)
{
	struct lint_builder b = { .arena = arena, .world = world };

	memset(world, 0, sizeof(*world));
	if (!lint_rules_read(arena, bytes, len, &world->rules, error))
		return false;
	lint_addr_scale(arena, &world->addrs, world->rules.at, world->rules.count);
	lint_name_scale(arena, &world->names, world->rules.at, world->rules.count);
	world->vague = lint_zalloc(arena, world->rules.count, sizeof(*world->vague));
	for (u32 i = 0; i < world->rules.count; i++) {
		world->vague[i] =
			is_vague(&world->rules.at[i].src) || is_vague(&world->rules.at[i].dst);
		world->any_vague |= world->vague[i];
	}
	lint_learn_icmp(&b);
	add_scenes(&b);
	return true;
}

bool lint_world_has_packets(struct lint_arena *arena, const struct lint_world *world,
			    const struct ipfi_rule *rule, u32 fields)
{
	struct lint_world copy = *world;
	struct lint_builder b = { .arena = arena, .world = &copy };
	struct lint_mark mark = lint_mark(arena);
	bool found = false;

	lint_learn_icmp(&b);
	for (size_t i = 0; i < ARRAY_SIZE(ways) && !found; i++) {
		for (int k = 0; k < 2 * __LINT_KINDS && !found; k++) {
			enum lint_kind kind = k % __LINT_KINDS;
			struct lint_scene scene;
			struct lint_sink sink;

			if (!exists(&ways[i], kind, false) || !(rule->lists >> ways[i].list & 1))
				continue;
			scene = new_scene(&b, &ways[i], k < __LINT_KINDS ? 4 : 6, kind, false);
			set_columns(&scene, fields);
			sink = lint_open_sink(&b, &scene);
			lint_put_rule(&b, &sink, rule, fields);
			found = scene.count;
		}
		lint_release(arena, mark);
	}
	return found;
}
