/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pager: the library ipfi.c.pager: a program that shows on the terminal what it is fed, a screen at
 * a time.
 */
#ifndef IPFI_SHELL_PAGER_H
#define IPFI_SHELL_PAGER_H

#include <lua.h>

/* The library ipfi.c.pager. */
int pager_open(lua_State *L);

#endif
