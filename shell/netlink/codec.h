/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codec: messages of a generic netlink family between Lua tables and bytes, by the family's schema.
 *
 * In Lua a message is a table: cmd, flags = {"ack"} if any, and the top-level attributes by name,
 * as in
 *
 *     { cmd = "rule_add", rule = { name = "web", lists = { "in" }, verdict = "allow",
 *                                  dport = { { from = 80 }, { from = 443 } } } }
 *
 * Numbers are integers, the values of an enum their names, masks lists of names, addresses text,
 * flags true. Values and bits that have no name are integers.
 */
#ifndef IPFI_SHELL_CODEC_H
#define IPFI_SHELL_CODEC_H

#include <lua.h>

#include "shell/netlink/wire.h"

/* The most that a call of this interface needs of the Lua stack. */
#define CODEC_STACK 24

/* The flags of a request that asks for a dump. */
#define CODEC_DUMP (NLM_F_ROOT | NLM_F_MATCH)

/*
 * Pushes an empty buffer that Lua owns: it is freed when it is collected, and by wire_free()
 * before.
 */
struct wire_buffer *codec_push_buffer(lua_State *L);

/* Raises "not enough memory" when a buffer could not grow. */
void codec_check_buffer(lua_State *L, const struct wire_buffer *buffer);

/*
 * Appends the message at index to buffer. Its nlmsg_type is GENL_MIN_ID, its sequence number 0,
 * until it is sent. Raises an error that names the path of what cannot be sent:
 * "rule.dport[2].from: ...".
 */
void codec_encode(lua_State *L, int index, const struct schema_family *family,
		  struct wire_buffer *buffer);

/*
 * Pushes a message as a table; false and why in error, with nothing pushed, when it is malformed.
 * Acknowledgements have cmd = "error" (errno, name, message) or "ack", the end of a dump "done".
 */
bool codec_push(lua_State *L, const struct schema_family *family,
		const struct wire_message *message, struct wire_error *error);

/* Pushes the text of an address or another value of an attribute. */
void codec_push_value(lua_State *L, const struct schema_attr *attr, const struct wire_value *value);

/* The library ipfi.c.codec. */
int codec_open(lua_State *L);

#endif
