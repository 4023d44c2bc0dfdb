// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bytes that a policy's process answers with, which may be anybody's: decoding them crashes
 * never and takes no more memory than it may, and what comes out of it goes back into bytes.
 */
#include <stddef.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "check.h"
#include "shell/sandbox/transfer.h"

/* What decode() may count up, and what Lua may take for that: tables are rounded up. */
#define COUNTED_MOST (1 << 20)
#define MEMORY_MOST_KIB (8 << 10)

static int stand_in(lua_State *L)
{
	(void)L;
	return 0;
}

/* Pushes ipfi.c.transfer's function and what it gets: the first argument is at index from. */
static void push_call(lua_State *L, const char *name, int from)
{
	lua_getfield(L, 1, name);
	lua_pushvalue(L, from);
	lua_pushvalue(L, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lua_State *L = luaL_newstate();

	CHECK(L);
	transfer_open(L);
	/* Three atoms; the second looks like a class. */
	lua_newtable(L);
	for (lua_Integer i = 1; i <= 3; i++) {
		lua_newtable(L);
		lua_rawseti(L, 2, i);
	}
	lua_pushlstring(L, (const char *)data, size);
	push_call(L, "decode", 3);
	lua_pushcfunction(L, stand_in);
	lua_pushinteger(L, COUNTED_MOST);
	if (lua_pcall(L, 4, 1, 0) == LUA_OK) {
		push_call(L, "encode", 4);
		lua_pushinteger(L, 64 << 20);
		CHECK(lua_pcall(L, 3, 1, 0) == LUA_OK);
	}
	CHECK(lua_gc(L, LUA_GCCOUNT) < MEMORY_MOST_KIB);
	lua_close(L);
	return 0;
}
