// SPDX-License-Identifier: GPL-2.0-or-later
/* codec: the library ipfi.c.codec. See codec.h. */
#include <lauxlib.h>

#include "shell/netlink/codec.h"

/*
 * encode(messages) -> bytes
 * messages is a list of message tables. Raises an error that names the path of what cannot be sent.
 */
static int lib_encode(lua_State *L)
{
	struct wire_buffer *buffer;
	lua_Unsigned count;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	buffer = codec_push_buffer(L);
	count = lua_rawlen(L, 1);
	for (lua_Unsigned i = 1; i <= count; i++) {
		lua_rawgeti(L, 1, (lua_Integer)i);
		codec_encode(L, 3, &schema_ipfi, buffer);
		lua_pop(L, 1);
	}
	lua_pushlstring(L, buffer->len ? (const char *)buffer->data : "", buffer->len);
	wire_free(buffer);
	return 1;
}

/*
 * decode(bytes) -> list of messages, or nil and "offset N: why" when the bytes are malformed
 */
static int lib_decode(lua_State *L)
{
	struct wire_message message;
	struct wire_error error;
	lua_Integer place = 0;
	size_t len, offset = 0;
	const char *bytes = luaL_checklstring(L, 1, &len);
	int got;

	lua_newtable(L);
	while ((got = wire_next(bytes, len, &offset, &message, &error)) > 0) {
		if (message.header.nlmsg_type == NLMSG_NOOP)
			continue;
		if (!codec_push(L, &schema_ipfi, &message, &error)) {
			got = -1;
			break;
		}
		lua_rawseti(L, -2, ++place);
	}
	if (got == 0)
		return 1;
	lua_pushnil(L);
	lua_pushfstring(L, "offset %I: %s", (LUAI_UACINT)error.offset, error.why);
	return 2;
}

/*
 * checksum(bytes) -> integer
 * FNV-1a of 64 bits (isthe.com/chongo/tech/comp/fnv): against accidents, not against forgers.
 */
static int lib_checksum(lua_State *L)
{
	uint64_t sum = 0xcbf29ce484222325;
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001b3;
	lua_pushinteger(L, (lua_Integer)sum);
	return 1;
}

static void push_names(lua_State *L, const struct schema_names *names)
{
	lua_Integer place = 0;

	lua_newtable(L);
	for (unsigned int i = 0; i < names->count; i++) {
		if (!names->names[i])
			continue;
		lua_createtable(L, 0, 2);
		lua_pushstring(L, names->names[i]);
		lua_setfield(L, -2, "name");
		lua_pushinteger(L, i);
		lua_setfield(L, -2, "value");
		lua_rawseti(L, -2, ++place);
	}
}

static void push_attr(lua_State *L, const struct schema_attr *attr, unsigned int number)
{
	lua_createtable(L, 0, 8);
	lua_pushstring(L, attr->name);
	lua_setfield(L, -2, "name");
	lua_pushstring(L, schema_type_name(attr->type));
	lua_setfield(L, -2, "type");
	lua_pushinteger(L, number);
	lua_setfield(L, -2, "number");
	if (attr->repeated) {
		lua_pushboolean(L, true);
		lua_setfield(L, -2, "repeated");
	}
	if (attr->most) {
		lua_pushinteger(L, attr->most);
		lua_setfield(L, -2, "most");
	}
	if (attr->names) {
		lua_pushstring(L, attr->names->name);
		lua_setfield(L, -2, "enum");
	}
	if (attr->bits) {
		lua_pushstring(L, attr->bits->name);
		lua_setfield(L, -2, "mask");
	}
	if (attr->nest) {
		lua_pushstring(L, attr->nest->name);
		lua_setfield(L, -2, "nest");
	}
}

/* Adds a nest, and those below it, to the table of nests at index. */
static void add_nest(lua_State *L, int index, const struct schema_nest *nest)
{
	lua_Integer place = 0;

	luaL_checkstack(L, 8, NULL);
	if (lua_getfield(L, index, nest->name) != LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	lua_pop(L, 1);
	lua_newtable(L);
	for (unsigned int i = 1; i <= nest->max; i++) {
		if (nest->attrs[i].type == SCHEMA_NONE)
			continue;
		push_attr(L, &nest->attrs[i], i);
		lua_rawseti(L, -2, ++place);
		if (nest->attrs[i].nest)
			add_nest(L, index, nest->attrs[i].nest);
	}
	lua_pushboolean(L, nest->shape != SCHEMA_STRUCT);
	lua_setfield(L, -2, "list");
	lua_setfield(L, index, nest->name);
}

/*
 * schema() -> { name, version, top, commands, enums, nests }
 * commands and each of enums are lists of { name, value }; each of nests is a list of { name, type,
 * number, repeated, most, enum, mask, nest } in the order of their numbers, with list = true when
 * its table in Lua is a list; top names the nest of the top level.
 */
static int lib_schema(lua_State *L)
{
	lua_createtable(L, 0, 6);
	lua_pushstring(L, schema_ipfi.name);
	lua_setfield(L, -2, "name");
	lua_pushinteger(L, schema_ipfi.version);
	lua_setfield(L, -2, "version");
	lua_pushstring(L, schema_ipfi.top->name);
	lua_setfield(L, -2, "top");
	push_names(L, schema_ipfi.commands);
	lua_setfield(L, -2, "commands");
	lua_newtable(L);
	for (const struct schema_names *const *names = schema_enums; *names; names++) {
		push_names(L, *names);
		lua_setfield(L, -2, (*names)->name);
	}
	lua_setfield(L, -2, "enums");
	lua_newtable(L);
	add_nest(L, lua_gettop(L), schema_ipfi.top);
	lua_setfield(L, -2, "nests");
	return 1;
}

/*
 * limits() -> list of { name, least, most, default } in the order of the wire; times in seconds
 * A default of 0 that is below the least depends on the machine's memory.
 */
static int lib_limits(lua_State *L)
{
	lua_createtable(L, (int)schema_limits_count, 0);
	for (size_t i = 0; i < schema_limits_count; i++) {
		lua_createtable(L, 0, 4);
		lua_pushstring(L, schema_limits[i].name);
		lua_setfield(L, -2, "name");
		lua_pushinteger(L, schema_limits[i].least);
		lua_setfield(L, -2, "least");
		lua_pushinteger(L, schema_limits[i].most);
		lua_setfield(L, -2, "most");
		lua_pushinteger(L, schema_limits[i].standard);
		lua_setfield(L, -2, "default");
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* states() -> list of the names of the states of a connection */
static int lib_states(lua_State *L)
{
	lua_createtable(L, (int)schema_states.count - 1, 0);
	for (unsigned int i = 1; i < schema_states.count; i++) {
		lua_pushstring(L, schema_states.names[i]);
		lua_rawseti(L, -2, i);
	}
	return 1;
}

/* reasons() -> list of { name, accepted, help } */
static int lib_reasons(lua_State *L)
{
	lua_createtable(L, (int)schema_reasons_count, 0);
	for (size_t i = 0; i < schema_reasons_count; i++) {
		lua_createtable(L, 0, 3);
		lua_pushstring(L, schema_reasons[i].name);
		lua_setfield(L, -2, "name");
		lua_pushboolean(L, schema_reasons[i].accepted);
		lua_setfield(L, -2, "accepted");
		lua_pushstring(L, schema_reasons[i].help);
		lua_setfield(L, -2, "help");
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* helpers() -> list of the names of the helpers that a rule may ask for */
static int lib_helpers(lua_State *L)
{
	lua_createtable(L, (int)schema_helpers.count - 1, 0);
	for (unsigned int i = 1; i < schema_helpers.count; i++) {
		lua_pushstring(L, schema_helpers.names[i]);
		lua_rawseti(L, -2, i);
	}
	return 1;
}

int codec_open(lua_State *L)
{
	static const luaL_Reg library[] = {
		{ "encode", lib_encode },   { "decode", lib_decode }, { "schema", lib_schema },
		{ "limits", lib_limits },   { "states", lib_states }, { "reasons", lib_reasons },
		{ "helpers", lib_helpers }, { "checksum", lib_checksum },
		{ NULL, NULL },
	};

	luaL_newlib(L, library);
	return 1;
}
