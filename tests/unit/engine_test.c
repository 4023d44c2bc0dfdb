// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The built-in engine, that is the module's own sources over a stand-in for the kernel: the cases of
 * engine_cases.lua, under the sanitizers. Memory that a world leaves behind is found at the end.
 */
#include "shell/netlink/codec.h"
#include "shell/simulation.h"
#include "lua_cases.h"
#include "shell/netlink/library.h"
#include "shell/sys/sys.h"

int main(void)
{
	static const luaL_Reg libraries[] = {
		{ "ipfi.c.codec", codec_open },
		{ "ipfi.c.engine", engine_open },
		{ "ipfi.c.netlink", netlink_open },
		{ "ipfi.c.sys", sys_open },
		{ NULL, NULL },
	};

	return run_cases("tests/unit/engine_cases.lua", libraries);
}
