// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: the rule matcher. A rule and a packet are made of the input's bytes, from few values
 * so that they often meet, and ipfi_rule_differs() has to answer as a slow reading of core/rule.h
 * does that shares nothing with it. The rate limit is held against its definition in numbers that
 * cannot overflow.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "module/core/rule.h"

#define RANGES_MOST 3
#define FIELDS ((1U << __IPFI_FIELD_END) - 1)

/* The input, which ends in zeros without end. */
struct input {
	const uint8_t *at;
	size_t left;
};

static u8 take8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static u32 take32(struct input *in)
{
	u32 value = 0;
	int i;

	for (i = 0; i < 4; i++)
		value = value << 8 | take8(in);
	return value;
}

/* A number near one of the places where numbers change their nature. */
static u32 take_number(struct input *in)
{
	static const u32 places[] = {
		/* clang-format off */
		0, 1, 6, 17, 53, 132, 255, 256, 0x0102, 0x0201, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
		/* clang-format on */
	};
	u8 byte = take8(in);

	return places[byte & 15] + (byte >> 6);
}

static u64 take_time(struct input *in)
{
	u8 shift = take8(in) & 63;

	return (u64)take32(in) << shift | take32(in);
}

static struct ipfi_addr take_addr(struct input *in, u8 family)
{
	struct ipfi_addr addr = { { 0 } };
	int i;

	for (i = 0; i < (family == 4 ? 1 : 4); i++)
		addr.w[i] = take_number(in);
	return addr;
}

static void take_name(struct input *in, char name[IPFI_DEVICE_LEN])
{
	u8 length = take8(in) % IPFI_DEVICE_LEN;
	int i;

	memset(name, 0, IPFI_DEVICE_LEN);
	for (i = 0; i < length; i++)
		name[i] = "ab*c"[take8(in) & 3];
}

struct ranges_room {
	struct ipfi_range ranges[RANGES_MOST];
};

static struct ipfi_ranges take_ranges(struct input *in, struct ranges_room *room)
{
	struct ipfi_ranges ranges = { room->ranges, take8(in) % (RANGES_MOST + 1) };
	u32 i;

	for (i = 0; i < ranges.count; i++) {
		room->ranges[i].from = take_number(in);
		room->ranges[i].to = take8(in) & 1 ? take_number(in) : room->ranges[i].from;
	}
	return ranges;
}

struct addrs_room {
	struct ipfi_addr_range v4[RANGES_MOST], v6[RANGES_MOST];
};

static struct ipfi_addrs take_addrs(struct input *in, struct addrs_room *room)
{
	u8 counts = take8(in);
	struct ipfi_addrs addrs = {
		.v4 = room->v4,
		.v6 = room->v6,
		.v4_count = (counts & 15) % (RANGES_MOST + 1),
		.v6_count = (counts >> 4 & 7) % (RANGES_MOST + 1),
		.me = counts >> 7,
	};
	u32 i;

	for (i = 0; i < addrs.v4_count; i++) {
		room->v4[i].from = take_addr(in, 4);
		room->v4[i].to = take8(in) & 1 ? take_addr(in, 4) : room->v4[i].from;
	}
	for (i = 0; i < addrs.v6_count; i++) {
		room->v6[i].from = take_addr(in, 6);
		room->v6[i].to = take8(in) & 1 ? take_addr(in, 6) : room->v6[i].from;
	}
	return addrs;
}

/* What surrounds the rule, and how often it was asked. */
struct world {
	const struct ipfi_rule *rule;
	bool me[2]; /* is the source one of mine, the destination? */
	const struct ipfi_packet *packet;
	bool within_limit;
	u32 states;
	int asked_limit, asked_states;
};

static bool is_me(void *context, u8 family, const struct ipfi_addr *addr)
{
	struct world *w = context;

	CHECK(family == w->packet->tuple.family);
	CHECK(addr == &w->packet->tuple.src || addr == &w->packet->tuple.dst);
	return w->me[addr == &w->packet->tuple.dst];
}

static bool take_limit(void *context, const struct ipfi_rule *rule)
{
	struct world *w = context;

	CHECK(rule == w->rule);
	w->asked_limit++;
	return w->within_limit;
}

static u32 source_states(void *context, const struct ipfi_rule *rule, const struct ipfi_tuple *tuple)
{
	struct world *w = context;

	CHECK(rule == w->rule && tuple->family == w->packet->tuple.family);
	CHECK(ipfi_addr_equal(&tuple->src, &w->packet->tuple.src));
	w->asked_states++;
	return w->states;
}

/* The slow reading. Each field is 1 in the set, 0 outside, -1 when the packet has no such thing. */

static int slow_number(const struct ipfi_ranges *ranges, u32 value)
{
	int inside = 0;
	u32 i;

	for (i = 0; i < ranges->count; i++)
		inside |= !(value < ranges->at[i].from) && !(ranges->at[i].to < value);
	return inside;
}

static void spell(const struct ipfi_addr *addr, u8 bytes[16])
{
	int i;

	for (i = 0; i < 16; i++)
		bytes[i] = (u8)(addr->w[i / 4] >> (24 - i % 4 * 8));
}

static int slow_addr(const struct ipfi_addrs *addrs, u8 family, const struct ipfi_addr *addr,
		     bool me)
{
	const struct ipfi_addr_range *ranges = family == 4 ? addrs->v4 : addrs->v6;
	u32 count = family == 4 ? addrs->v4_count : addrs->v6_count, i;
	u8 value[16], from[16], to[16];
	int inside = addrs->me && me;

	spell(addr, value);
	for (i = 0; i < count; i++) {
		spell(&ranges[i].from, from);
		spell(&ranges[i].to, to);
		inside |= memcmp(from, value, 16) <= 0 && memcmp(value, to, 16) <= 0;
	}
	return inside;
}

static int slow_device(const char *pattern, const char *name)
{
	size_t length = strlen(pattern);

	if (!name)
		return -1;
	if (length && pattern[length - 1] == '*')
		return !strncmp(pattern, name, length - 1);
	return !strcmp(pattern, name);
}

static int slow_port(const struct ipfi_rule *rule, const struct ipfi_packet *packet,
		     const struct ipfi_ranges *ranges, u32 port)
{
	bool names_protocol =
		rule->fields & 1U << IPFI_FIELD_PROTO && !(rule->negated & 1U << IPFI_FIELD_PROTO);

	if (!packet->has_ports)
		return -1;
	if (packet->tuple.proto == 6 || packet->tuple.proto == 17 || names_protocol)
		return slow_number(ranges, port);
	return -1;
}

static void slow_fields(const struct ipfi_rule *rule, const struct ipfi_packet *packet,
			const struct world *w, int answers[__IPFI_FIELD_END])
{
	const struct ipfi_tuple *tuple = &packet->tuple;
	u32 icmp = (tuple->family == 6 ? 0x10000U : 0) + packet->icmp;

	answers[IPFI_FIELD_FAMILY] = rule->family == tuple->family;
	answers[IPFI_FIELD_IIF] = slow_device(rule->iif, packet->iif_name);
	answers[IPFI_FIELD_OIF] = slow_device(rule->oif, packet->oif_name);
	answers[IPFI_FIELD_PROTO] = slow_number(&rule->proto, tuple->proto);
	answers[IPFI_FIELD_SRC] = slow_addr(&rule->src, tuple->family, &tuple->src, w->me[0]);
	answers[IPFI_FIELD_DST] = slow_addr(&rule->dst, tuple->family, &tuple->dst, w->me[1]);
	answers[IPFI_FIELD_SPORT] = slow_port(rule, packet, &rule->sport, tuple->sport);
	answers[IPFI_FIELD_DPORT] = slow_port(rule, packet, &rule->dport, tuple->dport);
	answers[IPFI_FIELD_ICMP] = packet->icmp_kind ? slow_number(&rule->icmp, icmp) : -1;
	answers[IPFI_FIELD_TCP_FLAGS] =
		tuple->proto == 6 ? !((packet->tcp_flags & rule->tcp_mask) ^ rule->tcp_value) : -1;
	answers[IPFI_FIELD_LENGTH] = slow_number(&rule->length, packet->length);
	answers[IPFI_FIELD_DSCP] = slow_number(&rule->dscp, packet->dscp);
	answers[IPFI_FIELD_USER] = packet->has_user ? slow_number(&rule->user, packet->user) : -1;
	answers[IPFI_FIELD_MARK] = !((packet->mark & rule->mark_mask) ^ rule->mark_value);
	answers[IPFI_FIELD_IPSEC] = rule->ipsec == (packet->list == IPFI_LIST_OUT || packet->list == IPFI_LIST_SRCNAT ?
							    packet->leaves_by_ipsec :
							    packet->came_by_ipsec);
	answers[IPFI_FIELD_LIMIT] = w->within_limit;
	answers[IPFI_FIELD_PER_SOURCE] = w->states < rule->per_source;
}

static int slow_differs(const struct ipfi_rule *rule, const struct ipfi_packet *packet,
			const struct world *w)
{
	int answers[__IPFI_FIELD_END], field, first = -1;
	bool limit_differs = false, matches;

	slow_fields(rule, packet, w, answers);
	for (field = __IPFI_FIELD_END - 1; field >= 0; field--) {
		u32 bit = 1U << field;

		if (!(rule->fields & bit))
			continue;
		if (packet->unknown & bit)
			matches = rule->verdict == IPFI_VERDICT_ALLOW;
		else if (rule->negated & bit && IPFI_FIELDS_NEGATABLE & bit)
			matches = answers[field] == 0;
		else
			matches = answers[field] == 1;
		if (matches)
			continue;
		if (field == IPFI_FIELD_LIMIT)
			limit_differs = true;
		else
			first = field;
	}
	return first == -1 && limit_differs ? IPFI_FIELD_LIMIT : first;
}

static void check_rate(struct input *in)
{
	u64 arrival = take_time(in), now = take_time(in), interval = take_time(in), next = 42;
	u32 burst = take_number(in);
	unsigned __int128 tolerance = (unsigned __int128)interval * (burst ? burst - 1 : 0);
	unsigned __int128 later = (unsigned __int128)(arrival > now ? arrival : now) + interval;
	const u64 end = ~0ULL;

	if (arrival <= now + tolerance) {
		CHECK(ipfi_rate_conforms(arrival, now, interval, burst, &next));
		CHECK(next == (later > end ? end : (u64)later));
	} else {
		CHECK(!ipfi_rate_conforms(arrival, now, interval, burst, &next));
		CHECK(next == 42);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u8 protos[] = { IPFI_PROTO_TCP, IPFI_PROTO_UDP, IPFI_PROTO_SCTP,
				     IPFI_PROTO_ICMP, 0 };
	struct ranges_room proto, sport, dport, icmp, length, dscp, user;
	struct addrs_room src, dst;
	char iif[IPFI_DEVICE_LEN], oif[IPFI_DEVICE_LEN];
	struct input in = { data, size };
	struct ipfi_packet packet;
	struct ipfi_rule rule;
	struct world world;
	const struct ipfi_match_env around = {
		.is_me = is_me,
		.take_limit = take_limit,
		.source_states = source_states,
		.context = &world,
	};
	u32 before_limit;
	int expected;
	u8 bits;

	memset(&rule, 0, sizeof(rule));
	rule.name = "fuzz";
	rule.fields = take32(&in) & FIELDS;
	rule.negated = take32(&in) & rule.fields;
	bits = take8(&in);
	rule.verdict = (u8)(IPFI_VERDICT_ALLOW + bits % 3);
	rule.family = bits & 0x80 ? 4 : 6;
	rule.tcp_mask = take8(&in);
	rule.tcp_value = take8(&in) & rule.tcp_mask;
	take_name(&in, rule.iif);
	take_name(&in, rule.oif);
	rule.src = take_addrs(&in, &src);
	rule.dst = take_addrs(&in, &dst);
	rule.proto = take_ranges(&in, &proto);
	rule.sport = take_ranges(&in, &sport);
	rule.dport = take_ranges(&in, &dport);
	rule.icmp = take_ranges(&in, &icmp);
	rule.length = take_ranges(&in, &length);
	rule.dscp = take_ranges(&in, &dscp);
	rule.user = take_ranges(&in, &user);
	rule.mark_value = take_number(&in);
	rule.mark_mask = take_number(&in);
	rule.per_source = take8(&in) & 3;

	memset(&packet, 0, sizeof(packet));
	bits = take8(&in);
	packet.tuple.family = bits & 1 ? 6 : 4;
	packet.tuple.proto = protos[(bits >> 1) % 5];
	packet.has_ports = !!(bits & 0x10);
	packet.icmp_kind = bits & 0x20 ? IPFI_ICMP_QUERY : IPFI_ICMP_NONE;
	packet.has_user = !!(bits & 0x40);
	packet.tuple.src = take_addr(&in, packet.tuple.family);
	packet.tuple.dst = take_addr(&in, packet.tuple.family);
	packet.tuple.sport = (u16)take_number(&in);
	packet.tuple.dport = (u16)take_number(&in);
	packet.icmp = (u16)take_number(&in);
	packet.tcp_flags = take8(&in);
	packet.length = take_number(&in);
	packet.dscp = take8(&in) & 63;
	packet.user = take_number(&in);
	packet.mark = take_number(&in);
	packet.unknown = take8(&in) & 1 ? take32(&in) & FIELDS : 0;
	bits = take8(&in);
	take_name(&in, iif);
	take_name(&in, oif);
	packet.iif_name = bits & 1 ? NULL : iif;
	packet.oif_name = bits & 2 ? NULL : oif;

	memset(&world, 0, sizeof(world));
	world.rule = &rule;
	world.packet = &packet;
	world.me[0] = bits & 4;
	world.me[1] = bits & 8;
	world.within_limit = bits & 16;
	world.states = bits >> 5 & 3;

	expected = slow_differs(&rule, &packet, &world);
	CHECK(ipfi_rule_differs(&rule, &packet, &around) == expected);

	/* The limit was asked once if all else matched, else not at all. */
	before_limit = rule.fields & ~packet.unknown & 1U << IPFI_FIELD_LIMIT;
	CHECK(world.asked_limit ==
	      (before_limit && (expected == -1 || expected == IPFI_FIELD_LIMIT)));
	CHECK(world.asked_states <= 1);

	check_rate(&in);
	return 0;
}
