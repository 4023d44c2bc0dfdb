// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_pick: values that a reader may expect. See lint_pick.h. */
#include "module/core/packet.h"
#include "shell/lint/sample.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Addresses for documentation (RFC 5737, RFC 9637). */
#define FROM_V4 0xc0000201 /* 192.0.2.1 */
#define TO_V4 0xc6336401   /* 198.51.100.1 */
const struct ipfi_addr lint_from_v6 = { { 0x3fff0000, 0x00010000, 0, 1 } };
const struct ipfi_addr lint_to_v6 = { { 0x3fff0000, 0x00020000, 0, 1 } };

/* What is chosen where it is free, by field, the best first. */
static const u32 ports[] = { 80, 443, 53, 22 };
static const u32 own_ports[] = { 40000, 1024, 53 };
static const u32 protos[] = { 47, 50, 132, 33 };
static const u32 flags[] = { IPFI_TCP_SYN, IPFI_TCP_SYN | IPFI_TCP_ACK, IPFI_TCP_ACK,
			     IPFI_TCP_RST };
static const u32 messages_v4[] = { 8 << 8, 0, 3 << 8, 11 << 8, 5 << 8 };
static const u32 messages_v6[] = { 128 << 8, 129 << 8, 1 << 8, 3 << 8, 135 << 8 };
static const u32 lengths[] = { 100, 60, 200, 1500 };
static const u32 nobody[] = { LINT_NOBODY, 1000 };
static const u32 zero[] = { 0 };

static u32 pick(const struct lint_set *set, const u32 *liked, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (lint_set_has(set, liked[i]))
			return liked[i];
	return set->from;
}

#define PICK(set, liked) pick(set, liked, ARRAY_SIZE(liked))

/* An address that looks like a host's where the set has one: not below 1.0.0.0, not the first of a
 * network. */
static u32 pick_v4(const struct lint_set *set, u32 liked)
{
	const u32 least = 1U << 24;

	if (lint_set_has(set, liked))
		return liked;
	for (u32 i = 0; i < set->count; i++) {
		u32 from = set->at[i].from > least ? set->at[i].from : least;

		if (from <= set->at[i].to)
			return from < set->at[i].to && !(from & 0xff) ? from + 1 : from;
	}
	return set->from;
}

static u32 pick_v6(const struct lint_world *world, const struct lint_set *set,
		   const struct ipfi_addr *liked)
{
	u32 step = lint_addr_step(&world->addrs, liked);

	if (lint_set_has(set, step))
		return step;
	/* Not :: where there is another. */
	return set->from || set->to == 0 ? set->from : set->to;
}

static u32 pick_name(const struct lint_world *world, const struct lint_set *set, const char *liked)
{
	u32 step = lint_name_step(&world->names, liked);

	if (lint_set_has(set, step))
		return step;
	for (u32 i = 0; i < set->count; i++)
		for (u32 s = set->at[i].from;; s++) {
			if (world->names.names[s][0])
				return s;
			if (s == set->at[i].to)
				break;
		}
	return set->from;
}

const char *lint_pick_device(const struct lint_scene *scene, enum lint_field field)
{
	if (scene->loopback)
		return "lo";
	return field == LINT_OIF && scene->iif ? "eth1" : "eth0";
}

u32 lint_pick(const struct lint_world *world, const struct lint_scene *scene, enum lint_field field,
	      const struct lint_set *set)
{
	switch (field) {
	case LINT_SRC:
		return scene->family == 4 ? pick_v4(set, FROM_V4)
					  : pick_v6(world, set, &lint_from_v6);
	case LINT_DST:
		return scene->family == 4 ? pick_v4(set, TO_V4) : pick_v6(world, set, &lint_to_v6);
	case LINT_DPORT:
		return PICK(set, ports);
	case LINT_SPORT:
		return PICK(set, own_ports);
	case LINT_PROTO:
		return PICK(set, protos);
	case LINT_ICMP:
		return scene->family == 4 ? PICK(set, messages_v4) : PICK(set, messages_v6);
	case LINT_FLAGS:
		return PICK(set, flags);
	case LINT_IIF:
	case LINT_OIF:
		return pick_name(world, set, lint_pick_device(scene, field));
	case LINT_LENGTH:
		return PICK(set, lengths);
	case LINT_USER:
		return PICK(set, nobody);
	default:
		return PICK(set, zero);
	}
}

u64 lint_pick_facts(const struct lint_scene *scene)
{
	u64 facts = 0;

	if (scene->list == IPFI_LIST_IN || scene->loopback)
		facts |= 1ULL << LINT_ME_DST;
	if (scene->list == IPFI_LIST_OUT || scene->loopback)
		facts |= 1ULL << LINT_ME_SRC;
	return facts;
}
