// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * encode: messages as Lua tables to bytes. See codec.h.
 *
 * Errors are raised with longjmp wherever they are found, so nothing here owns memory: the bytes
 * are in a buffer that Lua collects.
 */
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "shell/address.h"
#include "shell/netlink/codec.h"

#define BUFFER_TYPE "ipfi.buffer"

static int buffer_gc(lua_State *L)
{
	wire_free(luaL_checkudata(L, 1, BUFFER_TYPE));
	return 0;
}

struct wire_buffer *codec_push_buffer(lua_State *L)
{
	struct wire_buffer *buffer = lua_newuserdatauv(L, sizeof(*buffer), 0);

	memset(buffer, 0, sizeof(*buffer));
	if (luaL_newmetatable(L, BUFFER_TYPE)) {
		lua_pushcfunction(L, buffer_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return buffer;
}

void codec_check_buffer(lua_State *L, const struct wire_buffer *buffer)
{
	if (buffer->failed)
		luaL_error(L, "not enough memory");
}

/* Where the encoder is, for errors: a name, or a place in a list when there is none. */
struct step {
	const char *name;
	lua_Integer place;
};

struct encoder {
	lua_State *L;
	struct wire_buffer *buffer;
	struct step steps[2 * SCHEMA_DEPTH + 2];
	unsigned int depth;
};

static void step_in(struct encoder *encoder, const char *name, lua_Integer place)
{
	encoder->steps[encoder->depth++] = (struct step){ .name = name, .place = place };
}

static void step_out(struct encoder *encoder)
{
	encoder->depth--;
}

/* Raises "path: message"; the message is on top of the stack. */
static void fail(struct encoder *encoder)
{
	lua_State *L = encoder->L;
	luaL_Buffer text;

	luaL_buffinit(L, &text);
	for (unsigned int i = 0; i < encoder->depth; i++) {
		const struct step *step = &encoder->steps[i];

		if (step->name) {
			if (i)
				luaL_addchar(&text, '.');
			luaL_addstring(&text, step->name);
		} else {
			char place[32];

			luaL_addlstring(&text, place,
					(size_t)snprintf(place, sizeof(place), "[%lld]",
							 (long long)step->place));
		}
	}
	luaL_addstring(&text, ": ");
	luaL_pushresult(&text);
	lua_insert(L, -2);
	lua_concat(L, 2);
	lua_error(L);
}

static void fail_type(struct encoder *encoder, const char *wanted, int index)
{
	lua_pushfstring(encoder->L, "wants %s, got %s", wanted, luaL_typename(encoder->L, index));
	fail(encoder);
}

/* The integer at the top of the stack, at most most (of a u64: any, as its bits). */
static uint64_t check_integer(struct encoder *encoder, uint64_t most)
{
	lua_State *L = encoder->L;
	int exact;
	lua_Integer value = lua_tointegerx(L, -1, &exact);

	if (lua_type(L, -1) != LUA_TNUMBER)
		fail_type(encoder, "an integer", -1);
	if (!exact) {
		lua_pushfstring(L, "%f is no integer", lua_tonumber(L, -1));
		fail(encoder);
	}
	if (most != UINT64_MAX && (value < 0 || (uint64_t)value > most)) {
		lua_pushfstring(L, "%I is not between 0 and %I", (LUAI_UACINT)value,
				(LUAI_UACINT)most);
		fail(encoder);
	}
	return (uint64_t)value;
}

/* The value or bit that the name, or number, at the top of the stack means. */
static uint64_t check_name(struct encoder *encoder, const struct schema_names *names, uint64_t most)
{
	lua_State *L = encoder->L;
	const char *name;
	int value;

	if (lua_type(L, -1) == LUA_TNUMBER)
		return check_integer(encoder, most);
	if (lua_type(L, -1) != LUA_TSTRING)
		fail_type(encoder, "a name", -1);
	name = lua_tostring(L, -1);
	value = schema_name_value(names, name);
	if (value < 0) {
		lua_pushfstring(L, "'%s' is no %s", name, names->name);
		fail(encoder);
	}
	return (uint64_t)value;
}

/* A list of names as a mask. */
static uint64_t check_mask(struct encoder *encoder, const struct schema_names *bits, size_t width)
{
	lua_State *L = encoder->L;
	uint64_t mask = 0;
	lua_Unsigned count;

	if (lua_type(L, -1) != LUA_TTABLE)
		fail_type(encoder, "a list of names", -1);
	count = lua_rawlen(L, -1);
	for (lua_Unsigned i = 1; i <= count; i++) {
		step_in(encoder, NULL, (lua_Integer)i);
		lua_rawgeti(L, -1, (lua_Integer)i);
		mask |= UINT64_C(1) << check_name(encoder, bits, width * 8 - 1);
		lua_pop(L, 1);
		step_out(encoder);
	}
	return mask;
}

static void encode_number(struct encoder *encoder, unsigned int number,
			  const struct schema_attr *attr)
{
	size_t width = schema_width(attr->type);
	uint64_t most = width == 8 ? UINT64_MAX : (UINT64_C(1) << width * 8) - 1;
	uint64_t value;

	if (attr->bits)
		value = check_mask(encoder, attr->bits, width);
	else if (attr->names)
		value = check_name(encoder, attr->names, most);
	else
		value = check_integer(encoder, most);
	wire_put_number(encoder->buffer, (uint16_t)number, value, width);
}

/* A string, with its NUL, or binary. */
static void encode_string(struct encoder *encoder, unsigned int number,
			  const struct schema_attr *attr)
{
	lua_State *L = encoder->L;
	bool text = attr->type == SCHEMA_STRING;
	size_t len, most = attr->most ? attr->most : WIRE_NEST_MOST - 1;
	const char *string;

	if (lua_type(L, -1) != LUA_TSTRING)
		fail_type(encoder, "a string", -1);
	string = lua_tolstring(L, -1, &len);
	if (len > most) {
		lua_pushfstring(L, "%I bytes are too long; at most %I fit", (LUAI_UACINT)len,
				(LUAI_UACINT)most);
		fail(encoder);
	}
	if (text && memchr(string, '\0', len)) {
		lua_pushliteral(L, "a string with a NUL in it");
		fail(encoder);
	}
	wire_put(encoder->buffer, (uint16_t)number, string, len + text);
}

static void encode_address(struct encoder *encoder, unsigned int number)
{
	lua_State *L = encoder->L;
	uint8_t bytes[16];
	size_t len;

	if (lua_type(L, -1) != LUA_TSTRING)
		fail_type(encoder, "an address", -1);
	len = address_parse(lua_tostring(L, -1), bytes);
	if (!len) {
		lua_pushfstring(L, "'%s' is no address", lua_tostring(L, -1));
		fail(encoder);
	}
	wire_put(encoder->buffer, (uint16_t)number, bytes, len);
}

static void encode_nest(struct encoder *encoder, unsigned int number,
			const struct schema_nest *nest);

/* The value at the top of the stack. */
static void encode_value(struct encoder *encoder, unsigned int number,
			 const struct schema_attr *attr)
{
	switch (attr->type) {
	case SCHEMA_NEST:
		encode_nest(encoder, number, attr->nest);
		break;
	case SCHEMA_STRING:
	case SCHEMA_BINARY:
		encode_string(encoder, number, attr);
		break;
	case SCHEMA_ADDRESS:
		encode_address(encoder, number);
		break;
	case SCHEMA_FLAG:
		if (lua_type(encoder->L, -1) != LUA_TBOOLEAN)
			fail_type(encoder, "a boolean", -1);
		if (lua_toboolean(encoder->L, -1))
			wire_put(encoder->buffer, (uint16_t)number, NULL, 0);
		break;
	default:
		encode_number(encoder, number, attr);
		break;
	}
}

/* Every value of the list at the top of the stack as one attribute; number 0 stands for its place.
 */
static void encode_list(struct encoder *encoder, unsigned int number,
			const struct schema_attr *attr)
{
	lua_State *L = encoder->L;
	lua_Unsigned count;

	if (lua_type(L, -1) != LUA_TTABLE)
		fail_type(encoder, "a list", -1);
	count = lua_rawlen(L, -1);
	for (lua_Unsigned i = 1; i <= count; i++) {
		step_in(encoder, NULL, (lua_Integer)i);
		lua_rawgeti(L, -1, (lua_Integer)i);
		encode_value(encoder, number ? number : (unsigned int)i, attr);
		lua_pop(L, 1);
		step_out(encoder);
	}
}

/*
 * Raises an error that names a key of the table at the top of the stack that the nest does not
 * know.
 */
static void fail_key(struct encoder *encoder, const struct schema_nest *nest, bool message)
{
	lua_State *L = encoder->L;

	lua_pushnil(L);
	while (lua_next(L, -2)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;

		if (!key ||
		    (!schema_find(nest, key) &&
		     !(message && (strcmp(key, "cmd") == 0 || strcmp(key, "flags") == 0)))) {
			lua_pushfstring(L, "%s has no '%s'", nest->name,
					luaL_tolstring(L, -2, NULL));
			if (encoder->depth)
				fail(encoder);
			lua_error(L);
		}
		lua_pop(L, 1);
	}
}

/* The values of the table at the top of the stack, in the order of their numbers. */
static void encode_struct(struct encoder *encoder, const struct schema_nest *nest,
			  unsigned int known, bool message)
{
	lua_State *L = encoder->L;
	unsigned int present = 0;

	for (unsigned int number = 1; number <= nest->max; number++) {
		const struct schema_attr *attr = &nest->attrs[number];

		if (attr->type == SCHEMA_NONE)
			continue;
		lua_pushstring(L, attr->name);
		if (lua_rawget(L, -2) != LUA_TNIL) {
			known++;
			step_in(encoder, attr->name, 0);
			if (attr->repeated)
				encode_list(encoder, number, attr);
			else
				encode_value(encoder, number, attr);
			step_out(encoder);
		}
		lua_pop(L, 1);
	}
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		present++;
		lua_pop(L, 1);
	}
	if (present != known)
		fail_key(encoder, nest, message);
}

static void encode_nest(struct encoder *encoder, unsigned int number,
			const struct schema_nest *nest)
{
	lua_State *L = encoder->L;
	size_t offset = wire_open(encoder->buffer, (uint16_t)number);

	if (lua_type(L, -1) != LUA_TTABLE)
		fail_type(encoder, "a table", -1);
	if (nest->shape == SCHEMA_STRUCT)
		encode_struct(encoder, nest, 0, false);
	else
		encode_list(encoder, nest->shape == SCHEMA_LIST, &nest->attrs[1]);
	if (!wire_close(encoder->buffer, offset)) {
		lua_pushfstring(L, "more than the %d bytes that fit into one message's part",
				(int)WIRE_NEST_MOST);
		fail(encoder);
	}
}

/* The flags of the message at the top of the stack; adds the keys met to *known. */
static uint16_t check_flags(struct encoder *encoder, unsigned int *known)
{
	lua_State *L = encoder->L;
	uint16_t flags = 0;

	lua_pushliteral(L, "flags");
	if (lua_rawget(L, -2) == LUA_TNIL) {
		lua_pop(L, 1);
		return 0;
	}
	++*known;
	step_in(encoder, "flags", 0);
	if (lua_type(L, -1) != LUA_TTABLE)
		fail_type(encoder, "a list", -1);
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
		const char *name = lua_tostring(L, -1);

		if (name && strcmp(name, "ack") == 0)
			flags |= NLM_F_ACK;
		else if (name && strcmp(name, "dump") == 0)
			flags |= CODEC_DUMP;
		else {
			lua_pushliteral(L, "knows only 'ack' and 'dump'");
			fail(encoder);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	step_out(encoder);
	return flags;
}

void codec_encode(lua_State *L, int index, const struct schema_family *family,
		  struct wire_buffer *buffer)
{
	struct encoder encoder = { .L = L, .buffer = buffer };
	unsigned int known = 1;
	uint64_t command;
	uint16_t flags;
	size_t offset;

	if (!lua_istable(L, index))
		luaL_error(L, "a message is a table, not %s", luaL_typename(L, index));
	luaL_checkstack(L, CODEC_STACK, NULL);
	lua_pushvalue(L, index);
	lua_pushliteral(L, "cmd");
	lua_rawget(L, -2);
	step_in(&encoder, "cmd", 0);
	command = check_name(&encoder, family->commands, UINT8_MAX);
	step_out(&encoder);
	lua_pop(L, 1);
	flags = check_flags(&encoder, &known);
	offset = wire_begin(buffer, GENL_MIN_ID, flags, (uint8_t)command, family->version);
	encode_struct(&encoder, family->top, known, true);
	wire_end(buffer, offset);
	lua_pop(L, 1);
	codec_check_buffer(L, buffer);
}
