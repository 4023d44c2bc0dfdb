// SPDX-License-Identifier: GPL-2.0-or-later
/* transfer: see transfer.h. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "shell/sandbox/transfer.h"

/* Tables in tables. The policy language allows 64 levels of lists; a rule's fields have a few. */
#define DEPTH_MOST 200

/* Strings from this length on go over once, however often they are met (LUAI_MAXSHORTLEN: shorter
 * ones Lua itself keeps once).
 */
#define LONG_STRING 41

/* What things take of Lua's memory, about: for the limit of decode(). */
#define TABLE_COST 64
#define ITEM_COST 32
#define PAIR_COST 64
#define STRING_COST 32

#define BYTES_TYPE "ipfi.transfer"

enum tag {
	TAG_NIL = 'n',
	TAG_FALSE = 'f',
	TAG_TRUE = 't',
	TAG_INTEGER = 'i',
	TAG_FLOAT = 'd',
	TAG_STRING = 's',
	TAG_FUNCTION = 'F',
	TAG_ATOM = 'a',
	TAG_AGAIN = 'r',
	TAG_TABLE = 'T',
};

/* Encoding */

/* The bytes belong to a userdata, so that an error frees them. */
struct encoder {
	lua_State *L;
	int seen;	    /* stack index: table from a table or string to its number, atoms below 0 */
	lua_Integer number; /* of the last one */
	uint8_t *data;
	size_t len, room, most;
	int depth;
};

static void drop_bytes(struct encoder *e)
{
	free(e->data);
	e->data = NULL;
}

static int encoder_gc(lua_State *L)
{
	drop_bytes(lua_touserdata(L, 1));
	return 0;
}

static struct encoder *push_encoder(lua_State *L)
{
	struct encoder *e = lua_newuserdatauv(L, sizeof(*e), 0);

	memset(e, 0, sizeof(*e));
	e->L = L;
	if (luaL_newmetatable(L, BYTES_TYPE)) {
		lua_pushcfunction(L, encoder_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return e;
}

static uint8_t *reserve(struct encoder *e, size_t len)
{
	if (len > e->most - e->len)
		luaL_error(e->L, "it is too large");
	if (len > e->room - e->len) {
		size_t room = e->room ? e->room * 2 : 4096;
		uint8_t *data;

		while (room < e->len + len)
			room *= 2;
		data = realloc(e->data, room);
		if (!data)
			luaL_error(e->L, "not enough memory");
		e->data = data;
		e->room = room;
	}
	return e->data + e->len;
}

static void put_byte(struct encoder *e, uint8_t byte)
{
	*reserve(e, 1) = byte;
	e->len++;
}

static void put_bytes(struct encoder *e, const void *bytes, size_t len)
{
	if (!len)
		return;
	memcpy(reserve(e, len), bytes, len);
	e->len += len;
}

static void put_number(struct encoder *e, uint64_t number)
{
	while (number >= 0x80) {
		put_byte(e, (uint8_t)(number | 0x80));
		number >>= 7;
	}
	put_byte(e, (uint8_t)number);
}

static void put_integer(struct encoder *e, lua_Integer value)
{
	uint64_t bits = (uint64_t)value;

	put_byte(e, TAG_INTEGER);
	put_number(e, bits << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

/*
 * Looks the value on top of the stack up among those met before, and puts its number when it is
 * one of them. A new one gets the next number.
 */
static bool put_again(struct encoder *e)
{
	lua_Integer number;

	lua_pushvalue(e->L, -1);
	lua_rawget(e->L, e->seen);
	number = lua_tointeger(e->L, -1);
	lua_pop(e->L, 1);
	if (number) {
		put_byte(e, number < 0 ? TAG_ATOM : TAG_AGAIN);
		put_number(e, (uint64_t)(number < 0 ? -number : number));
		return true;
	}
	lua_pushvalue(e->L, -1);
	lua_pushinteger(e->L, ++e->number);
	lua_rawset(e->L, e->seen);
	return false;
}

static void put_string(struct encoder *e)
{
	size_t len;
	const char *text = lua_tolstring(e->L, -1, &len);

	if (len >= LONG_STRING && put_again(e))
		return;
	put_byte(e, TAG_STRING);
	put_number(e, len);
	put_bytes(e, text, len);
}

/* The number of the metatable of the table on top of the stack, when it is an atom; else 0. */
static uint64_t metatable_of(struct encoder *e)
{
	lua_Integer number;

	if (!lua_getmetatable(e->L, -1))
		return 0;
	lua_rawget(e->L, e->seen);
	number = lua_tointeger(e->L, -1);
	lua_pop(e->L, 1);
	return number < 0 ? (uint64_t)-number : 0;
}

static bool is_item(lua_State *L, int index, lua_Unsigned items)
{
	return lua_isinteger(L, index) && (lua_Unsigned)lua_tointeger(L, index) - 1 < items;
}

static void put_value(struct encoder *e);

static void put_table(struct encoder *e)
{
	lua_State *L = e->L;
	lua_Unsigned items = lua_rawlen(L, -1);
	uint64_t pairs = 0;

	if (put_again(e))
		return;
	if (++e->depth > DEPTH_MOST)
		luaL_error(L, "it has tables in tables, more than %d deep", DEPTH_MOST);
	luaL_checkstack(L, 8, NULL);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		pairs += !is_item(L, -2, items);
	put_byte(e, TAG_TABLE);
	put_number(e, metatable_of(e));
	put_number(e, items);
	put_number(e, pairs);
	for (lua_Unsigned i = 1; i <= items; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i);
		put_value(e);
		lua_pop(L, 1);
	}
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (is_item(L, -2, items))
			continue;
		lua_pushvalue(L, -2);
		put_value(e);
		lua_pop(L, 1);
		put_value(e);
	}
	e->depth--;
}

/* Puts the value on top of the stack, which stays there. */
static void put_value(struct encoder *e)
{
	lua_State *L = e->L;
	lua_Number number;

	switch (lua_type(L, -1)) {
	case LUA_TNIL:
		put_byte(e, TAG_NIL);
		break;
	case LUA_TBOOLEAN:
		put_byte(e, lua_toboolean(L, -1) ? TAG_TRUE : TAG_FALSE);
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(L, -1)) {
			put_integer(e, lua_tointeger(L, -1));
			break;
		}
		number = lua_tonumber(L, -1);
		put_byte(e, TAG_FLOAT);
		put_bytes(e, &number, sizeof(number));
		break;
	case LUA_TSTRING:
		put_string(e);
		break;
	case LUA_TTABLE:
		put_table(e);
		break;
	case LUA_TFUNCTION:
		put_byte(e, TAG_FUNCTION);
		break;
	default:
		luaL_error(L, "it holds a %s", luaL_typename(L, -1));
	}
}

/*
 * encode(value, atoms, most) -> bytes
 *
 * atoms is a list of tables that both sides have: they go over as their place in it. A metatable
 * that is none of them is left behind, and of functions only that there was one. Raises an error
 * that says of the value what is wrong with it: nested too deep, more than most bytes, a thread or
 * userdata in it.
 */
static int transfer_encode(lua_State *L)
{
	lua_Integer most = luaL_checkinteger(L, 3);
	struct encoder *e;

	luaL_checkany(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	luaL_argcheck(L, most > 0, 3, "too small");
	lua_settop(L, 3);
	lua_newtable(L);
	for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TTABLE; i++) {
		lua_pushinteger(L, -i);
		lua_rawset(L, 4);
	}
	lua_pop(L, 1);
	e = push_encoder(L);
	e->seen = 4;
	e->most = (size_t)most;
	lua_pushvalue(L, 1);
	put_value(e);
	lua_pushlstring(L, (const char *)e->data, e->len);
	drop_bytes(e);
	return 1;
}

/* Decoding */

struct decoder {
	lua_State *L;
	int atoms, stand_in, met; /* stack indices; met is the list of what may be met again */
	lua_Integer number;	  /* of the last one */
	const uint8_t *at, *end;
	size_t left; /* memory that it may still take */
	int depth;
};

static int bad(struct decoder *d)
{
	return luaL_error(d->L, "it is damaged");
}

static size_t rest(const struct decoder *d)
{
	return (size_t)(d->end - d->at);
}

/* Takes count times cost from what is left of the memory. */
static void pay(struct decoder *d, uint64_t count, size_t cost)
{
	if (count > d->left / cost)
		luaL_error(d->L, "it is too large");
	d->left -= (size_t)count * cost;
}

static uint8_t get_byte(struct decoder *d)
{
	if (d->at == d->end)
		bad(d);
	return *d->at++;
}

static uint64_t get_number(struct decoder *d)
{
	uint64_t number = 0;
	uint8_t byte;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		byte = get_byte(d);
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	bad(d);
	return 0;
}

/* Of values that take at least so many bytes each. */
static uint64_t get_count(struct decoder *d, size_t least)
{
	uint64_t count = get_number(d);

	if (count > rest(d) / least)
		bad(d);
	return count;
}

/* Gives the value on top of the stack the next number. */
static void note(struct decoder *d)
{
	lua_pushvalue(d->L, -1);
	lua_rawseti(d->L, d->met, ++d->number);
}

static void get_string(struct decoder *d)
{
	uint64_t len = get_count(d, 1);

	pay(d, 1, STRING_COST);
	pay(d, len, 1);
	lua_pushlstring(d->L, (const char *)d->at, (size_t)len);
	d->at += len;
	if (len >= LONG_STRING)
		note(d);
}

/* Pushes the numbered value of a list; there must be one. */
static void get_from(struct decoder *d, int list, uint64_t number)
{
	if (number > INT32_MAX ||
	    lua_rawgeti(d->L, list, (lua_Integer)number) == LUA_TNIL)
		bad(d);
}

static void get_value(struct decoder *d);

static void get_pair(struct decoder *d)
{
	lua_Number number;

	get_value(d);
	number = lua_type(d->L, -1) == LUA_TNUMBER ? lua_tonumber(d->L, -1) : 0;
	if (lua_isnil(d->L, -1) || number != number)
		bad(d);
	get_value(d);
	lua_rawset(d->L, -3);
}

static void get_table(struct decoder *d)
{
	lua_State *L = d->L;
	uint64_t metatable = get_number(d), items = get_count(d, 1), pairs = get_count(d, 2);

	if (++d->depth > DEPTH_MOST || items > INT32_MAX || pairs > INT32_MAX / 4)
		bad(d);
	luaL_checkstack(L, 8, NULL);
	pay(d, 1, TABLE_COST);
	pay(d, items, ITEM_COST);
	pay(d, pairs, PAIR_COST);
	lua_createtable(L, (int)items, (int)pairs);
	note(d);
	for (uint64_t i = 1; i <= items; i++) {
		get_value(d);
		lua_rawseti(L, -2, (lua_Integer)i);
	}
	for (; pairs; pairs--)
		get_pair(d);
	if (metatable) {
		get_from(d, d->atoms, metatable);
		lua_setmetatable(L, -2);
	}
	d->depth--;
}

/* Pushes the next value. */
static void get_value(struct decoder *d)
{
	lua_State *L = d->L;
	lua_Number number;
	uint64_t bits;

	switch (get_byte(d)) {
	case TAG_NIL:
		lua_pushnil(L);
		break;
	case TAG_FALSE:
		lua_pushboolean(L, false);
		break;
	case TAG_TRUE:
		lua_pushboolean(L, true);
		break;
	case TAG_INTEGER:
		bits = get_number(d);
		lua_pushinteger(L, (lua_Integer)(bits >> 1 ^ (bits & 1 ? UINT64_MAX : 0)));
		break;
	case TAG_FLOAT:
		if (rest(d) < sizeof(number))
			bad(d);
		memcpy(&number, d->at, sizeof(number));
		d->at += sizeof(number);
		lua_pushnumber(L, number);
		break;
	case TAG_STRING:
		get_string(d);
		break;
	case TAG_FUNCTION:
		lua_pushvalue(L, d->stand_in);
		break;
	case TAG_ATOM:
		get_from(d, d->atoms, get_number(d));
		break;
	case TAG_AGAIN:
		get_from(d, d->met, get_number(d));
		break;
	case TAG_TABLE:
		get_table(d);
		break;
	default:
		bad(d);
	}
}

/*
 * decode(bytes, atoms, stand_in, most) -> value
 *
 * atoms as they were for encode(); stand_in is what stands for every function; most is the memory,
 * in bytes, that the value may take, about. Raises an error that says of the value what is wrong
 * with it. The bytes may be anybody's.
 */
static int transfer_decode(lua_State *L)
{
	struct decoder d = { .L = L, .atoms = 2, .stand_in = 3, .met = 5 };
	size_t len;

	d.at = (const uint8_t *)luaL_checklstring(L, 1, &len);
	d.end = d.at + len;
	luaL_checktype(L, 2, LUA_TTABLE);
	luaL_checktype(L, 3, LUA_TFUNCTION);
	d.left = (size_t)luaL_checkinteger(L, 4);
	lua_settop(L, 4);
	lua_newtable(L);
	get_value(&d);
	if (d.at != d.end)
		bad(&d);
	return 1;
}

int transfer_open(lua_State *L)
{
	static const luaL_Reg library[] = {
		{ "encode", transfer_encode },
		{ "decode", transfer_decode },
		{ NULL, NULL },
	};

	luaL_newlib(L, library);
	return 1;
}
