/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint: the library ipfi.c.lint, which finds rules that are of no use. What it knows of the wording
 * of a policy is nothing: lua/ipfi/lint.lua tells it.
 */
#ifndef IPFI_SHELL_LINT_H
#define IPFI_SHELL_LINT_H

#include <lua.h>

/* The library ipfi.c.lint. */
int lint_open(lua_State *L);

#endif
