/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child: a function of Lua in a process of its own, which can do nothing but compute and answer
 * with a string: no rights, no files, no system calls, little time and memory. The process is a
 * copy of this one, so the function has all that it refers to; what it changes stays there.
 */
#ifndef IPFI_SHELL_CHILD_H
#define IPFI_SHELL_CHILD_H

#include <lua.h>

/* The library ipfi.c.child. */
int child_open(lua_State *L);

#endif
