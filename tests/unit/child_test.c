// SPDX-License-Identifier: GPL-2.0-or-later
/* A function in a process that can only compute: the cases of child_cases.lua. */
#include "shell/sandbox/child.h"
#include "lua_cases.h"

int main(void)
{
	static const luaL_Reg libraries[] = {
		{ "ipfi.c.child", child_open },
		{ NULL, NULL },
	};

	return run_cases("tests/unit/child_cases.lua", libraries);
}
