// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shell's netlink connections, tried on nlctrl, the family every kernel has: the cases of
 * netlink_cases.lua. What ipfi.ko itself answers is tested in the guests.
 */
#include "shell/netlink/codec.h"
#include "lua_cases.h"
#include "shell/netlink/library.h"
#include "shell/sys/sys.h"

int main(void)
{
	static const luaL_Reg libraries[] = {
		{ "ipfi.c.codec", codec_open },
		{ "ipfi.c.netlink", netlink_open },
		{ "ipfi.c.sys", sys_open },
		{ NULL, NULL },
	};

	return run_cases("tests/unit/netlink_cases.lua", libraries);
}
