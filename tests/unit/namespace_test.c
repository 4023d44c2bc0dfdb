// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a namespace may have of its machine: the cases of namespace_cases.lua, in the built-in engine under the
 * sanitizers.
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

	return run_cases("tests/unit/namespace_cases.lua", libraries);
}
