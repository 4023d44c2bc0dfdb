// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stream: sends many messages in few calls: a rule set is a message for each rule, and there may be
 * 100,000.
 *
 * The kernel works through a chunk before sendmsg returns, and says something only about what it
 * refuses. So that the end of its answers is seen, the last message of each chunk asks for an
 * acknowledgement. The answers to a chunk are read before the next is sent, which keeps them few
 * and the first refusal the last thing sent.
 */
#include <errno.h>

#include <lauxlib.h>

#include "shell/netlink/codec.h"
#include "shell/interrupt.h"
#include "shell/netlink/library.h"

struct stream {
	lua_State *L;
	struct connection *connection;
	const char *bytes;
	size_t len, offset;	   /* of all messages; of the next one to send */
	struct wire_buffer *chunk; /* being sent, addressed to the kernel */
	uint32_t first_seq;	   /* of the chunk's first message */
	lua_Integer first_index;   /* its place among all messages, from 1 */
	lua_Integer count;	   /* messages in the chunk */
	lua_Integer refused;	   /* place of the first message refused; 0: none */
};

/* Stack of stream_send. */
enum { ARG_CONNECTION = 1, ARG_MESSAGES, ARG_ON_ERROR, ERROR_INDEX, REPLY_INDEX, CHUNK_INDEX };

/* Whether all bytes are whole messages. */
static bool check_bytes(const struct stream *stream, struct wire_error *error)
{
	struct wire_message message;
	size_t offset = 0;
	int got;

	do {
		got = wire_next(stream->bytes, stream->len, &offset, &message, error);
	} while (got > 0);
	return got == 0;
}

/* Copies as many messages as fit into a chunk, at least one. */
static void fill_chunk(struct stream *stream)
{
	struct channel *channel = &stream->connection->channel;
	struct wire_buffer *chunk = stream->chunk;
	struct wire_message message;
	struct wire_error error;
	size_t next = stream->offset, last = 0;

	chunk->len = 0;
	stream->first_index += stream->count;
	stream->count = 0;
	stream->first_seq = channel->seq + 1;
	while (wire_next(stream->bytes, stream->len, &next, &message, &error) > 0) {
		if (chunk->len &&
		    chunk->len + NLMSG_ALIGN((size_t)message.header.nlmsg_len) > channel->send_most)
			break;
		last = wire_copy(chunk, &message);
		wire_address(chunk, last, stream->connection->id, NLM_F_REQUEST, ++channel->seq);
		stream->count++;
		stream->offset = next;
	}
	wire_address(chunk, last, stream->connection->id, NLM_F_ACK, channel->seq);
	codec_check_buffer(stream->L, chunk);
}

/* The message of the chunk that has this sequence number. */
static bool find_sent(const struct stream *stream, uint32_t seq, struct wire_message *message)
{
	struct wire_error error;
	size_t offset = 0;

	while (wire_next(stream->chunk->data, stream->chunk->len, &offset, message, &error) > 0)
		if (message->header.nlmsg_seq == seq)
			return true;
	return false;
}

/*
 * The kernel refused the message with this sequence number. The first error is kept; on_error, if
 * there is one, hears of each and may say by a true value that the rest is to be sent all the same.
 */
static void refuse(struct stream *stream, uint32_t seq, const struct wire_ack *ack)
{
	lua_State *L = stream->L;
	lua_Integer index = stream->first_index + (lua_Integer)(seq - stream->first_seq);
	struct wire_message sent;
	bool go_on = false;

	if (!find_sent(stream, seq, &sent))
		return;
	netlink_push_ack(L, stream->connection->family, stream->chunk->data + sent.offset,
			 sent.header.nlmsg_len, ack);
	lua_pushinteger(L, index);
	lua_setfield(L, -2, "index");
	if (!lua_isnil(L, ARG_ON_ERROR)) {
		lua_pushvalue(L, ARG_ON_ERROR);
		lua_pushvalue(L, -2);
		lua_pushinteger(L, index);
		lua_call(L, 2, 1);
		go_on = lua_toboolean(L, -1);
		lua_pop(L, 1);
	}
	if (!go_on && !stream->refused) {
		stream->refused = index;
		lua_replace(L, ERROR_INDEX);
	} else {
		lua_pop(L, 1);
	}
}

/* What the kernel has to say about a message that it accepted: "warning" of the answer. */
static void note_warning(struct stream *stream, const struct wire_ack *ack)
{
	lua_State *L = stream->L;

	if (lua_isnil(L, REPLY_INDEX)) {
		lua_newtable(L);
		lua_replace(L, REPLY_INDEX);
	}
	lua_pushlstring(L, ack->text, ack->text_len);
	lua_setfield(L, REPLY_INDEX, "warning");
}

/* One message of the answers. Returns true when it is the last for this chunk. */
static bool take_answer(struct stream *stream, const struct wire_message *message,
			struct wire_error *error, bool *malformed)
{
	const uint32_t seq = message->header.nlmsg_seq;
	struct wire_ack ack;

	if (seq - stream->first_seq >= (uint64_t)stream->count)
		return false;
	if (message->header.nlmsg_type >= NLMSG_MIN_TYPE) {
		if (!codec_push(stream->L, stream->connection->family, message, error))
			*malformed = true;
		else
			lua_replace(stream->L, REPLY_INDEX);
		return false;
	}
	if (message->header.nlmsg_type != NLMSG_ERROR)
		return false;
	if (!wire_ack(message, &ack, error)) {
		*malformed = true;
		return false;
	}
	if (ack.error)
		refuse(stream, seq, &ack);
	else if (ack.text)
		note_warning(stream, &ack);
	return seq == stream->connection->channel.seq;
}

/*
 * Reads the answers to a chunk. False with an error table pushed when they could not be read.
 */
static bool read_answers(struct stream *stream)
{
	struct channel *channel = &stream->connection->channel;
	struct wire_message message;
	struct wire_error error;
	bool last = false, malformed = false;
	int got, lost = 0;

	while (!last) {
		/*
		 * More refusals than the receive buffer holds: the acknowledgement waited for may
		 * be among the lost, but all that was kept is there by now.
		 */
		got = channel_receive(channel, lost ? 0 : -1);
		if (got == -ENOBUFS) {
			lost = got;
			continue;
		}
		if (got <= 0 && lost) {
			if (stream->refused)
				return true;
			got = lost;
		}
		if (got < 0) {
			netlink_push_errno(stream->L, got);
			return false;
		}
		for (size_t offset = 0; (got = wire_next(channel->buffer, channel->len, &offset,
							 &message, &error)) > 0;) {
			last |= take_answer(stream, &message, &error, &malformed);
			if (malformed)
				break;
		}
		if (got) {
			netlink_push_malformed(stream->L, &error);
			return false;
		}
	}
	return true;
}

/* Sends everything. False with an error table pushed when something is wrong with the socket. */
static bool send_all(struct stream *stream)
{
	int error;

	while (stream->offset < stream->len && !stream->refused) {
		if (interrupt_pending()) {
			netlink_push_errno(stream->L, EINTR);
			return false;
		}
		fill_chunk(stream);
		error = channel_send(&stream->connection->channel, stream->chunk->data,
				     stream->chunk->len);
		if (error) {
			netlink_push_errno(stream->L, error);
			return false;
		}
		if (!read_answers(stream))
			return false;
	}
	return true;
}

/*
 * conn:stream(messages, on_error) -> true, reply; or nil, error table, index
 *
 * messages is a list of messages or their bytes from codec.encode, as a transaction: ruleset_begin,
 * rule_add ..., ruleset_commit. Stops after the chunk with the first message that the kernel
 * refuses; index is that message's place in the list, from 1, and stands in the error table too.
 * reply is the last answer of the kernel, or nil; its "warning" what the kernel said of a message all the same accepted.
 * on_error, if given, is called with (error table,
 * index) for each message refused; when it returns true, that refusal does not stop the stream. A
 * transaction that was begun and not committed stays open on the connection: send ruleset_abort or
 * close it.
 */
int stream_send(lua_State *L)
{
	struct stream stream = { .L = L, .connection = netlink_check(L, ARG_CONNECTION) };
	struct wire_error error;

	lua_settop(L, ARG_ON_ERROR);
	lua_pushnil(L);
	lua_pushnil(L);
	stream.chunk = codec_push_buffer(L);
	if (lua_istable(L, ARG_MESSAGES)) {
		struct wire_buffer *all = codec_push_buffer(L);
		lua_Integer count = (lua_Integer)lua_rawlen(L, ARG_MESSAGES);

		for (lua_Integer i = 1; i <= count; i++) {
			lua_rawgeti(L, ARG_MESSAGES, i);
			codec_encode(L, lua_gettop(L), stream.connection->family, all);
			lua_pop(L, 1);
		}
		stream.bytes = (const char *)all->data;
		stream.len = all->len;
	} else {
		stream.bytes = luaL_checklstring(L, ARG_MESSAGES, &stream.len);
	}
	stream.first_index = 1;
	if (!check_bytes(&stream, &error)) {
		lua_pushnil(L);
		lua_pushfstring(L, "malformed message at byte %I: %s", (LUAI_UACINT)error.offset,
				error.why);
		netlink_push_error(L, EBADMSG, lua_tostring(L, -1));
		lua_remove(L, -2);
		return 2;
	}
	if (!send_all(&stream)) {
		lua_pushnil(L);
		lua_insert(L, -2);
		return 2;
	}
	if (stream.refused) {
		lua_pushnil(L);
		lua_pushvalue(L, ERROR_INDEX);
		lua_pushinteger(L, stream.refused);
		return 3;
	}
	lua_pushboolean(L, true);
	lua_pushvalue(L, REPLY_INDEX);
	return 2;
}
