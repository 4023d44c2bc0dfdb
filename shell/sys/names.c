// SPDX-License-Identifier: GPL-2.0-or-later
/* sys_names: services, protocols and users by name and number, from the system's databases. */
#include <arpa/inet.h>
#include <netdb.h>
#include <pwd.h>
#include <stdint.h>
#include <unistd.h>

#include "shell/sys/sys.h"

/*
 * service(name, proto) -> port, or nil
 * proto is "tcp", "udp" or nil for whichever the database has first.
 */
static int names_service(lua_State *L)
{
	const struct servent *entry =
		getservbyname(luaL_checkstring(L, 1), luaL_optstring(L, 2, NULL));

	if (entry)
		lua_pushinteger(L, ntohs((uint16_t)entry->s_port));
	else
		lua_pushnil(L);
	return 1;
}

/* service_name(port, proto) -> name, or nil */
static int names_service_name(lua_State *L)
{
	lua_Integer port = luaL_checkinteger(L, 1);
	const char *proto = luaL_optstring(L, 2, NULL);
	const struct servent *entry = NULL;

	if (port >= 0 && port <= UINT16_MAX)
		entry = getservbyport(htons((uint16_t)port), proto);
	lua_pushstring(L, entry ? entry->s_name : NULL);
	return 1;
}

/* services() -> list of names, aliases too; some stand there often */
static int names_services(lua_State *L)
{
	const struct servent *entry;
	lua_Integer place = 0;

	lua_newtable(L);
	setservent(1);
	while ((entry = getservent())) {
		lua_pushstring(L, entry->s_name);
		lua_rawseti(L, -2, ++place);
		for (char **alias = entry->s_aliases; *alias; alias++) {
			lua_pushstring(L, *alias);
			lua_rawseti(L, -2, ++place);
		}
	}
	endservent();
	return 1;
}

/* protocol(name) -> number, or nil */
static int names_protocol(lua_State *L)
{
	const struct protoent *entry = getprotobyname(luaL_checkstring(L, 1));

	if (entry)
		lua_pushinteger(L, entry->p_proto);
	else
		lua_pushnil(L);
	return 1;
}

/* protocol_name(number) -> name, or nil */
static int names_protocol_name(lua_State *L)
{
	lua_Integer number = luaL_checkinteger(L, 1);
	const struct protoent *entry = NULL;

	if (number >= 0 && number <= UINT8_MAX)
		entry = getprotobynumber((int)number);
	lua_pushstring(L, entry ? entry->p_name : NULL);
	return 1;
}

/* protocols() -> list of names */
static int names_protocols(lua_State *L)
{
	const struct protoent *entry;
	lua_Integer place = 0;

	lua_newtable(L);
	setprotoent(1);
	while ((entry = getprotoent())) {
		lua_pushstring(L, entry->p_name);
		lua_rawseti(L, -2, ++place);
	}
	endprotoent();
	return 1;
}

/* user(name) -> user id, or nil */
static int names_user(lua_State *L)
{
	const struct passwd *entry = getpwnam(luaL_checkstring(L, 1));

	if (entry)
		lua_pushinteger(L, entry->pw_uid);
	else
		lua_pushnil(L);
	return 1;
}

/* user_name(user id) -> name, or nil */
static int names_user_name(lua_State *L)
{
	lua_Integer id = luaL_checkinteger(L, 1);
	const struct passwd *entry = NULL;

	if (id >= 0 && id <= UINT32_MAX)
		entry = getpwuid((uid_t)id);
	lua_pushstring(L, entry ? entry->pw_name : NULL);
	return 1;
}

/* home() -> the home directory of the user whose rights the program has, as the system knows it */
static int names_home(lua_State *L)
{
	const struct passwd *entry = getpwuid(geteuid());

	lua_pushstring(L, entry ? entry->pw_dir : NULL);
	return 1;
}

const luaL_Reg sys_names[] = {
	{ "service", names_service },
	{ "service_name", names_service_name },
	{ "services", names_services },
	{ "protocol", names_protocol },
	{ "protocol_name", names_protocol_name },
	{ "protocols", names_protocols },
	{ "user", names_user },
	{ "user_name", names_user_name },
	{ "home", names_home },
	{ NULL, NULL },
};
