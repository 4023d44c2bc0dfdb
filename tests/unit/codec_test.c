// SPDX-License-Identifier: GPL-2.0-or-later
/* The shell's codec: the cases of codec_cases.lua, with all they touch under the sanitizers. */
#include "shell/netlink/codec.h"
#include "lua_cases.h"

int main(void)
{
	static const luaL_Reg libraries[] = {
		{ "ipfi.c.codec", codec_open },
		{ NULL, NULL },
	};

	return run_cases("tests/unit/codec_cases.lua", libraries);
}
