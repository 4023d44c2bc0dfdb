// SPDX-License-Identifier: GPL-2.0-or-later
/* interrupt: see interrupt.h. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include <lauxlib.h>

#include "shell/interrupt.h"

/* So many without an answer, and the program ends: a library that never returns cannot be stopped.
 */
#define INTERRUPTS_MOST 3

static lua_State *running;
static volatile sig_atomic_t pending;

/* Runs inside Lua at the first instruction after the signal. */
static void stop(lua_State *L, lua_Debug *where)
{
	(void)where;
	lua_sethook(L, NULL, 0, 0);
	luaL_error(L, "interrupted!");
}

/* lua_sethook is the one function of Lua that a signal handler may call. */
static void on_signal(int number)
{
	if (++pending >= INTERRUPTS_MOST)
		signal(number, SIG_DFL);
	lua_sethook(running, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

void interrupt_catch(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	/* Without SA_RESTART: a call that waits must end. */
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
}

void interrupt_install(lua_State *L)
{
	running = L;
	interrupt_catch();
}

void interrupt_remove(void)
{
	signal(SIGINT, SIG_DFL);
	running = NULL;
}

bool interrupt_pending(void)
{
	return pending != 0;
}

void interrupt_clear(void)
{
	if (!pending)
		return;
	pending = 0;
	lua_sethook(running, NULL, 0, 0);
	interrupt_catch();
}

int interrupt_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	const struct timespec wait = {
		.tv_sec = timeout / 1000,
		.tv_nsec = timeout % 1000 * 1000000L,
	};
	sigset_t blocked, before;
	int ready = -EINTR;

	/* Ctrl-C may come between the look at the flag and the wait, so only the wait lets it in.
	 */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	if (!pending) {
		ready = ppoll(fds, count, timeout < 0 ? NULL : &wait, &before);
		if (ready < 0)
			ready = -errno;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ready;
}
