// SPDX-License-Identifier: GPL-2.0-or-later
/* decode: messages as bytes to Lua tables, a visitor of a walk over the bytes. See codec.h. */
#include <errno.h>
#include <string.h>

#include <lauxlib.h>

#include "shell/address.h"
#include "shell/netlink/codec.h"

struct decoder {
	lua_State *L;
	unsigned int depth;
	const struct schema_nest *nests[SCHEMA_DEPTH + 1]; /* open ones; the last at depth */
};

static void push_mask(lua_State *L, const struct schema_names *bits, uint64_t mask)
{
	lua_Integer place = 0;

	lua_createtable(L, __builtin_popcountll(mask), 0);
	for (; mask; mask &= mask - 1) {
		unsigned int bit = (unsigned int)__builtin_ctzll(mask);
		const char *name = schema_value_name(bits, bit);

		if (name)
			lua_pushstring(L, name);
		else
			lua_pushinteger(L, bit);
		lua_rawseti(L, -2, ++place);
	}
}

void codec_push_value(lua_State *L, const struct schema_attr *attr, const struct wire_value *value)
{
	char text[ADDRESS_TEXT_LEN];
	const char *name;

	switch (attr->type) {
	case SCHEMA_ADDRESS:
		lua_pushlstring(L, text, address_format(value->data, value->len, text));
		return;
	case SCHEMA_STRING:
	case SCHEMA_BINARY:
		lua_pushlstring(L, (const char *)value->data, value->len);
		return;
	case SCHEMA_FLAG:
		lua_pushboolean(L, true);
		return;
	default:
		break;
	}
	if (attr->bits) {
		push_mask(L, attr->bits, value->number);
		return;
	}
	name = attr->names ? schema_value_name(attr->names, value->number) : NULL;
	if (name)
		lua_pushstring(L, name);
	else
		lua_pushinteger(L, (lua_Integer)value->number);
}

/* Whether a value goes behind the last one of a list and not under its name. */
static bool in_list(const struct decoder *decoder)
{
	return decoder->nests[decoder->depth]->shape != SCHEMA_STRUCT;
}

/* Pushes what the value is to be stored with: the array of a repeated one, or the name. */
static void prepare(struct decoder *decoder, const struct schema_attr *attr)
{
	lua_State *L = decoder->L;

	if (in_list(decoder))
		return;
	lua_pushstring(L, attr->name);
	if (!attr->repeated)
		return;
	lua_pushvalue(L, -1);
	if (lua_rawget(L, -3) == LUA_TNIL) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_pushvalue(L, -2);
		lua_pushvalue(L, -2);
		lua_rawset(L, -5);
	}
	lua_remove(L, -2);
}

/* Stores the value on top of the stack. */
static void store(struct decoder *decoder, const struct schema_attr *attr)
{
	lua_State *L = decoder->L;

	if (in_list(decoder)) {
		lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	} else if (attr->repeated) {
		lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
		lua_pop(L, 1);
	} else {
		lua_rawset(L, -3);
	}
}

static void decode_open(void *context, const struct schema_attr *attr, size_t count)
{
	struct decoder *decoder = context;
	bool list = attr->nest->shape != SCHEMA_STRUCT;

	prepare(decoder, attr);
	lua_createtable(decoder->L, list ? (int)count : 0, list ? 0 : (int)count);
	decoder->nests[++decoder->depth] = attr->nest;
}

static void decode_close(void *context, const struct schema_attr *attr)
{
	struct decoder *decoder = context;

	decoder->depth--;
	store(decoder, attr);
}

static void decode_value(void *context, const struct schema_attr *attr,
			 const struct wire_value *value)
{
	struct decoder *decoder = context;

	prepare(decoder, attr);
	codec_push_value(decoder->L, attr, value);
	store(decoder, attr);
}

static const struct wire_visitor decode_visitor = {
	.open = decode_open,
	.close = decode_close,
	.value = decode_value,
};

static bool push_command(lua_State *L, const struct schema_family *family,
			 const struct wire_message *message, struct wire_error *error)
{
	struct decoder decoder = { .L = L, .nests = { family->top } };
	int top = lua_gettop(L);
	struct genlmsghdr command;
	const uint8_t *attrs;
	const char *name;
	lua_Integer place = 0;
	size_t len;

	if (!wire_command(message, &command, &attrs, &len, error))
		return false;
	lua_createtable(L, 0, 2);
	name = schema_value_name(family->commands, command.cmd);
	if (name)
		lua_pushstring(L, name);
	else
		lua_pushinteger(L, command.cmd);
	lua_setfield(L, -2, "cmd");
	/* In a request only: the same bits mean other things in an answer. */
	if (message->header.nlmsg_flags & NLM_F_REQUEST &&
	    message->header.nlmsg_flags & (NLM_F_ACK | CODEC_DUMP)) {
		lua_newtable(L);
		if (message->header.nlmsg_flags & NLM_F_ACK) {
			lua_pushliteral(L, "ack");
			lua_rawseti(L, -2, ++place);
		}
		if ((message->header.nlmsg_flags & CODEC_DUMP) == CODEC_DUMP) {
			lua_pushliteral(L, "dump");
			lua_rawseti(L, -2, ++place);
		}
		lua_setfield(L, -2, "flags");
	}
	if (!wire_walk(family->top, attrs, len, message->offset + NLMSG_HDRLEN + GENL_HDRLEN,
		       &decode_visitor, &decoder, error)) {
		lua_settop(L, top);
		return false;
	}
	return true;
}

static bool push_acknowledgement(lua_State *L, const struct wire_message *message,
				 struct wire_error *error)
{
	struct wire_ack ack;

	if (!wire_ack(message, &ack, error))
		return false;
	lua_createtable(L, 0, 4);
	if (ack.error) {
		int number = ack.error < 0 && ack.error > -4096 ? -ack.error : EPROTO;
		const char *name = strerrorname_np(number);

		lua_pushliteral(L, "error");
		lua_setfield(L, -2, "cmd");
		lua_pushinteger(L, number);
		lua_setfield(L, -2, "errno");
		lua_pushstring(L, name ? name : "?");
		lua_setfield(L, -2, "name");
		if (ack.text)
			lua_pushlstring(L, ack.text, ack.text_len);
		else
			lua_pushstring(L, strerror(number));
		lua_setfield(L, -2, "message");
	} else {
		lua_pushstring(L, message->header.nlmsg_type == NLMSG_DONE ? "done" : "ack");
		lua_setfield(L, -2, "cmd");
	}
	return true;
}

bool codec_push(lua_State *L, const struct schema_family *family,
		const struct wire_message *message, struct wire_error *error)
{
	luaL_checkstack(L, CODEC_STACK, NULL);
	if (message->header.nlmsg_type >= NLMSG_MIN_TYPE)
		return push_command(L, family, message, error);
	if (message->header.nlmsg_type == NLMSG_ERROR || message->header.nlmsg_type == NLMSG_DONE)
		return push_acknowledgement(L, message, error);
	error->offset = message->offset;
	error->why = "a message of unknown type";
	return false;
}
