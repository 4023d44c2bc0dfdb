// SPDX-License-Identifier: GPL-2.0-or-later
/* ICMP errors about unconfirmed connections, in the built-in engine: the cases of nat_errors_cases.lua. */
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

	return run_cases("tests/unit/nat_errors_cases.lua", libraries);
}
