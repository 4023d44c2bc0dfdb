/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases written in Lua for the shell's C libraries, run under the sanitizers of the unit tests. The
 * file returns a table of functions by name; each becomes a test, which fails when it raises an
 * error.
 */
#ifndef IPFI_TESTS_LUA_CASES_H
#define IPFI_TESTS_LUA_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define CASES_MOST 64

static lua_State *cases_state;

/* What the module has warned of in the built-in engine, if the cases have it. */
static inline lua_Integer cases_warnings(lua_State *L)
{
	lua_Integer count = 0;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	if (lua_getfield(L, -1, "ipfi.c.engine") == LUA_TTABLE) {
		lua_getfield(L, -1, "warnings");
		lua_call(L, 0, 1);
		count = lua_tointeger(L, -1);
	}
	lua_settop(L, 1);
	return count;
}

/* Runs the case whose name is the test's initial state. */
static inline void run_case(void **state)
{
	lua_State *L = cases_state;
	lua_Integer warnings;

	lua_settop(L, 1);
	warnings = cases_warnings(L);
	lua_getfield(L, 1, *state);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK)
		fail_msg("%s", luaL_tolstring(L, -1, NULL));
	lua_gc(L, LUA_GCCOLLECT);
	if (cases_warnings(L) != warnings)
		fail_msg("the module warned of what must not be");
}

static inline int compare_names(const void *a, const void *b)
{
	const struct CMUnitTest *one = a, *other = b;

	return strcmp(one->name, other->name);
}

/*
 * Runs the cases of a file, whose path is relative to the top of the tree, with libraries as
 * modules. Returns the number that failed.
 */
static inline int run_cases(const char *path, const luaL_Reg *libraries)
{
	struct CMUnitTest tests[CASES_MOST];
	size_t count = 0;
	lua_State *L = luaL_newstate();
	int failed;

	if (!L)
		return 1;
	cases_state = L;
	luaL_openlibs(L);
	for (; libraries->name; libraries++) {
		luaL_requiref(L, libraries->name, libraries->func, 0);
		lua_settop(L, 0);
	}
	if (luaL_dofile(L, path) != LUA_OK || !lua_istable(L, 1)) {
		print_error("%s: %s\n", path, luaL_tolstring(L, -1, NULL));
		lua_close(L);
		return 1;
	}
	lua_pushnil(L);
	while (count < CASES_MOST && lua_next(L, 1)) {
		/* The table keeps the name alive. */
		const char *name = lua_tostring(L, -2);

		tests[count++] = (struct CMUnitTest){
			.name = name,
			.test_func = run_case,
			.initial_state = (void *)name,
		};
		lua_pop(L, 1);
	}
	qsort(tests, count, sizeof(tests[0]), compare_names);
	failed = _cmocka_run_group_tests(path, tests, count, NULL, NULL);
	lua_close(L);
	return failed;
}

#endif
