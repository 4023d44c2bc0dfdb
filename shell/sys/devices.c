// SPDX-License-Identifier: GPL-2.0-or-later
/* sys_devices: the network devices of this network namespace. */
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shell/address.h"
#include "shell/sys/sys.h"

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

/* What Lua frees the list of addresses with, if an error is raised while it is read. */
static int addresses_gc(lua_State *L)
{
	struct ifaddrs **addresses = lua_touserdata(L, 1);

	freeifaddrs(*addresses);
	*addresses = NULL;
	return 0;
}

/* Pushes the table of the device, made in the list at index and in the table of places behind it. */
static void push_device(lua_State *L, int list, const struct ifaddrs *of)
{
	lua_getfield(L, list + 1, of->ifa_name);
	if (!lua_isnil(L, -1))
		return;
	lua_pop(L, 1);
	lua_createtable(L, 0, 5);
	lua_pushstring(L, of->ifa_name);
	lua_setfield(L, -2, "name");
	lua_pushboolean(L, (of->ifa_flags & IFF_LOOPBACK) != 0);
	lua_setfield(L, -2, "loopback");
	lua_pushboolean(L, (of->ifa_flags & IFF_UP) != 0);
	lua_setfield(L, -2, "up");
	lua_newtable(L);
	lua_setfield(L, -2, "addresses");
	lua_pushvalue(L, -1);
	lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
	lua_pushvalue(L, -1);
	lua_setfield(L, list + 1, of->ifa_name);
}

/* The length of a mask's prefix. */
static int prefix_length(const uint8_t *mask, size_t len)
{
	int length = 0;

	for (size_t i = 0; i < len; i++)
		length += __builtin_popcount(mask[i]);
	return length;
}

/* Adds the address to the table of its device, on top of the stack. */
static void add_address(lua_State *L, const struct ifaddrs *of)
{
	const bool v6 = of->ifa_addr->sa_family == AF_INET6;
	const size_t at = v6 ? offsetof(struct sockaddr_in6, sin6_addr) : offsetof(struct sockaddr_in, sin_addr);
	const size_t len = v6 ? 16 : 4;
	char text[ADDRESS_TEXT_LEN];

	lua_getfield(L, -1, "addresses");
	lua_pushlstring(L, text, address_format((const uint8_t *)of->ifa_addr + at, len, text));
	lua_pushfstring(L, "%s/%d", lua_tostring(L, -1), prefix_length((const uint8_t *)of->ifa_netmask + at, len));
	lua_rawseti(L, -3, (lua_Integer)lua_rawlen(L, -3) + 1);
	lua_pop(L, 2);
}

/* Sets the field mtu of all devices of the list, where the system tells it. */
static void add_mtus(lua_State *L, int list)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (lua_Integer i = 1; fd >= 0 && lua_rawgeti(L, list, i) == LUA_TTABLE; i++) {
		struct ifreq request = { 0 };

		lua_getfield(L, -1, "name");
		strncpy(request.ifr_name, lua_tostring(L, -1), sizeof(request.ifr_name) - 1);
		lua_pop(L, 1);
		if (ioctl(fd, SIOCGIFMTU, &request) == 0) {
			lua_pushinteger(L, request.ifr_mtu);
			lua_setfield(L, -2, "mtu");
		}
		lua_pop(L, 1);
	}
	if (fd >= 0)
		close(fd);
	lua_settop(L, list);
}

/*
 * devices() -> list of { name =, up =, loopback =, mtu =, addresses = { "192.0.2.1/24", ... } }, in the order in which
 * the system tells them
 */
static int devices_devices(lua_State *L)
{
	struct ifaddrs **addresses;
	const struct ifaddrs *one;

	lua_settop(L, 0);
	lua_newtable(L); /* the list */
	lua_newtable(L); /* its members by name */
	addresses = lua_newuserdatauv(L, sizeof(struct ifaddrs *), 0);
	*addresses = NULL;
	if (luaL_newmetatable(L, "ipfi.addresses")) {
		lua_pushcfunction(L, addresses_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	if (getifaddrs(addresses) != 0)
		*addresses = NULL;
	for (one = *addresses; one; one = one->ifa_next) {
		push_device(L, 1, one);
		if (one->ifa_addr && one->ifa_netmask &&
		    (one->ifa_addr->sa_family == AF_INET || one->ifa_addr->sa_family == AF_INET6))
			add_address(L, one);
		lua_pop(L, 1);
	}
	freeifaddrs(*addresses);
	*addresses = NULL;
	lua_settop(L, 1);
	add_mtus(L, 1);
	return 1;
}

const luaL_Reg sys_devices[] = {
	{ "ifindex", devices_ifindex },
	{ "ifname", devices_ifname },
	{ "interfaces", devices_interfaces },
	{ "devices", devices_devices },
	{ NULL, NULL },
};
