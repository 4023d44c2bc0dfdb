// SPDX-License-Identifier: GPL-2.0-or-later
/* sys_process: the terminal, rights, system log, time, memory, Ctrl-C. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "shell/interrupt.h"
#include "shell/sys/sys.h"

/* isatty(fd) -> boolean */
static int process_isatty(lua_State *L)
{
	lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
	return 1;
}

/*
 * winsize() -> columns, rows of the terminal on standard output; nothing when there is none or it
 * does not say
 */
static int process_winsize(lua_State *L)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 0;
	lua_pushinteger(L, size.ws_col);
	lua_pushinteger(L, size.ws_row);
	return 2;
}

/* geteuid() -> effective user id */
static int process_geteuid(lua_State *L)
{
	lua_pushinteger(L, geteuid());
	return 1;
}

/* has_cap_net_admin() -> whether the program may rule the network of its own user namespace */
static int process_has_cap_net_admin(lua_State *L)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	lua_pushboolean(L, syscall(SYS_capget, &header, data) == 0 &&
				   data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective &
					   CAP_TO_MASK(CAP_NET_ADMIN));
	return 1;
}

/* syslog(level, text): level is "err", "warning", "notice", "info" or "debug" */
static int process_syslog(lua_State *L)
{
	static const char *const names[] = { "err", "warning", "notice", "info", "debug", NULL };
	static const int levels[] = { LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

	syslog(levels[luaL_checkoption(L, 1, NULL, names)], "%s", luaL_checkstring(L, 2));
	return 0;
}

static int push_clock(lua_State *L, clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
	return 1;
}

/* monotonic() -> seconds since some moment, never going back */
static int process_monotonic(lua_State *L)
{
	return push_clock(L, CLOCK_MONOTONIC);
}

/* time() -> seconds since 1970 with their fraction */
static int process_time(lua_State *L)
{
	return push_clock(L, CLOCK_REALTIME);
}

/* memory() -> { total, available } in bytes, or nil and why */
static int process_memory(lua_State *L)
{
	static const struct {
		const char *format, *name;
	} rows[] = {
		{ "MemTotal: %" SCNu64 " kB", "total" },
		{ "MemAvailable: %" SCNu64 " kB", "available" },
	};
	uint64_t values[2] = { 0 };
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file) {
		lua_pushnil(L);
		lua_pushstring(L, strerror(errno));
		return 2;
	}
	while (fgets(line, sizeof(line), file))
		for (size_t i = 0; i < 2; i++)
			(void)sscanf(line, rows[i].format, &values[i]);
	fclose(file);
	lua_createtable(L, 0, 2);
	for (size_t i = 0; i < 2; i++) {
		lua_pushinteger(L, (lua_Integer)(values[i] * 1024));
		lua_setfield(L, -2, rows[i].name);
	}
	return 1;
}

/*
 * read_line(seconds) -> the next line of the terminal on standard input, when there is one within so many seconds;
 * else nil and why not: nothing ("timeout"), Ctrl-C ("interrupted"), no more input ("closed"). The terminal edits the
 * line, so that one that has begun is whole when it comes.
 */
static int process_read_line(lua_State *L)
{
	struct pollfd poll_fd = { .fd = STDIN_FILENO, .events = POLLIN };
	const lua_Number seconds = luaL_checknumber(L, 1);
	char line[256];
	ssize_t got;
	int ready;

	lua_settop(L, 0);
	lua_pushnil(L);
	ready = interrupt_poll(&poll_fd, 1, (int)(seconds * 1000));
	if (ready == 0) {
		lua_pushliteral(L, "timeout");
		return 2;
	}
	if (ready < 0) {
		lua_pushstring(L, ready == -EINTR ? "interrupted" : "closed");
		return 2;
	}
	got = read(STDIN_FILENO, line, sizeof(line));
	if (got <= 0) {
		lua_pushliteral(L, "closed");
		return 2;
	}
	lua_pushlstring(L, line, (size_t)got);
	return 1;
}

/* interrupted() -> whether Ctrl-C was pressed since clear_interrupt() or the last prompt */
static int process_interrupted(lua_State *L)
{
	lua_pushboolean(L, interrupt_pending());
	return 1;
}

/* clear_interrupt(): forgets a Ctrl-C that has been answered */
static int process_clear_interrupt(lua_State *L)
{
	(void)L;
	interrupt_clear();
	return 0;
}

const luaL_Reg sys_process[] = {
	{ "isatty", process_isatty },
	{ "winsize", process_winsize },
	{ "geteuid", process_geteuid },
	{ "has_cap_net_admin", process_has_cap_net_admin },
	{ "syslog", process_syslog },
	{ "monotonic", process_monotonic },
	{ "time", process_time },
	{ "memory", process_memory },
	{ "read_line", process_read_line },
	{ "interrupted", process_interrupted },
	{ "clear_interrupt", process_clear_interrupt },
	{ NULL, NULL },
};
