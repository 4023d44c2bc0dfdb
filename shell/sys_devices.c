// SPDX-License-Identifier: GPL-2.0-or-later
/* sys_devices: the network devices of this network namespace. */
#include <net/if.h>

#include "sys.h"

/* ifindex(name) -> index, or nil */
static int devices_ifindex(lua_State *L)
{
	unsigned int index = if_nametoindex(luaL_checkstring(L, 1));

	if (index)
		lua_pushinteger(L, index);
	else
		lua_pushnil(L);
	return 1;
}

/* ifname(index) -> name, or nil */
static int devices_ifname(lua_State *L)
{
	lua_Integer index = luaL_checkinteger(L, 1);
	char name[IF_NAMESIZE];

	if (index > 0 && index <= INT32_MAX && if_indextoname((unsigned int)index, name))
		lua_pushstring(L, name);
	else
		lua_pushnil(L);
	return 1;
}

/* What Lua frees the list of devices with, if an error is raised while it is read. */
static int names_gc(lua_State *L)
{
	struct if_nameindex **names = lua_touserdata(L, 1);

	if (*names)
		if_freenameindex(*names);
	*names = NULL;
	return 0;
}

/* interfaces() -> list of names, in the order of their indexes */
static int devices_interfaces(lua_State *L)
{
	struct if_nameindex **names = lua_newuserdatauv(L, sizeof(struct if_nameindex *), 0);
	lua_Integer place = 0;

	*names = NULL;
	if (luaL_newmetatable(L, "ipfi.devices")) {
		lua_pushcfunction(L, names_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	lua_newtable(L);
	*names = if_nameindex();
	for (const struct if_nameindex *name = *names; name && name->if_name; name++) {
		lua_pushstring(L, name->if_name);
		lua_rawseti(L, -2, ++place);
	}
	if (*names)
		if_freenameindex(*names);
	*names = NULL;
	return 1;
}

const luaL_Reg sys_devices[] = {
	{ "ifindex", devices_ifindex },
	{ "ifname", devices_ifname },
	{ "interfaces", devices_interfaces },
	{ NULL, NULL },
};
