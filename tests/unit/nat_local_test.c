// SPDX-License-Identifier: GPL-2.0-or-later
/* Translation of what this machine sends and gets, in the built-in engine: the cases of nat_local_cases.lua. */
#include "codec.h"
#include "engine_library.h"
#include "lua_cases.h"
#include "netlink.h"
#include "sys.h"

int main(void)
{
	static const luaL_Reg libraries[] = {
		{ "ipfi.c.codec", codec_open },
		{ "ipfi.c.engine", engine_open },
		{ "ipfi.c.netlink", netlink_open },
		{ "ipfi.c.sys", sys_open },
		{ NULL, NULL },
	};

	return run_cases("tests/unit/nat_local_cases.lua", libraries);
}
