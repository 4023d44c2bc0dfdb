// SPDX-License-Identifier: GPL-2.0-or-later
/* lint: the library ipfi.c.lint. See lint.h. */
#include <lauxlib.h>

#include "shell/address.h"
#include "shell/interrupt.h"
#include "shell/lint/library.h"
#include "shell/lint/findings.h"

/* Comparisons of boxes that proofs about one rule may take, and all of them: some seconds. */
#define RULE_STEPS 4000000
#define ALL_STEPS 400000000

/* The memory of a call, which Lua frees whatever happens. */
struct memory {
	struct lint_arena arena, scratch;
	jmp_buf full;
};

static const char *const kinds[] = {
	[LINT_DEAD] = "dead",
	[LINT_SHADOWED] = "shadowed",
	[LINT_REDUNDANT] = "redundant",
};

static int free_memory(lua_State *L)
{
	struct memory *memory = lua_touserdata(L, 1);

	lint_arena_free(&memory->arena);
	lint_arena_free(&memory->scratch);
	return 0;
}

static struct memory *push_memory(lua_State *L)
{
	struct memory *memory = lua_newuserdatauv(L, sizeof(*memory), 0);

	memset(memory, 0, sizeof(*memory));
	memory->arena.full = &memory->full;
	memory->scratch.full = &memory->full;
	if (luaL_newmetatable(L, "ipfi.lint.memory")) {
		lua_pushcfunction(L, free_memory);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return memory;
}

static void set_integer(lua_State *L, const char *name, lua_Integer value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, name);
}

static void set_name(lua_State *L, const char *name, const struct schema_names *names,
		     unsigned int value)
{
	lua_pushstring(L, schema_value_name(names, value));
	lua_setfield(L, -2, name);
}

/* The names of an enum of the family. */
static const struct schema_names *names_of(const char *name)
{
	for (const struct schema_names *const *names = schema_enums; *names; names++)
		if (strcmp((*names)->name, name) == 0)
			return *names;
	return NULL;
}

static void set_address(lua_State *L, const char *name, u8 family, const struct ipfi_addr *addr)
{
	size_t len = family == 4 ? 4 : 16;
	char text[ADDRESS_TEXT_LEN];
	uint8_t bytes[16];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(addr->w[i / 4] >> (24 - 8 * (i % 4)));
	lua_pushlstring(L, text, address_format(bytes, len, text));
	lua_setfield(L, -2, name);
}

/* What is told of an end's address: own = true, sets = { names }. */
static void set_facts(lua_State *L, const char *name, const struct lint_rules *rules,
		      const struct lint_packet *packet, u32 side)
{
	lua_Integer place = 0;

	lua_newtable(L);
	lua_pushboolean(L, packet->facts >> (LINT_ME_SRC + side) & 1);
	lua_setfield(L, -2, "own");
	lua_newtable(L);
	for (u32 i = 0; i < rules->set_count && i < LINT_SETS_MOST; i++) {
		if (!(packet->facts >> LINT_IN_SET(i, side) & 1))
			continue;
		lua_pushstring(L, rules->sets[i]->name);
		lua_rawseti(L, -2, ++place);
	}
	lua_setfield(L, -2, "sets");
	lua_setfield(L, -2, name);
}

static void push_packet(lua_State *L, const struct lint_rules *rules,
			const struct lint_packet *packet)
{
	const struct ipfi_packet *core = &packet->core;

	lua_createtable(L, 0, 20);
	set_name(L, "list", names_of("list"), core->list);
	set_integer(L, "family", core->tuple.family);
	set_integer(L, "proto", core->tuple.proto);
	set_address(L, "src", core->tuple.family, &core->tuple.src);
	set_address(L, "dst", core->tuple.family, &core->tuple.dst);
	set_facts(L, "src_is", rules, packet, 0);
	set_facts(L, "dst_is", rules, packet, 1);
	if (core->has_ports) {
		set_integer(L, "sport", core->tuple.sport);
		set_integer(L, "dport", core->tuple.dport);
	}
	if (core->icmp_kind != IPFI_ICMP_NONE) {
		set_integer(L, "icmp_type", core->icmp >> 8);
		set_integer(L, "icmp_code", core->icmp & 0xff);
	}
	if (packet->scene->kind == LINT_TCP)
		set_integer(L, "flags", core->tcp_flags);
	set_integer(L, "length", core->length);
	set_integer(L, "dscp", core->dscp);
	set_integer(L, "mark", core->mark);
	if (core->came_by_ipsec) {
		lua_pushboolean(L, true);
		lua_setfield(L, -2, "ipsec");
	}
	if (core->has_user)
		set_integer(L, "user", core->user);
	if (core->iif_name) {
		lua_pushstring(L, core->iif_name);
		lua_setfield(L, -2, "iif");
	}
	if (core->oif_name) {
		lua_pushstring(L, core->oif_name);
		lua_setfield(L, -2, "oif");
	}
	if (packet->scene->again) {
		lua_pushboolean(L, true);
		lua_setfield(L, -2, "again");
	}
}

static void set_by(lua_State *L, const struct lint_finding *f)
{
	lua_createtable(L, (int)f->by_count, 0);
	for (u32 i = 0; i < f->by_count; i++) {
		lua_pushinteger(L, (lua_Integer)f->by[i] + 1);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "by");
}

static void set_fields(lua_State *L, u32 fields)
{
	const struct schema_names *names = names_of("field");
	lua_Integer place = 0;

	lua_newtable(L);
	for (unsigned int i = 0; i < names->count; i++) {
		if (!(fields >> i & 1))
			continue;
		lua_pushstring(L, schema_value_name(names, i));
		lua_rawseti(L, -2, ++place);
	}
	lua_setfield(L, -2, "fields");
}

static void push_finding(lua_State *L, const struct lint_rules *rules, const struct lint_finding *f)
{
	lua_createtable(L, 0, 8);
	lua_pushstring(L, kinds[f->kind]);
	lua_setfield(L, -2, "kind");
	set_integer(L, "rule", (lua_Integer)f->rule + 1);
	set_by(L, f);
	lua_pushboolean(L, f->by_default);
	lua_setfield(L, -2, "by_default");
	if (f->kind == LINT_DEAD) {
		set_fields(L, f->fields);
		return;
	}
	push_packet(L, rules, &f->packet);
	lua_setfield(L, -2, "packet");
	if (f->meets)
		set_integer(L, "meets", (lua_Integer)f->meets->index + 1);
}

/* Reads { rule = number } of the length that is wanted. */
static u32 *take_effects(lua_State *L, struct memory *memory, int index, u32 count)
{
	u32 *effects = lint_zalloc(&memory->arena, count, sizeof(*effects));

	for (u32 i = 0; i < count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i + 1);
		effects[i] = (u32)lua_tointeger(L, -1);
		lua_pop(L, 1);
	}
	return effects;
}

/* Reads options[name] or what is usual. */
static lua_Integer option(lua_State *L, int index, const char *name, lua_Integer usual)
{
	lua_Integer value = usual;

	if (lua_istable(L, index)) {
		if (lua_getfield(L, index, name) != LUA_TNIL)
			value = lua_tointeger(L, -1);
		lua_pop(L, 1);
	}
	return value;
}

static void take_defaults(lua_State *L, int index, struct lint_inquiry *inquiry)
{
	const struct schema_names *lists = names_of("list");

	for (unsigned int i = 0; i < __IPFI_LIST_END; i++)
		inquiry->defaults[i] =
			(u32)option(L, index, schema_value_name(lists, i), UINT32_MAX);
}

static void push_answer(lua_State *L, const struct lint_world *world,
			const struct lint_inquiry *inquiry, bool reached)
{
	lua_Integer place = 0;

	lua_createtable(L, 0, 6);
	lua_createtable(L, (int)inquiry->count, 0);
	for (u32 i = 0; i < inquiry->count; i++) {
		push_finding(L, &world->rules, &inquiry->findings[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "findings");
	lua_newtable(L);
	for (u32 i = 0; i < world->rules.count; i++) {
		if (inquiry->fates[i] != LINT_FATE_UNKNOWN)
			continue;
		lua_pushinteger(L, (lua_Integer)i + 1);
		lua_rawseti(L, -2, ++place);
	}
	lua_setfield(L, -2, "unknown");
	set_integer(L, "steps", (lua_Integer)inquiry->steps);
	set_integer(L, "refuted", inquiry->refuted);
	set_integer(L, "scenes", world->scene_count);
	if (!reached)
		return;
	lua_newtable(L);
	for (u32 i = 0; i < world->rules.count; i++) {
		if (!inquiry->reaches[i].scene)
			continue;
		push_packet(L, &world->rules, &inquiry->reaches[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "reached");
}

/* All that may run out of memory. False when it did, or the bytes are wrong. */
static bool inquire(lua_State *L, struct memory *memory, struct lint_world *world,
		    struct lint_inquiry *inquiry, struct wire_error *error)
{
	size_t len;
	const char *bytes = lua_tolstring(L, 1, &len);

	error->why = "not enough memory";
	if (setjmp(memory->full))
		return false;
	if (!lint_world_read(&memory->arena, bytes, len, world, error))
		return false;
	inquiry->effects = take_effects(L, memory, 2, world->rules.count);
	lint_inquire(inquiry);
	return true;
}

/*
 * check(messages, effects, defaults, options) -> { findings, unknown, steps, refuted, scenes,
 * reached }
 *
 * messages are the bytes of a transaction. effects has for each of its rules, in order, a number
 * that is the same for those that do the same to a packet; defaults such a number for each list, {
 * ["in"] =, out =, forward = }. options: steps and all_steps, see lint_findings.h; reached = true
 * when packets that reach their rules are wanted.
 *
 * findings is a list of { kind = "dead", "shadowed" or "redundant", rule =, by = { rules },
 * by_default =, fields = { names }, packet =, meets = rule }; rules are places in the transaction,
 * from 1. unknown has the rules that nothing could be proven of. A packet has list, family, proto,
 * src, dst, sport, dport, icmp_type, icmp_code, flags, length, dscp, mark, ipsec, user, iif, oif, where it
 * has them, and src_is and dst_is, { own =, sets = { names } }; again = true for one that stands
 * for a live connection judged again. Raises an error when the bytes are no messages, without
 * memory and when it is interrupted.
 */
static int lib_check(lua_State *L)
{
	struct lint_world world = { 0 };
	struct lint_inquiry inquiry = { .world = &world, .stop = interrupt_pending };
	struct wire_error error = { 0 };
	struct memory *memory;
	bool reached = false;

	luaL_checktype(L, 1, LUA_TSTRING);
	luaL_checktype(L, 2, LUA_TTABLE);
	luaL_checktype(L, 3, LUA_TTABLE);
	lua_settop(L, 4);
	inquiry.rule_steps = (u64)option(L, 4, "steps", RULE_STEPS);
	inquiry.all_steps = (u64)option(L, 4, "all_steps", ALL_STEPS);
	take_defaults(L, 3, &inquiry);
	if (lua_istable(L, 4)) {
		lua_getfield(L, 4, "reached");
		reached = lua_toboolean(L, -1);
		lua_pop(L, 1);
	}
	memory = push_memory(L);
	inquiry.arena = &memory->arena;
	inquiry.scratch = &memory->scratch;
	if (!inquire(L, memory, &world, &inquiry, &error))
		return luaL_error(L, "lint: %s", error.why);
	if (inquiry.stopped)
		return luaL_error(L, "interrupted!");
	push_answer(L, &world, &inquiry, reached);
	/* The next call may come before the collector does. */
	lint_arena_free(&memory->arena);
	lint_arena_free(&memory->scratch);
	return 1;
}

int lint_open(lua_State *L)
{
	static const luaL_Reg library[] = {
		{ "check", lib_check },
		{ NULL, NULL },
	};

	luaL_newlib(L, library);
	return 1;
}
