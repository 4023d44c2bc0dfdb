// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * child: see child.h.
 *
 * The answer goes over a pipe: its kind, its length, its bytes. The parent believes of it only
 * that it is a string, and ends the child when it is there, when the time is over, or on Ctrl-C.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "shell/sandbox/child.h"
#include "shell/interrupt.h"
#include "shell/privilege/privilege.h"

#define CHILD_TYPE "ipfi.child"

/* Bytes that malloc(3) may need beside what Lua counts: what it keeps for itself. */
#define MEMORY_BESIDE (64UL << 20)

/* Bytes read at once. */
#define READ_SIZE (256 * 1024)

/* How long a child that has closed its pipe may take to end, and how long the parent sleeps. */
#define END_MS 2000
#define SLICE_MS 10

enum kind {
	KIND_ANSWER = 'a',  /* the function's string */
	KIND_ERROR = 'e',   /* it raised an error: its text */
	KIND_MEMORY = 'm',  /* it took too much memory */
	KIND_REFUSED = 'r', /* the child could not be made harmless: why */
};

struct frame {
	uint64_t kind, len;
};

struct limits {
	uint64_t seconds; /* of the processor */
	double wall;	  /* seconds by the clock */
	uint64_t memory;  /* bytes, beside what there is */
	uint64_t answer;  /* bytes */
};

/* The child's side */

static void write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t done = write(fd, at, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			_exit(1);
		at += done;
		len -= (size_t)done;
	}
}

static void answer(int fd, enum kind kind, const char *bytes, size_t len)
{
	const struct frame frame = { .kind = kind, .len = len };

	write_all(fd, &frame, sizeof(frame));
	write_all(fd, bytes, len);
	_exit(0);
}

static void refuse(int fd, const char *what, int error)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(error));
	answer(fd, KIND_REFUSED, text, strlen(text));
}

/* Bytes of address space in use; 0 when the system does not say. */
static uint64_t address_space(void)
{
	char text[64] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
	}
	return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limit(int out, int resource, uint64_t value)
{
	/* Behind the last second the signal that can be caught comes that which cannot. */
	const struct rlimit both = {
		.rlim_cur = value,
		.rlim_max = value + (resource == RLIMIT_CPU),
	};
	struct rlimit now;

	/* Nobody may raise what was lowered before. */
	if (getrlimit(resource, &now) == 0 && now.rlim_max < both.rlim_max)
		return;
	if (setrlimit(resource, &both) != 0)
		refuse(out, "setrlimit", errno);
}

/* Gives up all that the child does not need. What cannot be given up ends it. */
static void confine(int out, pid_t parent, const struct limits *limits)
{
	const uint64_t space = address_space();
	sigset_t none;
	int error;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Nobody would read the answer. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	privilege_close_others(out);
	limit(out, RLIMIT_CORE, 0);
	limit(out, RLIMIT_CPU, limits->seconds);
	limit(out, RLIMIT_FSIZE, 0);
	limit(out, RLIMIT_NOFILE, 0);
	limit(out, RLIMIT_NPROC, 0);
	if (space)
		limit(out, RLIMIT_AS,
		      space + limits->memory + 2 * limits->answer + MEMORY_BESIDE);
	error = privilege_keep(0);
	if (error)
		refuse(out, "giving up all capabilities", -error);
	error = privilege_filter(PRIVILEGE_COMPUTE);
	/* Without such filters all the other limits hold. */
	if (error && error != -ENOSYS)
		refuse(out, "giving up system calls", -error);
}

/* Lua's allocator with a limit. */
struct purse {
	lua_Alloc allocate;
	void *data;
	uint64_t left;
	bool empty; /* it was asked for more than it had */
};

static void *allocate(void *data, void *old, size_t before, size_t size)
{
	struct purse *purse = data;
	/* Without an old block, before says what kind of thing it is for. */
	size_t has = old ? before : 0;
	void *block;

	if (size > has && size - has > purse->left) {
		purse->empty = true;
		return NULL;
	}
	block = purse->allocate(purse->data, old, before, size);
	if (block || !size) {
		purse->left += has;
		purse->left -= size;
	} else {
		purse->empty = true;
	}
	return block;
}

/* Calls the function that is the first argument, in the child, and never returns. */
static void run(lua_State *L, int out, pid_t parent, const struct limits *limits)
{
	struct purse purse = { .left = limits->memory };
	const char *text;
	size_t len;
	int status;

	confine(out, parent, limits);
	purse.allocate = lua_getallocf(L, &purse.data);
	lua_setallocf(L, allocate, &purse);
	lua_sethook(L, NULL, 0, 0);
	lua_settop(L, 1);
	status = lua_pcall(L, 0, 1, 0);
	/* What is made from here on is little, and was paid for in advance. */
	lua_setallocf(L, purse.allocate, purse.data);
	text = lua_tolstring(L, -1, &len);
	if (status == LUA_ERRMEM)
		answer(out, KIND_MEMORY, "", 0);
	if (!text) {
		text = "it is no text";
		len = strlen(text);
		status = LUA_ERRRUN;
	}
	if (status == LUA_OK && len > limits->answer) {
		text = "it is too large";
		len = strlen(text);
		status = LUA_ERRRUN;
	}
	answer(out, status == LUA_OK ? KIND_ANSWER : KIND_ERROR, text, len);
}

/* The parent's side */

/* Belongs to a userdata, so that an error ends the child. */
struct child {
	pid_t pid; /* 0: none */
	int fd;	   /* to read its answer from, or -1 */
	int status;
	char *data;
	size_t len, room;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Ends the child, unless it has ended, and forgets it. */
static void end(struct child *child)
{
	if (child->fd >= 0)
		close(child->fd);
	child->fd = -1;
	if (child->pid) {
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
			;
	}
	child->pid = 0;
}

static void drop(struct child *child)
{
	end(child);
	free(child->data);
	child->data = NULL;
}

static int child_gc(lua_State *L)
{
	drop(lua_touserdata(L, 1));
	return 0;
}

static struct child *push_child(lua_State *L)
{
	struct child *child = lua_newuserdatauv(L, sizeof(*child), 0);

	*child = (struct child){ .fd = -1 };
	if (luaL_newmetatable(L, CHILD_TYPE)) {
		lua_pushcfunction(L, child_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return child;
}

/* Makes room for one more read. */
static bool grow(struct child *child)
{
	size_t room = child->room ? child->room * 2 : 2 * READ_SIZE;
	char *data;

	if (child->room - child->len >= READ_SIZE)
		return true;
	data = realloc(child->data, room);
	if (!data)
		return false;
	child->data = data;
	child->room = room;
	return true;
}

/* Whether the whole answer is there. */
static bool is_complete(const struct child *child)
{
	struct frame frame;

	if (child->len < sizeof(frame))
		return false;
	memcpy(&frame, child->data, sizeof(frame));
	return frame.len == child->len - sizeof(frame);
}

/*
 * Reads until the answer is complete or the pipe is closed. Returns NULL, or what is wrong: "time",
 * "interrupted", "answer" when there is too much of it, "memory" when this process has none left.
 */
static const char *read_answer(struct child *child, const struct limits *limits)
{
	const double deadline = now() + limits->wall;
	struct pollfd pipe = { .fd = child->fd, .events = POLLIN };

	while (!is_complete(child)) {
		const double left = deadline - now();
		ssize_t got;
		int ready;

		if (left <= 0)
			return "time";
		ready = interrupt_poll(&pipe, 1, left > 3600 ? 3600000 : (int)(left * 1000) + 1);
		if (interrupt_pending())
			return "interrupted";
		if (ready <= 0)
			continue;
		if (!grow(child))
			return "memory";
		got = read(child->fd, child->data + child->len, READ_SIZE);
		if (got == 0)
			return NULL;
		if (got > 0)
			child->len += (size_t)got;
		if (child->len > limits->answer + sizeof(struct frame))
			return "answer";
	}
	return NULL;
}

/* Gives a child without an answer the time to end by itself, which tells why. */
static void await_end(struct child *child)
{
	const double deadline = now() + END_MS / 1e3;

	while (child->pid && now() < deadline && !interrupt_pending()) {
		pid_t ended = waitpid(child->pid, &child->status, WNOHANG);

		if (ended == child->pid || (ended < 0 && errno == ECHILD))
			child->pid = 0;
		else
			interrupt_poll(NULL, 0, SLICE_MS);
	}
}

static int push_failure(lua_State *L, const char *what, const char *why)
{
	lua_pushnil(L);
	lua_pushstring(L, what);
	lua_pushstring(L, why);
	return 3;
}

static int push_end(lua_State *L, int status)
{
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		return push_failure(L, "time", NULL);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		return push_failure(L, "interrupted", NULL);
	return push_failure(L, "ended",
			    WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "no signal");
}

static int push_answer(lua_State *L, const struct child *child)
{
	struct frame frame;
	const char *bytes = child->data + sizeof(frame);

	memcpy(&frame, child->data, sizeof(frame));
	switch (frame.kind) {
	case KIND_ANSWER:
		lua_pushlstring(L, bytes, (size_t)frame.len);
		return 1;
	case KIND_MEMORY:
		return push_failure(L, "memory", NULL);
	case KIND_ERROR:
	case KIND_REFUSED:
		push_failure(L, frame.kind == KIND_ERROR ? "error" : "refused", NULL);
		lua_pop(L, 1);
		lua_pushlstring(L, bytes, (size_t)frame.len);
		return 3;
	default:
		return push_failure(L, "ended", "an answer of no known kind");
	}
}

/* Starts the child. Returns 0 or an errno. */
static int start(lua_State *L, struct child *child, const struct limits *limits)
{
	const pid_t parent = getpid();
	int ends[2], error = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	pid = fork();
	if (pid == 0)
		run(L, ends[1], parent, limits);
	if (pid < 0)
		error = errno;
	else
		child->pid = pid;
	close(ends[1]);
	child->fd = ends[0];
	return error;
}

static lua_Number get_limit(lua_State *L, const char *name, lua_Number most)
{
	lua_Number value;

	lua_getfield(L, 2, name);
	value = lua_tonumber(L, -1);
	if (!(value > 0 && value <= most))
		luaL_error(L, "limits: %s is not from 0 to %f", name, most);
	lua_pop(L, 1);
	return value;
}

/*
 * run(function, { seconds =, wall =, memory =, answer = }) -> string
 * or nil, what, why
 *
 * Calls the function in a process of its own and returns the string that it returns there. seconds
 * are those of the processor, whole ones, wall those of the clock; memory is what it may take beside
 * what there is, and answer what its string may have, in bytes. what went wrong is "time",
 * "memory", "interrupted" (Ctrl-C), "error" (it raised one, whose text is why), "answer" (too
 * long), "ended" (by a signal or without an answer), "refused" (the process could not give up its
 * rights and did not call the function) or "fork".
 */
static int child_run(lua_State *L)
{
	struct limits limits;
	struct child *child;
	const char *what;
	int error, pushed;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	limits.seconds = (uint64_t)get_limit(L, "seconds", 86400);
	limits.wall = get_limit(L, "wall", 86400);
	limits.memory = (uint64_t)get_limit(L, "memory", 1e15);
	limits.answer = (uint64_t)get_limit(L, "answer", 1e12);
	child = push_child(L);
	error = start(L, child, &limits);
	if (error)
		return push_failure(L, "fork", strerror(error));
	what = read_answer(child, &limits);
	if (!what && !is_complete(child))
		await_end(child);
	end(child);
	if (what)
		pushed = push_failure(L, what, NULL);
	else if (is_complete(child))
		pushed = push_answer(L, child);
	else if (interrupt_pending())
		pushed = push_failure(L, "interrupted", NULL);
	else
		pushed = push_end(L, child->status);
	drop(child);
	return pushed;
}

int child_open(lua_State *L)
{
	static const luaL_Reg library[] = {
		{ "run", child_run },
		{ NULL, NULL },
	};

	luaL_newlib(L, library);
	return 1;
}
