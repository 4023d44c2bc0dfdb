/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interrupt: Ctrl-C. The signal sets a flag, makes running Lua code raise "interrupted!", and ends
 * waiting system calls with EINTR, whose callers look at the flag.
 */
#ifndef IPFI_SHELL_INTERRUPT_H
#define IPFI_SHELL_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>

#include <lua.h>

/* Catches SIGINT from now on, for the code that runs in L. */
void interrupt_install(lua_State *L);

/* Catches it again, after another handler was put in place. */
void interrupt_catch(void);

/* Gives SIGINT back to the system; before L is closed. */
void interrupt_remove(void);

/* Whether Ctrl-C was pressed since the flag was cleared. */
bool interrupt_pending(void);

/* Forgets a Ctrl-C: the prompt is back. */
void interrupt_clear(void);

/*
 * Waits for one of count descriptors, at most timeout milliseconds (-1: for ever), or for a signal.
 * Returns how many are ready, 0 when the time is over, or -errno: -EINTR after a signal, also after
 * a Ctrl-C that came before the call and is still pending.
 */
int interrupt_poll(struct pollfd *fds, nfds_t count, int timeout);

#endif
