// SPDX-License-Identifier: GPL-2.0-or-later
/* Captures of packets: the cases of capture_cases.lua. */
#include "shell/capture/capture.h"
#include "lua_cases.h"

int main(void)
{
	static const luaL_Reg libraries[] = {
		{ "ipfi.c.capture", capture_open },
		{ NULL, NULL },
	};

	return run_cases("tests/unit/capture_cases.lua", libraries);
}
