// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Live connections whose packets come in or leave by other interfaces than before: the cases of interface_cases.lua, in
 * the built-in engine, under the sanitizers.
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

	return run_cases("tests/unit/interface_cases.lua", libraries);
}
