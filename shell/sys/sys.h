/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sys: the library ipfi.c.sys: what Lua lacks of the system. One file for each group of functions.
 */
#ifndef IPFI_SHELL_SYS_H
#define IPFI_SHELL_SYS_H

#include <lauxlib.h>
#include <lua.h>

extern const luaL_Reg sys_names[];     /* services, protocols, users */
extern const luaL_Reg sys_addresses[]; /* addresses and prefixes */
extern const luaL_Reg sys_resolve[];   /* addresses of names */
extern const luaL_Reg sys_devices[];   /* network devices */
extern const luaL_Reg sys_files[];     /* files, the lock */
extern const luaL_Reg sys_way[];       /* what a path leads through */
extern const luaL_Reg sys_login[];     /* the connection that the program is used over */
extern const luaL_Reg sys_process[];   /* terminal, rights, log, time, memory, Ctrl-C */

/* The library ipfi.c.sys. */
int sys_open(lua_State *L);

#endif
