// SPDX-License-Identifier: GPL-2.0-or-later
/* What the shell asks of the system: the cases of sys_cases.lua. */
#include "lua_cases.h"
#include "shell/sys/sys.h"

int main(void)
{
	static const luaL_Reg libraries[] = {
		{ "ipfi.c.sys", sys_open },
		{ NULL, NULL },
	};

	return run_cases("tests/unit/sys_cases.lua", libraries);
}
