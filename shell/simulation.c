// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * engine_library: see engine_library.h. What the engine is, stands in engine/engine.h.
 *
 *     local world = engine.new { seed = 1 }
 *     world:device("eth0", { addresses = { "192.0.2.1/24" } })
 *     local out = world:pass { list = "in", iif = "eth0", data = bytes }
 *     world:advance(30)
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>

#include "shell/address.h"
#include "shell/engine/engine.h"
#include "shell/simulation.h"
#include "shell/netlink/library.h"

#define WORLD_TYPE "ipfi.world"

#define NS_PER_SECOND 1000000000

/* The furthest that a clock is moved at once, in seconds: some thirty years. */
#define SECONDS_MOST 1e9

/* ORDER engine_list */
static const char *const lists[] = { "in", "out", "forward", NULL };

struct world {
	struct engine_world *world; /* NULL: closed */
};

static struct engine_world *check_world(lua_State *L)
{
	const struct world *world = luaL_checkudata(L, 1, WORLD_TYPE);

	luaL_argcheck(L, world->world, 1, "the world is closed");
	return world->world;
}

/*
 * engine.new { seed =, time =, ipv6 =, inside = } -> world
 * A world with the device lo. seed: of all that is random in it, 1 when absent. time: seconds since the
 * epoch when it begins, now when absent. ipv6: false for one as of a kernel started with ipv6.disable=1.
 * inside: a world whose namespace is the machine's first one, and which is closed later; without, this one's is.
 */
static int library_new(lua_State *L)
{
	struct engine_settings settings = { .seed = 1 };
	struct world *world;
	lua_Number now = (lua_Number)time(NULL);

	if (!lua_isnoneornil(L, 1)) {
		luaL_checktype(L, 1, LUA_TTABLE);
		if (lua_getfield(L, 1, "seed") != LUA_TNIL)
			settings.seed = (uint64_t)luaL_checkinteger(L, -1);
		if (lua_getfield(L, 1, "time") != LUA_TNIL)
			now = luaL_checknumber(L, -1);
		settings.without_ipv6 = lua_getfield(L, 1, "ipv6") == LUA_TBOOLEAN && !lua_toboolean(L, -1);
		if (lua_getfield(L, 1, "inside") != LUA_TNIL)
			settings.inside = ((struct world *)luaL_checkudata(L, -1, WORLD_TYPE))->world;
		luaL_argcheck(L, now >= 0 && now < 1e10, 1, "time is in seconds since the epoch");
	}
	settings.time = (uint64_t)(now * NS_PER_SECOND);
	world = lua_newuserdatauv(L, sizeof(*world), 1);
	world->world = NULL;
	luaL_setmetatable(L, WORLD_TYPE);
	if (engine_world_new(&settings, &world->world) != 0)
		return luaL_error(L, "not enough memory");
	/* Which is not collected before it. */
	if (settings.inside) {
		lua_getfield(L, 1, "inside");
		lua_setiuservalue(L, -2, 1);
	}
	return 1;
}

/* world:close(): ends it with all that it has; its connections answer no more */
static int world_close(lua_State *L)
{
	struct world *world = luaL_checkudata(L, 1, WORLD_TYPE);

	engine_world_free(world->world);
	world->world = NULL;
	return 0;
}

/* world:connection() -> connection, as open() of ipfi.c.netlink gives one; or nil and an error table */
static int world_connection(lua_State *L)
{
	return netlink_connect_engine(L, 1, check_world(L));
}

/* The address "192.0.2.1/24" on top of the stack; without a prefix it is a network of its own. */
static void read_address(lua_State *L, struct engine_address *address)
{
	const char *text = luaL_checkstring(L, -1), *slash = strchr(text, '/');
	char bare[ADDRESS_TEXT_LEN];
	size_t length = slash ? (size_t)(slash - text) : strlen(text), bytes = 0;
	lua_Integer bits = -1;

	if (length < sizeof(bare)) {
		memcpy(bare, text, length);
		bare[length] = '\0';
		bytes = address_parse(bare, address->bytes);
	}
	if (slash && lua_stringtonumber(L, slash + 1)) {
		bits = lua_tointeger(L, -1);
		lua_pop(L, 1);
	} else if (!slash) {
		bits = (lua_Integer)bytes * 8;
	}
	if (!bytes || bits < 0 || bits > (lua_Integer)bytes * 8)
		luaL_error(L, "'%s' is no address with a prefix", text);
	address->family = bytes == 4 ? 4 : 6;
	address->length = (uint8_t)bits;
}

/* The list of addresses on top of the stack, in memory of Lua's, which stays on the stack. */
static void read_addresses(lua_State *L, struct engine_device *device)
{
	const int index = lua_gettop(L);
	struct engine_address *addresses;

	luaL_checktype(L, index, LUA_TTABLE);
	device->address_count = (size_t)lua_rawlen(L, index);
	addresses = lua_newuserdatauv(L, (device->address_count + 1) * sizeof(*addresses), 0);
	memset(addresses, 0, device->address_count * sizeof(*addresses));
	for (size_t i = 0; i < device->address_count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i + 1);
		read_address(L, &addresses[i]);
		lua_pop(L, 1);
	}
	device->addresses = addresses;
}

/* A field that is true or false, and what it is when absent. */
static bool read_flag(lua_State *L, int index, const char *name, bool absent)
{
	bool value = lua_getfield(L, index, name) == LUA_TNIL ? absent : lua_toboolean(L, -1);

	lua_pop(L, 1);
	return value;
}

/*
 * world:device(name, { addresses =, mtu =, loopback =, up =, standard =, vrf = }) -> index
 * Makes the device of that name, or changes it into this. addresses: a list of "192.0.2.1/24". mtu: 1500 when
 * absent. loopback: false when absent, except of lo. up: true when absent. standard: it is the way to all that is in
 * no device's network; without one, the first device that is no loopback is. vrf: true for a VRF's own device, or the
 * name of the VRF that it belongs to.
 */
static int world_device(lua_State *L)
{
	struct engine_world *world = check_world(L);
	struct engine_device device = { .name = luaL_checkstring(L, 2) };
	int index;

	lua_settop(L, 3);
	if (lua_isnil(L, 3)) {
		lua_newtable(L);
		lua_replace(L, 3);
	}
	luaL_checktype(L, 3, LUA_TTABLE);
	device.loopback = read_flag(L, 3, "loopback", strcmp(device.name, "lo") == 0);
	device.down = !read_flag(L, 3, "up", true);
	device.standard = read_flag(L, 3, "standard", false);
	if (lua_getfield(L, 3, "mtu") != LUA_TNIL) {
		const lua_Integer mtu = luaL_checkinteger(L, -1);

		luaL_argcheck(L, mtu > 0 && mtu <= INT32_MAX, 3, "mtu is in bytes");
		device.mtu = (uint32_t)mtu;
	}
	if (lua_getfield(L, 3, "vrf") == LUA_TSTRING)
		device.vrf = lua_tostring(L, -1);
	else
		device.is_vrf = lua_toboolean(L, -1);
	lua_pop(L, 1);
	if (lua_getfield(L, 3, "addresses") != LUA_TNIL)
		read_addresses(L, &device);
	index = engine_set_device(world, &device);
	if (index < 0)
		return luaL_error(L, "device '%s': %s", device.name, strerror(-index));
	lua_pushinteger(L, index);
	return 1;
}

/* world:ifindex(name) -> index of the device, or nil */
static int world_ifindex(lua_State *L)
{
	const int index = engine_device_index(check_world(L), luaL_checkstring(L, 2));

	if (index)
		lua_pushinteger(L, index);
	else
		lua_pushnil(L);
	return 1;
}

/* world:ifname(index) -> name of the device, or nil */
static int world_ifname(lua_State *L)
{
	struct engine_world *world = check_world(L);
	const lua_Integer index = luaL_checkinteger(L, 2);

	lua_pushstring(L, index > 0 && index <= INT_MAX ? engine_device_name(world, (int)index) : NULL);
	return 1;
}

/* world:interfaces() -> list of the names of its devices */
static int world_interfaces(lua_State *L)
{
	struct engine_world *world = check_world(L);
	lua_Integer place = 0;
	const char *name;

	lua_newtable(L);
	for (int index = 1; (name = engine_device_name(world, index)); index++) {
		lua_pushstring(L, name);
		lua_rawseti(L, -2, ++place);
	}
	return 1;
}

/* A field of the packet at index 2 that is a text, or NULL; it stays in its table. */
static const char *read_text(lua_State *L, const char *name, size_t *len)
{
	const char *text = NULL;
	const int type = lua_getfield(L, 2, name);

	if (type == LUA_TSTRING)
		text = lua_tolstring(L, -1, len);
	else if (type != LUA_TNIL)
		luaL_error(L, "%s of a packet is a text, not a %s", name, lua_typename(L, type));
	lua_pop(L, 1);
	return text;
}

/* A field that is a number of 32 bits; false when it is absent. */
static bool read_u32(lua_State *L, const char *name, uint32_t *value)
{
	const bool present = lua_getfield(L, 2, name) != LUA_TNIL;

	if (present) {
		const lua_Integer number = luaL_checkinteger(L, -1);

		if (number < 0 || number > UINT32_MAX)
			luaL_error(L, "%s of a packet has 32 bits", name);
		*value = (uint32_t)number;
	}
	lua_pop(L, 1);
	return present;
}

static void read_packet(lua_State *L, struct engine_packet *packet)
{
	luaL_checktype(L, 2, LUA_TTABLE);
	memset(packet, 0, sizeof(*packet));
	lua_getfield(L, 2, "list");
	packet->list = (enum engine_list)luaL_checkoption(L, -1, NULL, lists);
	lua_pop(L, 1);
	packet->data = read_text(L, "data", &packet->len);
	if (!packet->data)
		luaL_error(L, "a packet has data");
	packet->iif = read_text(L, "iif", NULL);
	packet->oif = read_text(L, "oif", NULL);
	read_u32(L, "mark", &packet->mark);
	packet->has_user = read_u32(L, "user", &packet->user);
	packet->checked = read_flag(L, 2, "checked", false);
	packet->ipsec = read_flag(L, 2, "ipsec", false);
}

/* A packet of Lua's that waits. What its function raises is kept until the packet has passed. */
struct waiting {
	lua_State *L;
	int function; /* its place on the stack */
	bool failed;  /* its error is on the top */
};

static bool wait(void *context, enum engine_queue queue)
{
	static const char *const queues[] = {
		[ENGINE_BEFORE_INPUT] = "in", [ENGINE_BEFORE_FORWARD] = "forward", [ENGINE_BEFORE_LEAVING] = "leave",
	};
	struct waiting *waiting = context;
	lua_State *L = waiting->L;
	bool goes_on;

	if (waiting->failed)
		return false;
	lua_pushvalue(L, waiting->function);
	lua_pushstring(L, queues[queue]);
	waiting->failed = lua_pcall(L, 1, 1, 0) != LUA_OK;
	if (waiting->failed)
		return false;
	goes_on = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return goes_on;
}

static void set_text(lua_State *L, const char *name, const char *text)
{
	if (!text)
		return;
	lua_pushstring(L, text);
	lua_setfield(L, -2, name);
}

static void push_answers(lua_State *L, struct engine_world *world)
{
	struct engine_answer answer;
	lua_Integer place = 0;

	lua_newtable(L);
	while (engine_next_answer(world, &answer)) {
		lua_createtable(L, 0, 2);
		lua_pushlstring(L, (const char *)answer.data, answer.len);
		lua_setfield(L, -2, "data");
		set_text(L, "oif", answer.oif);
		lua_rawseti(L, -2, ++place);
	}
}

/*
 * world:pass { list =, data =, iif =, oif =, mark =, user =, ipsec =, checked = } -> outcome; or nil and a message
 *
 * list: "in", "out" or "forward"; data: the bytes of the IP packet; iif, oif: names of devices, or as its addresses
 * say; ipsec: it came by IPsec, or will leave by it; user: the number of its sender, list "out"; checked: its checksums count as right, as in captures of what a
 * device was to make them for; wait: a function that is called where the packet may wait for user space, with "in",
 * "forward" or "leave", what comes next: the world may be used meanwhile, and the packet goes on if it returns true.
 * The outcome has verdict ("accept" or "drop"), data (as the packet
 * left, translated), list, iif and oif (how it went in the end), and answers: a list of packets that the firewall
 * sent itself, each { data =, oif = }.
 */
static int world_pass(lua_State *L)
{
	struct engine_world *world = check_world(L);
	struct waiting waiting = { .L = L };
	struct engine_outcome outcome;
	struct engine_packet packet;
	int error;

	read_packet(L, &packet);
	if (lua_getfield(L, 2, "wait") == LUA_TFUNCTION) {
		waiting.function = lua_gettop(L);
		packet.wait = wait;
		packet.context = &waiting;
	}
	error = engine_pass(world, &packet, &outcome);
	if (waiting.failed)
		return lua_error(L);
	if (error) {
		lua_pushnil(L);
		lua_pushstring(L, error == -EINVAL ? "no IP packet, or no name of a device" : strerror(-error));
		return 2;
	}
	lua_createtable(L, 0, 6);
	lua_pushstring(L, outcome.accepted ? "accept" : "drop");
	lua_setfield(L, -2, "verdict");
	lua_pushlstring(L, (const char *)outcome.data, outcome.len);
	lua_setfield(L, -2, "data");
	set_text(L, "list", lists[outcome.list]);
	set_text(L, "iif", outcome.iif);
	set_text(L, "oif", outcome.oif);
	push_answers(L, world);
	lua_setfield(L, -2, "answers");
	return 1;
}

/* world:advance(seconds): moves its clock; what is due meanwhile happens, each at its time */
static int world_advance(lua_State *L)
{
	struct engine_world *world = check_world(L);
	const lua_Number seconds = luaL_checknumber(L, 2);

	luaL_argcheck(L, seconds >= 0 && seconds <= SECONDS_MOST, 2, "seconds from 0 on");
	engine_advance(world, (uint64_t)(seconds * NS_PER_SECOND));
	return 0;
}

/* world:now() -> seconds since the world began */
static int world_now(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)engine_now(check_world(L)) / NS_PER_SECOND);
	return 1;
}

/* world:said() -> list of the lines of its kernel log that were not yet asked for */
static int world_said(lua_State *L)
{
	struct engine_world *world = check_world(L);
	lua_Integer place = 0;
	const char *line;

	lua_newtable(L);
	while ((line = engine_said(world))) {
		lua_pushstring(L, line);
		lua_rawseti(L, -2, ++place);
	}
	return 1;
}

/* warnings() -> how often the module met what must not be, in all worlds of this process */
static int library_warnings(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)engine_warnings());
	return 1;
}

int engine_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "connection", world_connection },
		{ "device", world_device },
		{ "ifindex", world_ifindex },
		{ "ifname", world_ifname },
		{ "interfaces", world_interfaces },
		{ "pass", world_pass },
		{ "advance", world_advance },
		{ "now", world_now },
		{ "said", world_said },
		{ "close", world_close },
		{ "__gc", world_close },
		{ "__close", world_close },
		{ NULL, NULL },
	};
	static const luaL_Reg library[] = {
		{ "new", library_new },
		{ "warnings", library_warnings },
		{ NULL, NULL },
	};

	if (luaL_newmetatable(L, WORLD_TYPE)) {
		luaL_setfuncs(L, methods, 0);
		lua_pushvalue(L, -1);
		lua_setfield(L, -2, "__index");
	}
	lua_pop(L, 1);
	luaL_newlib(L, library);
	return 1;
}
