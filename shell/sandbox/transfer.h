/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transfer: Lua values as bytes and back, for the answer of a process that is not trusted. Bytes
 * only ever become data: what they say is bounded and checked, and no code comes out of them.
 *
 *	value   = 'n' | 'f' | 't'			nil, false, true
 *		| 'i' number				an integer, zigzag
 *		| 'd' 8 bytes				a float, as the machine has it
 *		| 's' length bytes			a string
 *		| 'F'					a function, whichever
 *		| 'a' number				an atom, from 1
 *		| 'r' number				a table or long string met before, from 1
 *		| 'T' atom count count value* pair*	a table: its metatable (an atom, 0 for none),
 *							values at 1, 2, ..., and the others
 *	pair    = value value
 *	number, length, count, atom = seven bits a byte, the lowest first, bit 7 on all but the last
 */
#ifndef IPFI_SHELL_TRANSFER_H
#define IPFI_SHELL_TRANSFER_H

#include <lua.h>

/* The library ipfi.c.transfer. */
int transfer_open(lua_State *L);

#endif
