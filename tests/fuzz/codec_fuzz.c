// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: the shell's netlink decoder. Whatever the bytes are, decoding them either fails with
 * an offset inside them, or gives messages that can be encoded again, and those bytes decode to the
 * same once more. The paths of refusals are looked up in them too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "check.h"
#include "shell/netlink/codec.h"

/* Stack of the Lua state. */
enum { ENCODE = 1, DECODE, FIRST };

static lua_State *open_codec(void)
{
	lua_State *L = luaL_newstate();

	CHECK(L);
	codec_open(L);
	lua_getfield(L, 1, "encode");
	lua_getfield(L, 1, "decode");
	lua_remove(L, 1);
	return L;
}

/* Decodes the bytes on top of the stack. True with the messages pushed. */
static bool decode(lua_State *L, size_t size)
{
	long long offset;

	lua_pushvalue(L, DECODE);
	lua_pushvalue(L, -2);
	CHECK(lua_pcall(L, 1, 2, 0) == LUA_OK);
	if (lua_istable(L, -2)) {
		lua_pop(L, 1);
		return true;
	}
	CHECK(lua_isnil(L, -2));
	CHECK(sscanf(lua_tostring(L, -1), "offset %lld: ", &offset) == 1);
	CHECK(offset >= 0 && (size_t)offset < size);
	return false;
}

/*
 * Encodes the messages on top of the stack. False when they hold what only the kernel may say: an
 * acknowledgement, or more than this header's lengths.
 */
static bool encode(lua_State *L)
{
	const char *why;

	lua_pushvalue(L, ENCODE);
	lua_pushvalue(L, -2);
	if (lua_pcall(L, 1, 1, 0) == LUA_OK)
		return true;
	why = lua_tostring(L, -1);
	CHECK(why);
	CHECK(strstr(why, "is no cmd") || strstr(why, "too long") || strstr(why, "more than the"));
	return false;
}

/* The path of any place in the bytes is a path, or none. */
static void look_up_paths(const uint8_t *data, size_t size)
{
	char path[WIRE_PATH_LEN];

	for (uint32_t offset = 0; offset < size; offset += 4) {
		struct wire_ack ack = { .has_offset = true, .offset = offset };

		if (wire_ack_path(&schema_ipfi, data, size, &ack, path))
			CHECK(memchr(path, '\0', sizeof(path)) && path[0]);
		ack = (struct wire_ack){
			.has_missing = true,
			.missing = data[offset],
			.missing_nest = offset,
		};
		if (wire_ack_path(&schema_ipfi, data, size, &ack, path))
			CHECK(memchr(path, '\0', sizeof(path)) && path[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static lua_State *L;
	size_t len;

	if (!L)
		L = open_codec();
	look_up_paths(data, size);
	lua_settop(L, FIRST - 1);
	lua_pushlstring(L, (const char *)data, size);
	if (decode(L, size) && encode(L)) {
		/* In our own form: decoded and encoded again it stays as it is. */
		lua_tolstring(L, -1, &len);
		CHECK(decode(L, len));
		CHECK(encode(L));
		CHECK(lua_rawequal(L, -1, -3));
	}
	return 0;
}
