// SPDX-License-Identifier: GPL-2.0-or-later
/* What the shell finds out about rules: the cases of lint_cases.lua, under the sanitizers. */
#include "shell/netlink/codec.h"
#include "shell/lint/library.h"
#include "lua_cases.h"

int main(void)
{
	static const luaL_Reg libraries[] = {
		{ "ipfi.c.codec", codec_open },
		{ "ipfi.c.lint", lint_open },
		{ NULL, NULL },
	};

	return run_cases("tests/unit/lint_cases.lua", libraries);
}
