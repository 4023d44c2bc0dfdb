// SPDX-License-Identifier: GPL-2.0-or-later
/* Values as bytes and back, right and damaged ones: the cases of transfer_cases.lua. */
#include "lua_cases.h"
#include "shell/sandbox/transfer.h"

int main(void)
{
	static const luaL_Reg libraries[] = {
		{ "ipfi.c.transfer", transfer_open },
		{ NULL, NULL },
	};

	return run_cases("tests/unit/transfer_cases.lua", libraries);
}
