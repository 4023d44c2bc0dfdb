// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_packet: witnesses. See lint_packet.h. */
#include "shell/lint/witness.h"
#include "shell/lint/sample.h"

#define BIT(field) IPFI_FIELD_BIT(IPFI_FIELD_##field)

struct lint_box *lint_point(struct lint_proof *proof, const struct lint_box *box)
{
	const struct lint_scene *scene = proof->scene;
	struct lint_box *point = lint_box_copy(proof, box);

	for (u32 i = 0; i < scene->columns; i++) {
		u32 value = lint_pick(proof->world, scene, scene->field[i], &box->in[i]);

		lint_set_range(proof->arena, &point->in[i], value, value);
	}
	point->facts.value[0] |= lint_pick_facts(scene) & ~point->facts.mask[0];
	for (int i = 0; i < LINT_FACT_WORDS; i++)
		point->facts.mask[i] = ~0ULL;
	return point;
}

/* A field's value at a point, also of one that no rule asks for. */
static u32 value_at(const struct lint_world *world, const struct lint_scene *scene,
		    const struct lint_box *point, enum lint_field field)
{
	for (u32 i = 0; i < scene->columns; i++)
		if (scene->field[i] == field)
			return point->in[i].from;
	return lint_pick(world, scene, field, &scene->base[field]);
}

/*
 * An address of a step: @liked where it is in it, else its first but one, for a network's first
 * address is that of its routers (RFC 4291 section 2.6.1).
 */
static void addr_of_step(const struct lint_world *world, u32 step, const struct ipfi_addr *liked,
			 struct ipfi_addr *addr)
{
	struct ipfi_addr next = world->addrs.at[step];

	*addr = *liked;
	if (lint_addr_step(&world->addrs, liked) == step)
		return;
	*addr = next;
	next.w[3] |= 1;
	if (lint_addr_step(&world->addrs, &next) == step)
		*addr = next;
}

static void set_addrs(const struct lint_world *world, const struct lint_scene *scene,
		      const struct lint_box *point, struct ipfi_tuple *tuple)
{
	u32 src = value_at(world, scene, point, LINT_SRC);
	u32 dst = value_at(world, scene, point, LINT_DST);

	if (scene->family == 4) {
		tuple->src.w[0] = src;
		tuple->dst.w[0] = dst;
	} else {
		addr_of_step(world, src, &lint_from_v6, &tuple->src);
		addr_of_step(world, dst, &lint_to_v6, &tuple->dst);
	}
}

static void set_protocol(const struct lint_world *world, const struct lint_scene *scene,
			 const struct lint_box *point, struct ipfi_packet *core)
{
	core->tuple.proto = (u8)value_at(world, scene, point, LINT_PROTO);
	switch (scene->kind) {
	case LINT_TCP:
		core->tcp_flags = (u8)value_at(world, scene, point, LINT_FLAGS);
		/* fallthrough */
	case LINT_UDP:
	case LINT_LITE:
	case LINT_PORTS:
		core->has_ports = 1;
		core->tuple.sport = (u16)value_at(world, scene, point, LINT_SPORT);
		core->tuple.dport = (u16)value_at(world, scene, point, LINT_DPORT);
		break;
	case LINT_MESSAGE:
	case LINT_ERROR:
		core->icmp = (u16)value_at(world, scene, point, LINT_ICMP);
		/* The rules only ask whether it is one. */
		core->icmp_kind = scene->kind == LINT_ERROR ? IPFI_ICMP_ERROR : IPFI_ICMP_QUERY;
		break;
	}
}

static const char *device_at(const struct lint_world *world, const struct lint_scene *scene,
			     const struct lint_box *point, enum lint_field field)
{
	u32 step = value_at(world, scene, point, field);
	const char *liked = lint_pick_device(scene, field);

	return lint_name_step(&world->names, liked) == step ? liked : world->names.names[step];
}

static bool set_devices(const struct lint_world *world, const struct lint_scene *scene,
			const struct lint_box *point, struct ipfi_packet *core)
{
	if (scene->iif)
		core->iif_name = device_at(world, scene, point, LINT_IIF);
	if (scene->oif)
		core->oif_name =
			scene->loopback ? core->iif_name : device_at(world, scene, point, LINT_OIF);
	core->loopback = scene->loopback;
	return (!core->iif_name || *core->iif_name) && (!core->oif_name || *core->oif_name);
}

bool lint_packet_make(const struct lint_world *world, const struct lint_scene *scene,
		      const struct lint_box *point, struct lint_packet *packet)
{
	struct ipfi_packet *core = &packet->core;

	memset(packet, 0, sizeof(*packet));
	packet->scene = scene;
	packet->facts = point->facts.value[0];
	core->list = scene->list;
	core->tuple.family = scene->family;
	core->hop_limit = 64;
	set_addrs(world, scene, point, &core->tuple);
	set_protocol(world, scene, point, core);
	core->length = value_at(world, scene, point, LINT_LENGTH);
	core->dscp = (u8)value_at(world, scene, point, LINT_DSCP);
	core->mark = (u32)point->facts.value[LINT_MARK];
	core->came_by_ipsec = point->facts.value[LINT_MARK] >> LINT_IPSEC & 1;
	core->leaves_by_ipsec = core->came_by_ipsec;
	core->user = value_at(world, scene, point, LINT_USER);
	core->has_user = scene->list == IPFI_LIST_OUT && core->user != LINT_NOBODY;
	if (scene->again)
		core->unknown = BIT(LENGTH) | BIT(DSCP) | BIT(LIMIT) | BIT(PER_SOURCE) | BIT(IPSEC);
	return set_devices(world, scene, point, core);
}

/* What the core asks of its surroundings is answered by the packet's facts. */
struct surroundings {
	const struct lint_packet *packet;
	enum lint_limits limits;
	const struct ipfi_rule *one;
};

static u32 side_of(const struct surroundings *s, const struct ipfi_addr *addr)
{
	return addr == &s->packet->core.tuple.dst;
}

static bool is_me(void *context, u8 family, const struct ipfi_addr *addr)
{
	const struct surroundings *s = context;

	(void)family;
	return s->packet->facts >> (LINT_ME_SRC + side_of(s, addr)) & 1;
}

static bool in_set(void *context, const void *set, u8 family, const struct ipfi_addr *addr)
{
	const struct surroundings *s = context;
	const struct lint_dynamic *dynamic = set;

	(void)family;
	return dynamic->number < LINT_SETS_MOST &&
	       s->packet->facts >> LINT_IN_SET(dynamic->number, side_of(s, addr)) & 1;
}

static bool take_limit(void *context, const struct ipfi_rule *rule)
{
	const struct surroundings *s = context;

	return s->limits == LINT_LIMITS_ALL || rule == s->one;
}

static u32 source_states(void *context, const struct ipfi_rule *rule, const struct ipfi_tuple *tuple)
{
	(void)tuple;
	return take_limit(context, rule) ? 0 : UINT32_MAX;
}

static struct ipfi_match_env surround(struct surroundings *s)
{
	return (struct ipfi_match_env){
		.is_me = is_me,
		.take_limit = take_limit,
		.source_states = source_states,
		.in_set = in_set,
		.context = s,
	};
}

bool lint_packet_matches(const struct lint_packet *packet, const struct ipfi_rule *rule)
{
	struct surroundings s = { packet, LINT_LIMITS_ALL, NULL };
	struct ipfi_match_env around = surround(&s);

	return ipfi_rule_differs(rule, &packet->core, &around) < 0;
}

const struct ipfi_rule *lint_packet_meets(const struct lint_packet *packet,
					  const struct ipfi_classifier *classifier,
					  enum lint_limits limits, const struct ipfi_rule *one)
{
	struct surroundings s = { packet, limits, one };
	struct ipfi_match_env around = surround(&s);

	return ipfi_classify(classifier, &packet->core, &around);
}
