// SPDX-License-Identifier: GPL-2.0-or-later
/* netlink: connections, requests and events. See netlink.h. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <lauxlib.h>

#include "shell/netlink/codec.h"
#include "shell/interrupt.h"
#include "shell/netlink/library.h"

#define CONNECTION_TYPE "ipfi.connection"

/* Messages that events() returns at once: a flood must not keep the caller waiting for its end. */
#define EVENTS_MOST 4096

/* Errors */

void netlink_push_error(lua_State *L, int number, const char *text)
{
	const char *name;

	number = number < 0 ? -number : number;
	name = strerrorname_np(number);
	lua_createtable(L, 0, 4);
	lua_pushinteger(L, number);
	lua_setfield(L, -2, "errno");
	lua_pushstring(L, name ? name : "?");
	lua_setfield(L, -2, "name");
	lua_pushstring(L, text);
	lua_setfield(L, -2, "message");
	if (number == EINTR && interrupt_pending()) {
		lua_pushboolean(L, true);
		lua_setfield(L, -2, "interrupt");
	}
}

void netlink_push_errno(lua_State *L, int number)
{
	netlink_push_error(L, number, strerror(number < 0 ? -number : number));
}

void netlink_push_ack(lua_State *L, const struct schema_family *family, const void *request,
		      size_t len, const struct wire_ack *ack)
{
	char path[WIRE_PATH_LEN];

	netlink_push_errno(L, ack->error);
	if (ack->text) {
		lua_pushlstring(L, ack->text, ack->text_len);
		lua_setfield(L, -2, "message");
	}
	if (wire_ack_path(family, request, len, ack, path)) {
		lua_pushstring(L, path);
		lua_setfield(L, -2, "attr");
	}
}

void netlink_push_malformed(lua_State *L, const struct wire_error *error)
{
	lua_pushfstring(L, "malformed answer at byte %I: %s", (LUAI_UACINT)error->offset,
			error->why);
	netlink_push_error(L, EBADMSG, lua_tostring(L, -1));
	lua_remove(L, -2);
}

/* Requests */

/*
 * Reads the answers to the message with this sequence number. Returns true with a list of them
 * pushed, or false with an error table pushed.
 */
static bool receive_answers(lua_State *L, struct channel *channel,
			    const struct schema_family *family, const struct wire_buffer *request)
{
	struct wire_message message;
	struct wire_error error;
	struct wire_ack ack;
	lua_Integer place = 0;
	size_t offset;
	int got;

	lua_newtable(L);
	for (;;) {
		got = channel_receive(channel, -1);
		if (got < 0) {
			netlink_push_errno(L, got);
			return false;
		}
		offset = 0;
		while ((got = wire_next(channel->buffer, channel->len, &offset, &message, &error)) >
		       0) {
			if (message.header.nlmsg_seq != channel->seq)
				continue;
			if (message.header.nlmsg_type >= NLMSG_MIN_TYPE) {
				if (!codec_push(L, family, &message, &error))
					break;
				lua_rawseti(L, -2, ++place);
				continue;
			}
			if (message.header.nlmsg_type != NLMSG_ERROR &&
			    message.header.nlmsg_type != NLMSG_DONE)
				continue;
			if (!wire_ack(&message, &ack, &error))
				break;
			if (!ack.error)
				return true;
			netlink_push_ack(L, family, request->data, request->len, &ack);
			return false;
		}
		if (got) {
			netlink_push_malformed(L, &error);
			return false;
		}
	}
}

/* Sends the message at index and reads the answers, as receive_answers(). */
static bool transact(lua_State *L, struct channel *channel, const struct schema_family *family,
		     uint16_t id, int index)
{
	struct wire_buffer *request = codec_push_buffer(L);
	int error;

	codec_encode(L, index, family, request);
	wire_address(request, 0, id, NLM_F_ACK, ++channel->seq);
	error = channel_send(channel, request->data, request->len);
	if (error) {
		netlink_push_errno(L, error);
		return false;
	}
	return receive_answers(L, channel, family, request);
}

/* Connections */

struct connection *netlink_check(lua_State *L, int index)
{
	struct connection *connection = luaL_checkudata(L, index, CONNECTION_TYPE);

	luaL_argcheck(L, channel_is_open(&connection->channel), index, "the connection is closed");
	return connection;
}

/*
 * conn:request(message) -> list of the answers, or nil and an error table
 * Waits until the kernel has acknowledged the message; the list is empty when it said no more than
 * that.
 */
static int connection_request(lua_State *L)
{
	struct connection *connection = netlink_check(L, 1);

	luaL_checktype(L, 2, LUA_TTABLE);
	if (transact(L, &connection->channel, connection->family, connection->id, 2))
		return 1;
	lua_pushnil(L);
	lua_insert(L, -2);
	return 2;
}

/*
 * conn:subscribe(group) -> true, or nil and an error table
 * group is the name of a multicast group of the family: "state", "log" or "ruleset".
 */
static int connection_subscribe(lua_State *L)
{
	struct connection *connection = netlink_check(L, 1);
	const char *group = luaL_checkstring(L, 2);
	uint32_t id;
	int error = 0;

	lua_getiuservalue(L, 1, CONNECTION_GROUPS);
	lua_getfield(L, -1, group);
	id = (uint32_t)lua_tointeger(L, -1);
	luaL_argcheck(L, id != 0, 2, "the family has no such group");
	if (!channel_is_open(&connection->events))
		error = channel_open_like(&connection->events, &connection->channel);
	if (!error)
		error = channel_join(&connection->events, id);
	if (!error) {
		lua_pushboolean(L, true);
		return 1;
	}
	lua_pushnil(L);
	netlink_push_errno(L, error);
	return 2;
}

/* Appends the messages in the buffer of the events to the list on top of the stack. */
static bool append_events(lua_State *L, const struct connection *connection, lua_Integer *place,
			  struct wire_error *error)
{
	const struct channel *events = &connection->events;
	struct wire_message message;
	size_t offset = 0;
	int got;

	while ((got = wire_next(events->buffer, events->len, &offset, &message, error)) > 0) {
		if (message.header.nlmsg_type != connection->id)
			continue;
		if (!codec_push(L, connection->family, &message, error))
			return false;
		lua_rawseti(L, -2, ++*place);
	}
	return got == 0;
}

/*
 * conn:events(seconds) -> list of messages, or nil and an error table
 * Waits for the first event of the subscribed groups, at most so many seconds (nil: for ever), and
 * returns it with those that are there already; an empty list when there is none in time. A world of
 * the engine is not waited for: nothing happens in it meanwhile. { cmd =
 * "lost" } stands where events were lost because they were read too slowly.
 */
static int connection_events(lua_State *L)
{
	struct connection *connection = netlink_check(L, 1);
	lua_Number seconds = luaL_optnumber(L, 2, -1);
	int timeout = seconds < 0 ? -1 : seconds > INT_MAX / 1000 ? INT_MAX : (int)(seconds * 1000);
	struct wire_error error;
	lua_Integer place = 0;
	int got;

	luaL_argcheck(L, channel_is_open(&connection->events), 1, "there is no subscription");
	lua_newtable(L);
	while (place < EVENTS_MOST) {
		got = channel_receive(&connection->events, timeout);
		if (got == 0 || got == -ENODATA)
			break;
		timeout = 0;
		if (got == -ENOBUFS) {
			lua_createtable(L, 0, 1);
			lua_pushliteral(L, "lost");
			lua_setfield(L, -2, "cmd");
			lua_rawseti(L, -2, ++place);
			continue;
		}
		if (got > 0 && append_events(L, connection, &place, &error))
			continue;
		/*
		 * What was read already is worth more than the error, which the next call will
		 * meet.
		 */
		if (place)
			break;
		lua_pushnil(L);
		if (got < 0)
			netlink_push_errno(L, got);
		else
			netlink_push_malformed(L, &error);
		return 2;
	}
	return 1;
}

/*
 * conn:fd() -> the descriptor to wait on: that of the events if there is a subscription, else of
 * the answers; -1 for a world of the engine
 */
static int connection_fd(lua_State *L)
{
	struct connection *connection = netlink_check(L, 1);

	lua_pushinteger(L, connection->events.fd >= 0 ? connection->events.fd
						      : connection->channel.fd);
	return 1;
}

/* conn:close(): ends the connection, and with it a transaction that was begun on it */
static int connection_close(lua_State *L)
{
	struct connection *connection = luaL_checkudata(L, 1, CONNECTION_TYPE);

	channel_close(&connection->channel);
	channel_close(&connection->events);
	return 0;
}

/* Pushes a new connection that is closed. */
static struct connection *push_connection(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "request", connection_request }, { "dump", dump_start },
		{ "dump_error", dump_error },	   { "dump_count", dump_count },
		{ "stream", stream_send },	   { "subscribe", connection_subscribe },
		{ "events", connection_events },   { "fd", connection_fd },
		{ "close", connection_close },	   { "__gc", connection_close },
		{ "__close", connection_close },   { NULL, NULL },
	};
	struct connection *connection =
		lua_newuserdatauv(L, sizeof(*connection), CONNECTION_VALUES);

	memset(connection, 0, sizeof(*connection));
	connection->channel.fd = -1;
	connection->events.fd = -1;
	if (luaL_newmetatable(L, CONNECTION_TYPE)) {
		luaL_setfuncs(L, methods, 0);
		lua_pushvalue(L, -1);
		lua_setfield(L, -2, "__index");
	}
	lua_setmetatable(L, -2);
	return connection;
}

/*
 * Takes the family's number and groups from the answer of nlctrl on top of the stack, a connection
 * below it. Returns the version the kernel has.
 */
static lua_Integer adopt_family(lua_State *L, struct connection *connection, int index)
{
	lua_Integer version;

	lua_geti(L, -1, 1);
	lua_getfield(L, -1, "family_id");
	connection->id = (uint16_t)lua_tointeger(L, -1);
	lua_pop(L, 1);
	lua_getfield(L, -1, "version");
	version = lua_tointeger(L, -1);
	lua_pop(L, 1);

	lua_newtable(L);
	if (lua_getfield(L, -2, "mcast_groups") == LUA_TTABLE) {
		for (lua_Integer i = 1; lua_geti(L, -1, i) == LUA_TTABLE; i++) {
			lua_getfield(L, -1, "name");
			lua_getfield(L, -2, "id");
			lua_rawset(L, -5);
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	lua_setiuservalue(L, index, CONNECTION_GROUPS);
	lua_pop(L, 1);
	return version;
}

/* Pushes what to ask nlctrl: { cmd = "getfamily", family_name = name }. */
static void push_question(lua_State *L, const char *name)
{
	lua_createtable(L, 0, 2);
	lua_pushliteral(L, "getfamily");
	lua_setfield(L, -2, "cmd");
	lua_pushstring(L, name);
	lua_setfield(L, -2, "family_name");
}

/*
 * Asks for the family of the connection at index 2, whose channel has been opened with the result
 * error. Pushes it, or nil and an error table; returns how many.
 */
static int introduce(lua_State *L, struct connection *connection, const char *name, int error)
{
	lua_Integer version;

	lua_pushnil(L);
	if (error) {
		netlink_push_errno(L, error);
		return 2;
	}
	push_question(L, name);
	if (!transact(L, &connection->channel, &schema_nlctrl, GENL_ID_CTRL, lua_gettop(L))) {
		lua_getfield(L, -1, "errno");
		if (lua_tointeger(L, -1) == ENOENT) {
			lua_pushboolean(L, true);
			lua_setfield(L, -3, "absent");
			lua_pushfstring(
				L,
				"the kernel has no netlink family '%s': its module is not loaded",
				name);
			lua_setfield(L, -3, "message");
		}
		lua_pop(L, 1);
		channel_close(&connection->channel);
		lua_pushnil(L);
		lua_insert(L, -2);
		return 2;
	}
	version = adopt_family(L, connection, 2);
	if (version != connection->family->version) {
		channel_close(&connection->channel);
		lua_pushnil(L);
		lua_pushfstring(L, "the kernel speaks version %I of '%s', this program version %d",
				(LUAI_UACINT)version, name, connection->family->version);
		netlink_push_error(L, EPROTONOSUPPORT, lua_tostring(L, -1));
		lua_remove(L, -2);
		lua_pushboolean(L, true);
		lua_setfield(L, -2, "version");
		return 2;
	}
	lua_pushvalue(L, 2);
	return 1;
}

/*
 * open(family) -> connection, or nil and an error table (absent = true: the module is not loaded;
 * version = true: it is of another version). family is "ipfi" when absent, or "nlctrl", the
 * kernel's own.
 */
static int lib_open(lua_State *L)
{
	const char *name = luaL_optstring(L, 1, schema_ipfi.name);
	const struct schema_family *family = schema_family(name);
	struct connection *connection;

	luaL_argcheck(L, family, 1, "no such family");
	lua_settop(L, 1);
	connection = push_connection(L);
	connection->family = family;
	return introduce(L, connection, name, channel_open(&connection->channel));
}

int netlink_connect_engine(lua_State *L, int index, struct engine_world *world)
{
	struct connection *connection;

	lua_pushvalue(L, index);
	lua_replace(L, 1);
	lua_settop(L, 1);
	connection = push_connection(L);
	connection->family = &schema_ipfi;
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, 2, CONNECTION_WORLD);
	return introduce(L, connection, schema_ipfi.name, channel_open_engine(&connection->channel, world));
}

int netlink_open(lua_State *L)
{
	static const luaL_Reg library[] = {
		{ "open", lib_open },
		{ NULL, NULL },
	};

	luaL_newlib(L, library);
	return 1;
}
