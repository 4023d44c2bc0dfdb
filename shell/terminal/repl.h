/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * repl: the library ipfi.c.repl: lines from a terminal with editing, history, completion and keys.
 * What a line means, what completes it and what a key shows is Lua's business.
 */
#ifndef IPFI_SHELL_REPL_H
#define IPFI_SHELL_REPL_H

#include <lua.h>

/* The library ipfi.c.repl. */
int repl_open(lua_State *L);

#endif
