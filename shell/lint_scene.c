// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_scene: rules as boxes. See lint_scene.h. */
#include "core/tcp.h"
#include "lint_scene.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(field) IPFI_FIELD_BIT(IPFI_FIELD_##field)

/* What a live connection does not remember, or is not asked twice (core/decide.c). */
#define UNKNOWN (BIT(LENGTH) | BIT(DSCP) | BIT(LIMIT) | BIT(PER_SOURCE))

/*
 * The ways through the machine. Only a packet on a loopback device has a device that its list does
 * not speak of (module/skb.c); where a connection that is made here goes to is translated before its
 * way out is known.
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

/* Kinds: the least ports (RFC 768 lets a UDP source have none) and bytes behind the IP header. */
static const struct {
	bool has_ports;
	u8 sport, dport, header;
} kinds[] = {
	[LINT_TCP] = { true, 1, 1, 20 },  [LINT_UDP] = { true, 0, 1, 8 },
	[LINT_LITE] = { true, 0, 1, 8 },  [LINT_PORTS] = { true, 1, 1, 12 },
	[LINT_MESSAGE] = { .header = 8 }, [LINT_ERROR] = { .header = 8 },
	[LINT_OTHER] = { .header = 0 },
};

#define IP_HEADER(family) ((family) == 4 ? 20U : 40U)

struct builder {
	struct lint_arena *arena;
	struct lint_world *world;
	u8 icmp_kind[2][256]; /* enum ipfi_icmp_kind of each type, ICMP and ICMPv6 */
};

/* Ranges that a set is made of, before they are in order. */
struct collection {
	struct ipfi_range *at;
	u32 count;
};

static void collect(struct collection *c, u32 from, u32 to)
{
	if (c->count && c->at[c->count - 1].to + 1 == from && from)
		c->at[c->count - 1].to = to;
	else
		c->at[c->count++] = (struct ipfi_range){ from, to };
}

static struct collection new_collection(struct builder *b, u32 most)
{
	return (struct collection){ lint_alloc(b->arena, most * sizeof(struct ipfi_range)), 0 };
}

static void finish(struct builder *b, struct lint_set *set, struct collection *c)
{
	lint_set_ranges(b->arena, set, c->at, c->count);
}

/* Asks the parser itself which kind each ICMP type is; one that needs a quoted packet is an error. */
static void learn_icmp(struct builder *b)
{
	static const u8 ipv4[] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, IPFI_PROTO_ICMP };
	static const u8 ipv6[] = { 0x60, 0, 0, 0, 0, 8, IPFI_PROTO_ICMPV6, 64 };
	struct ipfi_packet packet;
	u8 bytes[40 + 8];

	for (int six = 0; six < 2; six++) {
		u32 header = six ? 40 : 20;

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, six ? ipv6 : ipv4, six ? sizeof(ipv6) : sizeof(ipv4));
		for (u32 type = 0; type < 256; type++) {
			bytes[header] = (u8)type;
			b->icmp_kind[six][type] =
				ipfi_packet_parse(&packet, bytes, header + 8, header + 8, false) ?
					IPFI_ICMP_ERROR :
					packet.icmp_kind;
		}
	}
}

static bool icmp_is_here(const struct builder *b, const struct lint_scene *scene, u32 type)
{
	u8 kind = b->icmp_kind[scene->family == 6][type];

	if (scene->kind == LINT_ERROR)
		return kind == IPFI_ICMP_ERROR;
	/* A destination is translated for what opens a connection, a source also for an answer. */
	if (scene->again || scene->list == IPFI_LIST_DSTNAT)
		return kind == IPFI_ICMP_QUERY;
	if (scene->list == IPFI_LIST_SRCNAT)
		return kind == IPFI_ICMP_QUERY || kind == IPFI_ICMP_REPLY;
	return kind != IPFI_ICMP_ERROR;
}

static bool flags_are_here(const struct lint_scene *scene, u8 flags)
{
	if (scene->again)
		return flags == IPFI_TCP_SYN || flags == IPFI_TCP_ACK;
	if (scene->list == IPFI_LIST_DSTNAT && flags & IPFI_TCP_RST)
		return false;
	return !ipfi_tcp_flags_bad(flags);
}

/* IPv6 extension headers: the parser goes on behind them. */
static bool is_extension(u32 proto)
{
	return proto == 0 || proto == 43 || proto == 44 || proto == 51 || proto == 60;
}

static enum lint_kind kind_of(u8 family, u32 proto)
{
	switch (proto) {
	case IPFI_PROTO_TCP:
		return LINT_TCP;
	case IPFI_PROTO_UDP:
		return LINT_UDP;
	case IPFI_PROTO_UDPLITE:
		return LINT_LITE;
	case IPFI_PROTO_SCTP:
	case IPFI_PROTO_DCCP:
		return LINT_PORTS;
	}
	return proto == (family == 4 ? IPFI_PROTO_ICMP : IPFI_PROTO_ICMPV6) ? LINT_MESSAGE :
									      LINT_OTHER;
}

static bool is_icmp(const struct lint_scene *scene)
{
	return scene->kind == LINT_MESSAGE || scene->kind == LINT_ERROR;
}

static bool proto_is_here(const struct lint_scene *scene, u32 proto)
{
	enum lint_kind kind = kind_of(scene->family, proto);

	if (scene->family == 6 && is_extension(proto))
		return false;
	return kind == scene->kind || (kind == LINT_MESSAGE && scene->kind == LINT_ERROR);
}

static void set_small_bases(struct builder *b, struct lint_scene *scene)
{
	struct collection proto = new_collection(b, 256), icmp = new_collection(b, 256);
	struct collection flags = new_collection(b, 256);

	for (u32 i = 0; i < 256; i++) {
		if (proto_is_here(scene, i))
			collect(&proto, i, i);
		if (is_icmp(scene) && icmp_is_here(b, scene, i))
			/* A live connection remembers the type of what opened it. */
			collect(&icmp, i << 8, i << 8 | (scene->again ? 0 : 255));
		if (scene->kind == LINT_TCP && flags_are_here(scene, (u8)i))
			collect(&flags, i, i);
	}
	finish(b, &scene->base[LINT_PROTO], &proto);
	finish(b, &scene->base[LINT_ICMP], &icmp);
	finish(b, &scene->base[LINT_FLAGS], &flags);
}

/* Nobody sends from a multicast address, or from the broadcast address (core/packet.c). */
static void set_source_base(struct builder *b, struct lint_scene *scene)
{
	static const struct ipfi_addr multicast = { { 0xff000000, 0, 0, 0 } };
	struct collection src = new_collection(b, 2);

	if (scene->family == 4) {
		collect(&src, 0, 0xdfffffff);
		collect(&src, 0xf0000000, 0xfffffffe);
	} else {
		collect(&src, 0, lint_addr_step(&b->world->addrs, &multicast) - 1);
	}
	finish(b, &scene->base[LINT_SRC], &src);
}

static void set_bases(struct builder *b, struct lint_scene *scene)
{
	const struct lint_world *world = b->world;
	u32 least = IP_HEADER(scene->family) + kinds[scene->kind].header;
	struct lint_set *base = scene->base;

	/* An error quotes an IP header at least. */
	if (scene->kind == LINT_ERROR)
		least += IP_HEADER(scene->family);
	set_small_bases(b, scene);
	set_source_base(b, scene);
	lint_set_range(b->arena, &base[LINT_DST], 0,
		       scene->family == 4 ? UINT32_MAX : world->addrs.count - 1);
	lint_set_range(b->arena, &base[LINT_SPORT], kinds[scene->kind].sport, UINT16_MAX);
	lint_set_range(b->arena, &base[LINT_DPORT], kinds[scene->kind].dport, UINT16_MAX);
	lint_set_range(b->arena, &base[LINT_IIF], 0, world->names.count - 1);
	lint_set_range(b->arena, &base[LINT_OIF], 0, world->names.count - 1);
	/* An aggregate may be longer than any packet of the wire. */
	lint_set_range(b->arena, &base[LINT_LENGTH], least, UINT32_MAX);
	lint_set_range(b->arena, &base[LINT_DSCP], 0, 63);
	lint_set_range(b->arena, &base[LINT_USER], 0, UINT32_MAX);
}

/* The fields of a rule of the scene's list that are columns of the scene. */
static void set_columns(struct lint_scene *scene, u32 fields)
{
	static const struct {
		u32 rule;
		enum lint_field field;
	} columns[] = {
		{ BIT(SRC), LINT_SRC },	  { BIT(DST), LINT_DST },     { BIT(DPORT), LINT_DPORT },
		{ BIT(SPORT), LINT_SPORT }, { BIT(PROTO), LINT_PROTO }, { BIT(ICMP), LINT_ICMP },
		{ BIT(TCP_FLAGS), LINT_FLAGS }, { BIT(IIF), LINT_IIF }, { BIT(OIF), LINT_OIF },
		{ BIT(LENGTH), LINT_LENGTH }, { BIT(DSCP), LINT_DSCP }, { BIT(USER), LINT_USER },
	};
	/* Where a loopback device is both, what is asked of the one is asked of it. */
	if (scene->loopback && fields & BIT(OIF))
		fields = (fields | BIT(IIF)) & ~BIT(OIF);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (fields & columns[i].rule)
			scene->field[scene->columns++] = columns[i].field;
}

/* What a field allows: all of the scene, part of it, nothing. */
enum extent {
	NOTHING,
	PART,
	ALL,
};

/* Of the scene's values those in @set, or those not in it. */
static enum extent limit_to(struct builder *b, const struct lint_set *base, struct lint_set *set,
			    bool negated)
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
static void take_ranges(struct builder *b, const struct ipfi_ranges *ranges, u32 least, u32 most,
			struct lint_set *set)
{
	struct collection c = new_collection(b, ranges->count);

	for (u32 i = 0; i < ranges->count; i++) {
		u32 from = ranges->at[i].from > least ? ranges->at[i].from : least;
		u32 to = ranges->at[i].to < most ? ranges->at[i].to : most;

		if (from <= to)
			collect(&c, from - least, to - least);
	}
	finish(b, set, &c);
}

static void take_flags(struct builder *b, const struct ipfi_rule *rule, struct lint_set *set)
{
	struct collection c = new_collection(b, 256);

	for (u32 i = 0; i < 256; i++)
		if ((i & rule->tcp_mask) == rule->tcp_value)
			collect(&c, i, i);
	finish(b, set, &c);
}

/* Ports are those of TCP and UDP; of other protocols only where the rule names the protocol. */
static bool asks_for_ports(const struct lint_scene *scene, const struct ipfi_rule *rule, u32 fields)
{
	if (!kinds[scene->kind].has_ports)
		return false;
	return scene->kind == LINT_TCP || scene->kind == LINT_UDP ||
	       fields & ~rule->negated & BIT(PROTO);
}

/* One device's name, where its packets have one. */
static enum extent take_device(struct builder *b, const struct lint_scene *scene,
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
static enum extent take_numbers(struct builder *b, const struct asked *a, enum lint_field field,
				struct lint_set *set)
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
		take_ranges(b, field == LINT_DPORT ? &rule->dport : &rule->sport, 0, UINT16_MAX, set);
		break;
	case LINT_PROTO:
		bit = BIT(PROTO);
		take_ranges(b, &rule->proto, 0, 255, set);
		break;
	case LINT_ICMP:
		bit = BIT(ICMP);
		if (a->fields & bit && !is_icmp(scene))
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

static enum extent take_devices(struct builder *b, const struct asked *a, enum lint_field field,
				struct lint_set *set)
{
	const struct ipfi_rule *rule = a->rule;
	enum extent extent = ALL, other;
	struct lint_set first, second;

	*set = a->scene->base[field];
	if (a->fields & BIT(IIF) && field == LINT_IIF)
		extent = take_device(b, a->scene, LINT_IIF, rule->iif, rule->negated & BIT(IIF), set);
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

static void take_addr_ranges(struct builder *b, u8 family, const struct ipfi_addrs *addrs,
			     struct lint_set *set)
{
	u32 count = family == 4 ? addrs->v4_count : addrs->v6_count;
	struct collection c = new_collection(b, count);

	for (u32 i = 0; i < count; i++) {
		if (family == 4) {
			collect(&c, addrs->v4[i].from.w[0], addrs->v4[i].to.w[0]);
		} else {
			struct ipfi_range steps =
				lint_addr_steps(&b->world->addrs, &addrs->v6[i]);

			collect(&c, steps.from, steps.to);
		}
	}
	finish(b, set, &c);
}

/* Not in any of them: one choice. False when there can be none, or nothing can be said. */
static bool none_of(struct builder *b, const struct lint_set *base, u32 side,
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
static u32 choose_addrs(struct builder *b, const struct asked *a, u32 side, struct choice *choices)
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
 * The marks that a rule meets, as masks and values: one, or when it is negated one for each bit that
 * may be the first to differ.
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
 * The fields of @rule that matter in the scene; false when it matches nothing there. Judged again, a
 * rule that denies by what is not remembered matches nothing, one that allows matches as if it did not
 * ask.
 */
static bool fields_in(const struct lint_scene *scene, const struct ipfi_rule *rule, u32 *fields)
{
	if (!(rule->lists >> scene->list & 1))
		return false;
	if (scene->again && *fields & UNKNOWN) {
		if (rule->verdict != IPFI_VERDICT_ALLOW)
			return false;
		*fields &= ~UNKNOWN;
	}
	return !(*fields & BIT(FAMILY)) || rule->family == scene->family;
}

/* Where the boxes of a rule go. */
struct sink {
	struct lint_scene *scene;
	u32 room;
	struct lint_box *box; /* a box that all others are made from */
};

static void put_box(struct builder *b, struct sink *sink)
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

static void put_boxes(struct builder *b, struct sink *sink, const struct asked *a)
{
	const struct lint_scene *scene = sink->scene;
	struct choice *src = lint_alloc(b->arena, (2 + a->rule->src.set_count) * sizeof(*src));
	struct choice *dst = lint_alloc(b->arena, (2 + a->rule->dst.set_count) * sizeof(*dst));
	u32 srcs = choose_addrs(b, a, 0, src), dsts = choose_addrs(b, a, 1, dst);
	struct lint_facts *facts = &sink->box->facts;
	u64 masks[32], values[32];
	u32 marks = choose_marks(a, masks, values);

	for (u32 i = 0; i < srcs; i++) {
		for (u32 j = 0; j < dsts; j++) {
			put_choice(scene, sink->box, LINT_SRC, &src[i]);
			put_choice(scene, sink->box, LINT_DST, &dst[j]);
			facts->mask[0] = src[i].mask | dst[j].mask;
			facts->value[0] = src[i].value | dst[j].value;
			for (u32 k = 0; k < marks; k++) {
				facts->mask[LINT_MARK] = masks[k];
				facts->value[LINT_MARK] = values[k];
				put_box(b, sink);
			}
		}
	}
}

/* All columns but those of addresses. False when the rule matches nothing in the scene. */
static bool put_columns(struct builder *b, struct sink *sink, const struct asked *a)
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

static void put_rule(struct builder *b, struct sink *sink, const struct ipfi_rule *rule, u32 fields)
{
	struct asked asked = { sink->scene, rule, fields };

	if (!fields_in(sink->scene, rule, &asked.fields))
		return;
	sink->box->rule = rule->index;
	sink->box->sure = !(asked.fields & (BIT(LIMIT) | BIT(PER_SOURCE)));
	if (put_columns(b, sink, &asked))
		put_boxes(b, sink, &asked);
}

static struct sink open_sink(struct builder *b, struct lint_scene *scene)
{
	scene->stride = sizeof(struct lint_box) + scene->columns * sizeof(struct lint_set);
	return (struct sink){ scene, 0, lint_zalloc(b->arena, 1, scene->stride) };
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

static struct lint_scene new_scene(struct builder *b, const struct way *way, u8 family,
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

	set_bases(b, &scene);
	return scene;
}

/* Errors open no connection and are not translated by rules. */
static bool exists(const struct way *way, enum lint_kind kind, bool again)
{
	return kind != LINT_ERROR || (!again && way->list < __IPFI_LIST_FILTER_END);
}

static void add_scene(struct builder *b, const struct way *way, u8 family, enum lint_kind kind,
		      bool again, u32 fields)
{
	struct lint_mark mark = lint_mark(b->arena);
	struct lint_scene scene = new_scene(b, way, family, kind, again);
	struct lint_rules *rules = &b->world->rules;
	struct sink sink;

	set_columns(&scene, again ? fields & ~UNKNOWN : fields);
	scene.first = lint_alloc(b->arena, (rules->count + (size_t)1) * sizeof(*scene.first));
	sink = open_sink(b, &scene);
	for (u32 i = 0; i < rules->count; i++) {
		scene.first[i] = scene.count;
		put_rule(b, &sink, &rules->at[i], rules->at[i].fields);
	}
	scene.first[rules->count] = scene.count;
	if (scene.count && !is_known(b->world, &scene))
		b->world->scenes[b->world->scene_count++] = scene;
	else
		lint_release(b->arena, mark);
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

static void add_scenes(struct builder *b)
{
	b->world->scenes = lint_zalloc(b->arena, SCENES_MOST, sizeof(*b->world->scenes));
	/* What comes first gives the packets that are shown: new ones before live connections. */
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
			u32 fields = fields_of_list(&b->world->rules, ways[i].list);

			if (is_like_another(i, fields))
				continue;
			if (again && (!(fields & UNKNOWN) || ways[i].list >= __IPFI_LIST_FILTER_END))
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
	struct builder b = { .arena = arena, .world = world };

	memset(world, 0, sizeof(*world));
	if (!lint_rules_read(arena, bytes, len, &world->rules, error))
		return false;
	lint_addr_scale(arena, &world->addrs, world->rules.at, world->rules.count);
	lint_name_scale(arena, &world->names, world->rules.at, world->rules.count);
	world->vague = lint_zalloc(arena, world->rules.count, sizeof(*world->vague));
	for (u32 i = 0; i < world->rules.count; i++) {
		world->vague[i] = is_vague(&world->rules.at[i].src) ||
				  is_vague(&world->rules.at[i].dst);
		world->any_vague |= world->vague[i];
	}
	learn_icmp(&b);
	add_scenes(&b);
	return true;
}

bool lint_world_has_packets(struct lint_arena *arena, const struct lint_world *world,
			    const struct ipfi_rule *rule, u32 fields)
{
	struct lint_world copy = *world;
	struct builder b = { .arena = arena, .world = &copy };
	struct lint_mark mark = lint_mark(arena);
	bool found = false;

	learn_icmp(&b);
	for (size_t i = 0; i < ARRAY_SIZE(ways) && !found; i++) {
		for (int k = 0; k < 2 * __LINT_KINDS && !found; k++) {
			enum lint_kind kind = k % __LINT_KINDS;
			struct lint_scene scene;
			struct sink sink;

			if (!exists(&ways[i], kind, false) || !(rule->lists >> ways[i].list & 1))
				continue;
			scene = new_scene(&b, &ways[i], k < __LINT_KINDS ? 4 : 6, kind, false);
			set_columns(&scene, fields);
			sink = open_sink(&b, &scene);
			put_rule(&b, &sink, rule, fields);
			found = scene.count;
		}
		lint_release(arena, mark);
	}
	return found;
}
