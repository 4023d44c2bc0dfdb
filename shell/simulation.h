/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine_library: the library ipfi.c.engine, worlds in which packets and time are simulated. */
#ifndef IPFI_SHELL_ENGINE_LIBRARY_H
#define IPFI_SHELL_ENGINE_LIBRARY_H

#include <lua.h>

int engine_open(lua_State *L);

#endif
