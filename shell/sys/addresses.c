// SPDX-License-Identifier: GPL-2.0-or-later
/* sys_addresses: addresses and prefixes. */
#include <string.h>

#include "shell/address.h"
#include "shell/sys/sys.h"

/* The address at index; a text that is none is an error of the caller. */
static size_t check_address(lua_State *L, int index, uint8_t bytes[16])
{
	size_t len = address_parse(luaL_checkstring(L, index), bytes);

	luaL_argcheck(L, len, index, "no address");
	return len;
}

static void push_address(lua_State *L, const uint8_t *bytes, size_t len)
{
	char text[ADDRESS_TEXT_LEN];

	lua_pushlstring(L, text, address_format(bytes, len, text));
}

/*
 * address(text) -> { family = 4 or 6, text = the canonical form, bytes = 4 or 16 bytes }, or nil
 * for a text that is no address
 */
static int addresses_address(lua_State *L)
{
	uint8_t bytes[16];
	size_t len = address_parse(luaL_checkstring(L, 1), bytes);

	if (!len) {
		lua_pushnil(L);
		return 1;
	}
	lua_createtable(L, 0, 3);
	lua_pushinteger(L, len == 4 ? 4 : 6);
	lua_setfield(L, -2, "family");
	push_address(L, bytes, len);
	lua_setfield(L, -2, "text");
	lua_pushlstring(L, (const char *)bytes, len);
	lua_setfield(L, -2, "bytes");
	return 1;
}

/*
 * prefix_range(text, bits) -> first and last address of the prefix, as text
 * Bits of the address behind the prefix are ignored. Raises an error when bits are too many for the
 * family.
 */
static int addresses_prefix_range(lua_State *L)
{
	uint8_t bytes[16], first[16], last[16];
	size_t len = check_address(L, 1, bytes);
	lua_Integer bits = luaL_checkinteger(L, 2);

	luaL_argcheck(L, bits >= 0 && bits <= (lua_Integer)len * 8, 2, "no length of a prefix");
	address_prefix(bytes, len, (unsigned int)bits, first, last);
	push_address(L, first, len);
	push_address(L, last, len);
	return 2;
}

/* compare_addresses(a, b) -> negative, 0 or positive; IPv4 comes before IPv6 */
static int addresses_compare(lua_State *L)
{
	uint8_t a[16], b[16];
	size_t a_len = check_address(L, 1, a), b_len = check_address(L, 2, b);

	if (a_len != b_len)
		lua_pushinteger(L, a_len < b_len ? -1 : 1);
	else
		lua_pushinteger(L, memcmp(a, b, a_len));
	return 1;
}

const luaL_Reg sys_addresses[] = {
	{ "address", addresses_address },
	{ "prefix_range", addresses_prefix_range },
	{ "compare_addresses", addresses_compare },
	{ NULL, NULL },
};
