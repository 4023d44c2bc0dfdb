// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dump: reads what may be a million messages, one at a time as the consumer asks for them.
 *
 * Each dump has a channel of its own. So other requests, and other dumps, may be made between its
 * rows, and one that is left early (break, an error, Ctrl-C) is over when its channel is closed:
 * nothing of it can turn up in a later answer. The kernel goes on only as the rows are read.
 */
#include <errno.h>
#include <string.h>

#include <lauxlib.h>

#include "shell/netlink/codec.h"
#include "shell/netlink/library.h"

#define DUMP_TYPE "ipfi.dump"

struct dump {
	struct channel channel;
	struct wire_buffer request;
	const struct schema_family *family;
	size_t offset;	   /* of the next message in the channel's buffer */
	bool inconsistent; /* what was dumped changed meanwhile */
};

/* The user value of a dump: its connection. */
#define DUMP_CONNECTION 1

static int dump_close(lua_State *L)
{
	struct dump *dump = luaL_checkudata(L, 1, DUMP_TYPE);

	channel_close(&dump->channel);
	wire_free(&dump->request);
	return 0;
}

/*
 * Ends the dump at index: the error table on top of the stack, or nil, becomes its connection's
 * dump_error().
 */
static void finish(lua_State *L, int index)
{
	struct dump *dump = lua_touserdata(L, index);

	channel_close(&dump->channel);
	wire_free(&dump->request);
	lua_getiuservalue(L, index, DUMP_CONNECTION);
	lua_insert(L, -2);
	lua_setiuservalue(L, -2, CONNECTION_DUMP_ERROR);
	lua_pop(L, 1);
}

/* Pushes a new dump and sends its request, the message at argument 2. Its connection is argument 1.
 */
static struct dump *push_dump(lua_State *L)
{
	const struct connection *connection = netlink_check(L, 1);
	struct dump *dump;
	int index, error;

	luaL_checktype(L, 2, LUA_TTABLE);
	dump = lua_newuserdatauv(L, sizeof(*dump), 1);
	index = lua_gettop(L);
	memset(dump, 0, sizeof(*dump));
	dump->channel.fd = -1;
	dump->family = connection->family;
	if (luaL_newmetatable(L, DUMP_TYPE)) {
		lua_pushcfunction(L, dump_close);
		lua_setfield(L, -2, "__gc");
		lua_pushcfunction(L, dump_close);
		lua_setfield(L, -2, "__close");
	}
	lua_setmetatable(L, index);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, index, DUMP_CONNECTION);
	lua_pushnil(L);
	lua_setiuservalue(L, 1, CONNECTION_DUMP_ERROR);

	codec_encode(L, 2, dump->family, &dump->request);
	error = channel_open_like(&dump->channel, &connection->channel);
	if (!error) {
		wire_address(&dump->request, 0, connection->id, CODEC_DUMP, ++dump->channel.seq);
		error = channel_send(&dump->channel, dump->request.data, dump->request.len);
	}
	if (error) {
		netlink_push_errno(L, error);
		finish(L, index);
	}
	return dump;
}

/*
 * The end of a dump, or its refusal. Pushes the error table, or nil; false and why in error when it
 * is malformed.
 */
static bool push_end(lua_State *L, const struct dump *dump, const struct wire_message *message,
		     struct wire_error *error)
{
	struct wire_ack ack;

	if (!wire_ack(message, &ack, error))
		return false;
	if (ack.error) {
		netlink_push_ack(L, dump->family, dump->request.data, dump->request.len, &ack);
	} else if (dump->inconsistent) {
		netlink_push_error(L, EINTR, "what was listed changed meanwhile");
		lua_pushboolean(L, true);
		lua_setfield(L, -2, "interrupted");
	} else {
		lua_pushnil(L);
	}
	return true;
}

/*
 * The next message. False when there is none, with the error table pushed, or nil at the regular
 * end.
 */
static bool next_message(lua_State *L, struct dump *dump, struct wire_message *message)
{
	struct channel *channel = &dump->channel;
	struct wire_error error;
	int got;

	for (;;) {
		got = wire_next(channel->buffer, channel->len, &dump->offset, message, &error);
		if (got < 0)
			break;
		if (got == 0) {
			dump->offset = 0;
			got = channel_receive(channel, -1);
			if (got > 0)
				continue;
			netlink_push_errno(L, got);
			return false;
		}
		if (message->header.nlmsg_seq != channel->seq)
			continue;
		if (message->header.nlmsg_flags & NLM_F_DUMP_INTR)
			dump->inconsistent = true;
		if (message->header.nlmsg_type >= NLMSG_MIN_TYPE)
			return true;
		if (message->header.nlmsg_type != NLMSG_DONE &&
		    message->header.nlmsg_type != NLMSG_ERROR)
			continue;
		if (push_end(L, dump, message, &error))
			return false;
		break;
	}
	netlink_push_malformed(L, &error);
	return false;
}

/* The iterator: a closure over its dump. */
static int dump_next(lua_State *L)
{
	const int index = lua_upvalueindex(1);
	struct dump *dump = lua_touserdata(L, index);
	struct wire_message message;
	struct wire_error error;

	lua_settop(L, 0);
	if (!channel_is_open(&dump->channel))
		return 0;
	if (next_message(L, dump, &message)) {
		if (codec_push(L, dump->family, &message, &error))
			return 1;
		netlink_push_malformed(L, &error);
	}
	lua_pushvalue(L, index);
	lua_insert(L, 1);
	finish(L, 1);
	return 0;
}

/*
 * conn:dump(message) -> iterator
 *
 *     for row in conn:dump { cmd = "states_dump" } do ... end
 *     local err = conn:dump_error()
 *
 * yields the decoded messages as they are read. The loop may be left at any time.
 */
int dump_start(lua_State *L)
{
	push_dump(L);
	lua_pushvalue(L, -1);
	lua_pushcclosure(L, dump_next, 1);
	lua_insert(L, -2);
	/* The generic for closes its fourth value when the loop is left. */
	lua_pushnil(L);
	lua_insert(L, -2);
	lua_pushnil(L);
	lua_insert(L, -2);
	return 4;
}

/*
 * conn:dump_error() -> error table of the dump that ended last on this connection, or nil
 * Starting another clears it.
 * interrupted = true: the dump is complete but not consistent, because something was changed while
 * it ran.
 */
int dump_error(lua_State *L)
{
	netlink_check(L, 1);
	lua_getiuservalue(L, 1, CONNECTION_DUMP_ERROR);
	return 1;
}

/* Counting: the rows are not built, only the one field is looked at. */
struct counter {
	lua_State *L;
	unsigned int depth;
	const char *nest; /* the field's, or NULL for any */
	const char *field;
	const struct schema_attr *outside; /* its row on the top level, or NULL */
	const struct schema_attr *wanted;  /* its row where the walk is, or NULL */
	int counts;			   /* index of the table */
};

/* The row of a field that is no nest itself, or NULL. */
static const struct schema_attr *find_field(const struct schema_nest *nest, const char *field)
{
	unsigned int number = schema_find(nest, field);

	return number && nest->attrs[number].type != SCHEMA_NEST ? &nest->attrs[number] : NULL;
}

static void count_open(void *context, const struct schema_attr *attr, size_t count)
{
	struct counter *counter = context;

	(void)count;
	if (counter->depth++)
		return;
	counter->wanted = counter->nest && strcmp(counter->nest, attr->name) != 0
				  ? NULL
				  : find_field(attr->nest, counter->field);
}

static void count_close(void *context, const struct schema_attr *attr)
{
	struct counter *counter = context;

	(void)attr;
	if (--counter->depth == 0)
		counter->wanted = counter->outside;
}

/* Turns the list of names on top of the stack into one string. */
static void join_names(lua_State *L)
{
	lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
	luaL_Buffer text;

	luaL_buffinit(L, &text);
	for (lua_Integer i = 1; i <= count; i++) {
		if (i > 1)
			luaL_addchar(&text, ',');
		lua_rawgeti(L, -2, i);
		luaL_addvalue(&text);
	}
	luaL_pushresult(&text);
	lua_remove(L, -2);
}

static void count_value(void *context, const struct schema_attr *attr,
			const struct wire_value *value)
{
	struct counter *counter = context;
	lua_State *L = counter->L;

	if (attr != counter->wanted)
		return;
	codec_push_value(L, attr, value);
	if (attr->bits)
		join_names(L);
	lua_pushvalue(L, -1);
	lua_rawget(L, counter->counts);
	lua_pushinteger(L, lua_tointeger(L, -1) + 1);
	lua_remove(L, -2);
	lua_rawset(L, counter->counts);
}

/* Whether the schema knows nest.field, or nest is NULL and it knows the field anywhere. */
static bool field_exists(const struct schema_family *family, const char *nest, const char *field)
{
	for (unsigned int i = 1; i <= family->top->max; i++) {
		const struct schema_attr *attr = &family->top->attrs[i];

		if (attr->nest && (!nest || strcmp(nest, attr->name) == 0) &&
		    find_field(attr->nest, field))
			return true;
	}
	return !nest && find_field(family->top, field);
}

/* Whether what next_message() left at the end means that all rows were seen. */
static bool is_complete(lua_State *L)
{
	bool complete = true;

	if (!lua_isnil(L, -1)) {
		lua_getfield(L, -1, "interrupted");
		complete = lua_toboolean(L, -1);
		lua_pop(L, 1);
	}
	return complete;
}

static bool count_message(struct counter *counter, const struct schema_family *family,
			  const struct wire_message *message, struct wire_error *error)
{
	static const struct wire_visitor visitor = {
		.open = count_open,
		.close = count_close,
		.value = count_value,
	};
	struct genlmsghdr command;
	const uint8_t *attrs;
	size_t len;

	return wire_command(message, &command, &attrs, &len, error) &&
	       wire_walk(family->top, attrs, len, message->offset + NLMSG_HDRLEN + GENL_HDRLEN,
			 &visitor, counter, error);
}

/*
 * conn:dump_count(message, field) -> counts, rows; or nil and an error table
 *
 * Dumps and counts the values of one field, without building rows: counts has value -> number.
 * field is a name in the rows ("proto"), or with its nest ("state.proto"). A mask counts by its
 * names, joined by commas. rows is the number of messages; those without the field are not in
 * counts. Rows that changed meanwhile are no error here: the counts are returned, and dump_error()
 * says so.
 */
int dump_count(lua_State *L)
{
	struct counter counter = { .L = L };
	struct wire_message message;
	struct wire_error error;
	const char *dot;
	struct dump *dump;
	lua_Integer rows = 0;
	bool complete;

	counter.field = luaL_checkstring(L, 3);
	dot = strchr(counter.field, '.');
	if (dot) {
		counter.nest = lua_pushlstring(L, counter.field, (size_t)(dot - counter.field));
		counter.field = dot + 1;
	}
	luaL_argcheck(L, field_exists(netlink_check(L, 1)->family, counter.nest, counter.field), 3,
		      "no such field");
	dump = push_dump(L);
	counter.outside = counter.nest ? NULL : find_field(dump->family->top, counter.field);
	counter.wanted = counter.outside;
	lua_newtable(L);
	counter.counts = lua_gettop(L);
	if (!channel_is_open(&dump->channel)) {
		lua_pushnil(L);
		lua_getiuservalue(L, 1, CONNECTION_DUMP_ERROR);
		return 2;
	}
	for (;;) {
		if (!next_message(L, dump, &message)) {
			complete = is_complete(L);
			break;
		}
		if (!count_message(&counter, dump->family, &message, &error)) {
			netlink_push_malformed(L, &error);
			complete = false;
			break;
		}
		rows++;
	}
	lua_pushvalue(L, -1);
	finish(L, counter.counts - 1);
	if (!complete) {
		lua_pushnil(L);
		lua_insert(L, -2);
		return 2;
	}
	lua_pop(L, 1);
	lua_pushinteger(L, rows);
	return 2;
}
