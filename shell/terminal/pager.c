// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pager: see pager.h.
 *
 * The pager is a child on the same terminal, fed through a pipe. It may end before it has read all:
 * then the pipe is broken, which here is an answer and no signal. A Ctrl-C reaches both: it ends
 * what feeds the pager, and once the feeding is over it is the pager's alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>

#include "shell/interrupt.h"
#include "shell/terminal/pager.h"

#define PAGER_TYPE "ipfi.pager"

struct pager {
	pid_t pid; /* 0: none */
	int fd;	   /* what the pager reads; -1: closed */
	struct sigaction pipe_before;
};

/*
 * What less is told unless the user says otherwise: to leave what fits the screen there and end
 * (F, X), to show colours (R), and to end at Ctrl-C (K). It runs no other programs: the user of the
 * prompt may be root.
 */
static const char *const environment[][2] = {
	{ "LESS", "FRXK" },
	{ "LESSSECURE", "1" },
	{ "LESSCHARSET", "utf-8" },
};

/* In the child: becomes the pager. */
static void become(const char *command, int input)
{
	for (size_t i = 0; i < sizeof(environment) / sizeof(environment[0]); i++)
		setenv(environment[i][0], environment[i][1], false);
	/* What is ignored stays so over an exec. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	if (dup2(input, STDIN_FILENO) == STDIN_FILENO)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Closes the pipe and waits until the pager has ended. Returns its exit status, or -1. */
static int end_pager(struct pager *pager)
{
	int status = -1;

	if (pager->fd >= 0)
		close(pager->fd);
	pager->fd = -1;
	if (!pager->pid)
		return -1;
	signal(SIGINT, SIG_IGN);
	while (waitpid(pager->pid, &status, 0) < 0 && errno == EINTR)
		;
	interrupt_catch();
	sigaction(SIGPIPE, &pager->pipe_before, NULL);
	pager->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/*
 * pager:close() -> exit status, or nil when a signal ended it
 * Waits until the user has left the pager.
 */
static int pager_close(lua_State *L)
{
	struct pager *pager = luaL_checkudata(L, 1, PAGER_TYPE);
	int status = end_pager(pager);

	if (status < 0)
		lua_pushnil(L);
	else
		lua_pushinteger(L, status);
	return 1;
}

/*
 * pager:write(text) -> true; false when nobody reads any more: the user has left the pager, or
 * pressed Ctrl-C
 */
static int pager_write(lua_State *L)
{
	const struct pager *pager = luaL_checkudata(L, 1, PAGER_TYPE);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	bool reads = pager->fd >= 0;

	while (reads && len) {
		ssize_t written = write(pager->fd, text, len);

		if (written >= 0) {
			text += written;
			len -= (size_t)written;
		} else if (errno != EINTR || interrupt_pending()) {
			reads = false;
		}
	}
	lua_pushboolean(L, reads);
	return 1;
}

static int push_errno(lua_State *L)
{
	lua_pushnil(L);
	lua_pushstring(L, strerror(errno));
	return 2;
}

/* start(command) -> pager, or nil and why. The command is the shell's. */
static int pager_start(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "write", pager_write }, { "close", pager_close },   { "__gc", pager_close },
		{ "__close", pager_close }, { NULL, NULL },
	};
	const char *command = luaL_checkstring(L, 1);
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct pager *pager = lua_newuserdatauv(L, sizeof(*pager), 0);
	int ends[2];

	memset(pager, 0, sizeof(*pager));
	pager->fd = -1;
	if (luaL_newmetatable(L, PAGER_TYPE)) {
		luaL_setfuncs(L, methods, 0);
		lua_pushvalue(L, -1);
		lua_setfield(L, -2, "__index");
	}
	lua_setmetatable(L, -2);
	/* What was printed before stands before it. */
	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return push_errno(L);
	pager->pid = fork();
	if (pager->pid == 0)
		become(command, ends[0]);
	close(ends[0]);
	pager->fd = ends[1];
	if (pager->pid < 0) {
		int error = errno;

		pager->pid = 0;
		end_pager(pager);
		errno = error;
		return push_errno(L);
	}
	sigaction(SIGPIPE, &ignore, &pager->pipe_before);
	return 1;
}

int pager_open(lua_State *L)
{
	static const luaL_Reg library[] = {
		{ "start", pager_start },
		{ NULL, NULL },
	};

	luaL_newlib(L, library);
	return 1;
}
