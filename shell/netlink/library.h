/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink: the library ipfi.c.netlink, a connection to a generic netlink family of the kernel.
 *
 * Its files: netlink.c the connection, requests and events; dump.c dumps; stream.c transactions.
 * Errors of the kernel and of the socket are returned as tables, never raised:
 *
 *     { errno = 116, name = "ESTALE", message = "...", attr = "commit.expect" }
 *
 * message is what the kernel said in its extended acknowledgement, or the system's text; attr the
 * attribute it meant. interrupt = true after Ctrl-C, absent = true when the kernel lacks the
 * family, version = true when it has another version of it, interrupted = true when a dump is not
 * consistent. What a program does wrong (a message that cannot be encoded) is raised.
 */
#ifndef IPFI_SHELL_NETLINK_H
#define IPFI_SHELL_NETLINK_H

#include <lua.h>

#include "shell/netlink/channel.h"
#include "shell/netlink/schema.h"
#include "shell/netlink/wire.h"

struct connection {
	struct channel channel; /* requests and streams */
	struct channel events;	/* closed until the first subscription */
	const struct schema_family *family;
	uint16_t id; /* the family's, given by the kernel */
};

/* User values of a connection. */
enum {
	CONNECTION_GROUPS = 1,
	CONNECTION_DUMP_ERROR,
	CONNECTION_WORLD, /* of the engine; must not go before the connection */
	CONNECTION_VALUES = CONNECTION_WORLD
};

/* The open connection at index, or an error is raised. */
struct connection *netlink_check(lua_State *L, int index);

/* Pushes an error table; number is an errno or its negative. */
void netlink_push_errno(lua_State *L, int number);

/* Pushes an error table with a text of its own. */
void netlink_push_error(lua_State *L, int number, const char *text);

/* Pushes the error table of a refusal of the request, a message of len bytes. */
void netlink_push_ack(lua_State *L, const struct schema_family *family, const void *request,
		      size_t len, const struct wire_ack *ack);

/* Pushes the error table for an answer that is malformed. */
void netlink_push_malformed(lua_State *L, const struct wire_error *error);

/* conn:dump(message), conn:dump_error(), conn:dump_count(message, field) */
int dump_start(lua_State *L);
int dump_error(lua_State *L);
int dump_count(lua_State *L);

/* conn:stream(bytes or messages, on_error) */
int stream_send(lua_State *L);

/*
 * Pushes a connection to the family ipfi of the world of the engine that stands at index, or nil and
 * an error table. Returns the number of values pushed.
 */
int netlink_connect_engine(lua_State *L, int index, struct engine_world *world);

/* The library ipfi.c.netlink. */
int netlink_open(lua_State *L);

#endif
