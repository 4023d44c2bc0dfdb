// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sys_resolve: addresses of many names at once, in a time that the caller sets.
 *
 * getaddrinfo(3) waits as long as the system's resolver says, so it is called by threads, and only
 * the threads wait that long: who has asked goes when the time is over. The questions belong to all
 * of them together; the last one to leave frees them. (Not getaddrinfo_a(3): glibc's gai_suspend()
 * leaves a request that is just being answered with a pointer to its stack.)
 */
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shell/address.h"
#include "shell/interrupt.h"
#include "shell/sys/sys.h"

#define BATCH_TYPE "ipfi.resolve"
#define NAMES_MOST 100000
#define THREADS_MOST 32
#define SLICE_MS 100 /* between two looks for Ctrl-C */

struct question {
	char *name;
	struct addrinfo *result;
	int error; /* of getaddrinfo() */
	bool answered;
};

struct batch {
	atomic_int references; /* its threads, and who has asked */
	pthread_mutex_t lock;
	pthread_cond_t answer; /* the last one is there */
	size_t count;
	size_t next;   /* the first question that no thread has taken */
	size_t open;   /* how many have no answer yet */
	bool given_up; /* nobody waits any more: the questions are left as they are */
	struct question questions[];
};

static void batch_put(struct batch *batch)
{
	if (atomic_fetch_sub(&batch->references, 1) > 1)
		return;
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->questions[i].result)
			freeaddrinfo(batch->questions[i].result);
		free(batch->questions[i].name);
	}
	pthread_cond_destroy(&batch->answer);
	pthread_mutex_destroy(&batch->lock);
	free(batch);
}

static struct batch *batch_new(size_t most)
{
	struct batch *batch = calloc(1, sizeof(*batch) + most * sizeof(*batch->questions));
	pthread_condattr_t attr;

	if (!batch)
		return NULL;
	atomic_init(&batch->references, 1);
	pthread_mutex_init(&batch->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&batch->answer, &attr);
	pthread_condattr_destroy(&attr);
	return batch;
}

/* Called and returns with the lock held, which it does not hold while it asks. */
static void ask(struct batch *batch, struct question *question)
{
	/* Both families, whatever addresses this machine has; each address once. */
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *result = NULL;
	int error;

	pthread_mutex_unlock(&batch->lock);
	error = getaddrinfo(question->name, NULL, &hints, &result);
	pthread_mutex_lock(&batch->lock);
	if (batch->given_up) {
		if (!error)
			freeaddrinfo(result);
		return;
	}
	question->result = error ? NULL : result;
	question->error = error;
	question->answered = true;
	if (--batch->open == 0)
		pthread_cond_signal(&batch->answer);
}

static void *run(void *arg)
{
	struct batch *batch = arg;

	pthread_mutex_lock(&batch->lock);
	while (!batch->given_up && batch->next < batch->count)
		ask(batch, &batch->questions[batch->next++]);
	pthread_mutex_unlock(&batch->lock);
	batch_put(batch);
	return NULL;
}

/* Starts threads for the questions, which get no signals; returns 0 or why there is none. */
static int start(struct batch *batch)
{
	size_t wanted = batch->count < THREADS_MOST ? batch->count : THREADS_MOST, made;
	sigset_t all, before;
	pthread_t thread;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (made = 0; made < wanted; made++) {
		atomic_fetch_add(&batch->references, 1);
		error = pthread_create(&thread, NULL, run, batch);
		if (error)
			break;
		pthread_detach(thread);
	}
	if (error)
		batch_put(batch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return made ? 0 : error;
}

static struct timespec later(struct timespec time, double seconds)
{
	time.tv_sec += (time_t)seconds;
	time.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	if (time.tv_nsec >= 1000000000L) {
		time.tv_nsec -= 1000000000L;
		time.tv_sec++;
	}
	return time;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Until all are answered, the time is over, or Ctrl-C. From then on the questions stay as they are. */
static void wait_for_answers(struct batch *batch, double seconds)
{
	struct timespec now, end, slice;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = later(now, seconds);
	pthread_mutex_lock(&batch->lock);
	while (batch->open && is_before(&now, &end) && !interrupt_pending()) {
		slice = later(now, SLICE_MS / 1e3);
		pthread_cond_timedwait(&batch->answer, &batch->lock,
				       is_before(&slice, &end) ? &slice : &end);
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	batch->given_up = true;
	pthread_mutex_unlock(&batch->lock);
}

/* The userdata has the reference of who asks, so that an error of Lua's gives it back too. */
static int holder_gc(lua_State *L)
{
	struct batch **holder = luaL_checkudata(L, 1, BATCH_TYPE);

	if (*holder) {
		pthread_mutex_lock(&(*holder)->lock);
		(*holder)->given_up = true;
		pthread_mutex_unlock(&(*holder)->lock);
		batch_put(*holder);
	}
	*holder = NULL;
	return 0;
}

/* Pushes the holder of a new batch with room for most questions. */
static struct batch *push_batch(lua_State *L, size_t most)
{
	struct batch **holder = lua_newuserdatauv(L, sizeof(struct batch *), 0);

	*holder = NULL;
	if (luaL_newmetatable(L, BATCH_TYPE)) {
		lua_pushcfunction(L, holder_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	*holder = batch_new(most);
	if (!*holder)
		luaL_error(L, "not enough memory");
	return *holder;
}

static void push_addresses(lua_State *L, const struct addrinfo *result)
{
	char text[ADDRESS_TEXT_LEN];
	lua_Integer place = 0;

	lua_newtable(L);
	for (; result; result = result->ai_next) {
		const struct sockaddr_in *v4 = (const void *)result->ai_addr;
		const struct sockaddr_in6 *v6 = (const void *)result->ai_addr;
		size_t len;

		if (result->ai_family == AF_INET)
			len = address_format((const uint8_t *)&v4->sin_addr, 4, text);
		else if (result->ai_family == AF_INET6)
			len = address_format(v6->sin6_addr.s6_addr, 16, text);
		else
			continue;
		lua_pushlstring(L, text, len);
		lua_rawseti(L, -2, ++place);
	}
}

static void push_answers(lua_State *L, const struct batch *batch)
{
	lua_createtable(L, 0, (int)batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		const struct question *question = &batch->questions[i];

		if (!question->answered)
			lua_pushliteral(L, "no answer in time");
		else if (question->error)
			lua_pushstring(L, gai_strerror(question->error));
		else
			push_addresses(L, question->result);
		lua_setfield(L, -2, question->name);
	}
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
	luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 2, "no number of seconds of a day");
	count = lua_rawlen(L, 1);
	luaL_argcheck(L, count <= NAMES_MOST, 1, "too many names");
	batch = push_batch(L, count);
	for (size_t i = 0; i < count; i++) {
		const char *name;

		if (lua_rawgeti(L, 1, (lua_Integer)i + 1) != LUA_TSTRING)
			return luaL_argerror(L, 1, "a name is text");
		name = lua_tolstring(L, -1, &len);
		luaL_argcheck(L, !memchr(name, '\0', len), 1, "a name with a NUL in it");
		batch->questions[i].name = strdup(name);
		if (!batch->questions[i].name)
			return luaL_error(L, "not enough memory");
		batch->count++;
		lua_pop(L, 1);
	}
	batch->open = count;
	error = count ? start(batch) : 0;
	if (error) {
		lua_pushnil(L);
		lua_pushstring(L, strerror(error));
		return 2;
	}
	wait_for_answers(batch, seconds);
	push_answers(L, batch);
	return 1;
}

const luaL_Reg sys_resolve[] = {
	{ "resolve", resolve },
	{ NULL, NULL },
};
