// SPDX-License-Identifier: GPL-2.0-or-later
/* sys: the library ipfi.c.sys, put together. See sys.h. */
#include "shell/sys/sys.h"

int sys_open(lua_State *L)
{
	lua_newtable(L);
	luaL_setfuncs(L, sys_names, 0);
	luaL_setfuncs(L, sys_addresses, 0);
	luaL_setfuncs(L, sys_resolve, 0);
	luaL_setfuncs(L, sys_devices, 0);
	luaL_setfuncs(L, sys_files, 0);
	luaL_setfuncs(L, sys_way, 0);
	luaL_setfuncs(L, sys_login, 0);
	luaL_setfuncs(L, sys_process, 0);
	return 1;
}
