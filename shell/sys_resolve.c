// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sys_resolve: addresses of many names at once, in a time that the caller sets.
 *
 * The C library asks in threads of its own (getaddrinfo_a(3)). A request that is under way when the
 * time is over cannot be taken back: it is left behind, and freed by a later call when it has ended.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "interrupt.h"
#include "sys.h"

#define BATCH_TYPE "ipfi.resolve"
#define NAMES_MOST 100000
#define SLICE_MS 100 /* between two looks for Ctrl-C */

struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	struct lookup *next; /* left behind */
	char name[];
};

struct batch {
	struct lookup **lookups;
	struct gaicb **waiting; /* NULL where there is an answer */
	int count;
};

static struct lookup *left_behind;

static void lookup_free(struct lookup *lookup)
{
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	free(lookup);
}

static void free_left_behind(void)
{
	struct lookup **at = &left_behind, *lookup;

	while ((lookup = *at)) {
		if (gai_error(&lookup->request) == EAI_INPROGRESS) {
			at = &lookup->next;
			continue;
		}
		*at = lookup->next;
		lookup_free(lookup);
	}
}

static int batch_gc(lua_State *L)
{
	struct batch *batch = luaL_checkudata(L, 1, BATCH_TYPE);

	for (int i = 0; i < batch->count; i++) {
		struct lookup *lookup = batch->lookups[i];

		if (gai_error(&lookup->request) == EAI_INPROGRESS &&
		    gai_cancel(&lookup->request) == EAI_NOTCANCELED) {
			lookup->next = left_behind;
			left_behind = lookup;
		} else {
			lookup_free(lookup);
		}
	}
	free(batch->lookups);
	free(batch->waiting);
	memset(batch, 0, sizeof(*batch));
	return 0;
}

/* Pushes a batch with room for count names. */
static struct batch *push_batch(lua_State *L, size_t count)
{
	struct batch *batch = lua_newuserdatauv(L, sizeof(*batch), 0);

	memset(batch, 0, sizeof(*batch));
	if (luaL_newmetatable(L, BATCH_TYPE)) {
		lua_pushcfunction(L, batch_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	batch->lookups = calloc(count, sizeof(*batch->lookups));
	batch->waiting = calloc(count, sizeof(*batch->waiting));
	if (count && (!batch->lookups || !batch->waiting))
		luaL_error(L, "not enough memory");
	return batch;
}

static void add_name(lua_State *L, struct batch *batch, const char *name, size_t len)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup) + len + 1);

	if (!lookup)
		luaL_error(L, "not enough memory");
	memcpy(lookup->name, name, len);
	/* Both families, whatever addresses this machine has; each address once. */
	lookup->hints.ai_socktype = SOCK_STREAM;
	lookup->request.ar_name = lookup->name;
	lookup->request.ar_request = &lookup->hints;
	batch->lookups[batch->count] = lookup;
	batch->waiting[batch->count++] = &lookup->request;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Until all have been answered, the time is over, or Ctrl-C. */
static void wait_for_answers(struct batch *batch, double seconds)
{
	const struct timespec slice = { .tv_nsec = SLICE_MS * 1000000L };
	const double end = now() + seconds;
	int left;

	do {
		left = 0;
		for (int i = 0; i < batch->count; i++) {
			if (batch->waiting[i] && gai_error(batch->waiting[i]) != EAI_INPROGRESS)
				batch->waiting[i] = NULL;
			left += batch->waiting[i] != NULL;
		}
		if (left)
			gai_suspend((const struct gaicb *const *)batch->waiting, batch->count,
				    &slice);
	} while (left && now() < end && !interrupt_pending());
}

static void push_addresses(lua_State *L, const struct addrinfo *result)
{
	char text[ADDRESS_TEXT_LEN];
	lua_Integer place = 0;

	lua_newtable(L);
	for (; result; result = result->ai_next) {
		const struct sockaddr_in *v4 = (const void *)result->ai_addr;
		const struct sockaddr_in6 *v6 = (const void *)result->ai_addr;

		if (result->ai_family == AF_INET)
			lua_pushlstring(L, text,
					address_format((const uint8_t *)&v4->sin_addr, 4, text));
		else if (result->ai_family == AF_INET6)
			lua_pushlstring(L, text, address_format(v6->sin6_addr.s6_addr, 16, text));
		else
			continue;
		lua_rawseti(L, -2, ++place);
	}
}

static void push_answer(lua_State *L, struct lookup *lookup)
{
	int error = gai_error(&lookup->request);

	if (!error)
		push_addresses(L, lookup->request.ar_result);
	else if (error == EAI_INPROGRESS || error == EAI_CANCELED)
		lua_pushliteral(L, "no answer in time");
	else
		lua_pushstring(L, gai_strerror(error));
}

/*
 * resolve(names, seconds) -> { [name] = list of its addresses as text, or a text that says why there
 * are none }, or nil and a message
 * Returns after so many seconds at the latest, or after Ctrl-C.
 */
static int resolve(lua_State *L)
{
	lua_Number seconds = luaL_checknumber(L, 2);
	struct batch *batch;
	size_t count, len;
	int error;

	luaL_checktype(L, 1, LUA_TTABLE);
	count = lua_rawlen(L, 1);
	luaL_argcheck(L, count <= NAMES_MOST, 1, "too many names");
	free_left_behind();
	batch = push_batch(L, count);
	for (size_t i = 1; i <= count; i++) {
		const char *name;

		if (lua_rawgeti(L, 1, (lua_Integer)i) != LUA_TSTRING)
			return luaL_argerror(L, 1, "a name is text");
		name = lua_tolstring(L, -1, &len);
		luaL_argcheck(L, !memchr(name, '\0', len), 1, "a name with a NUL in it");
		add_name(L, batch, name, len);
		lua_pop(L, 1);
	}
	error = count ? getaddrinfo_a(GAI_NOWAIT, batch->waiting, batch->count, NULL) : 0;
	if (error) {
		lua_pushnil(L);
		lua_pushstring(L, gai_strerror(error));
		return 2;
	}
	wait_for_answers(batch, seconds);
	lua_createtable(L, 0, batch->count);
	for (int i = 0; i < batch->count; i++) {
		push_answer(L, batch->lookups[i]);
		lua_setfield(L, -2, batch->lookups[i]->name);
	}
	return 1;
}

const luaL_Reg sys_resolve[] = {
	{ "resolve", resolve },
	{ NULL, NULL },
};
