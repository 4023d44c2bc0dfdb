// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shell's prompt on a pseudo terminal: what is typed, and what must then be seen.
 * repl_prompt.lua is the program behind it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "shell/interrupt.h"
#include "shell/terminal/pager.h"
#include "shell/terminal/repl.h"
#include "shell/sys/sys.h"

#define PATIENCE_MS 20000 /* under sanitizers on a busy machine */

struct terminal {
	pid_t pid;
	int fd;
	char history[64];
	char seen[65536]; /* since the last expect() */
	size_t len;
};

static int run_prompt(const char *history)
{
	lua_State *L = luaL_newstate();

	luaL_openlibs(L);
	luaL_requiref(L, "ipfi.c.repl", repl_open, 0);
	luaL_requiref(L, "ipfi.c.sys", sys_open, 0);
	luaL_requiref(L, "ipfi.c.pager", pager_open, 0);
	lua_settop(L, 0);
	interrupt_install(L);
	if (luaL_loadfile(L, "tests/unit/repl_prompt.lua") != LUA_OK)
		return 2;
	lua_pushstring(L, history);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		puts(lua_tostring(L, -1));
		return 1;
	}
	lua_close(L);
	return 0;
}

static int start(void **state)
{
	struct winsize size = { .ws_row = 25, .ws_col = 100 };
	struct terminal *terminal = calloc(1, sizeof(*terminal));
	int fd;

	if (!terminal)
		return -1;
	strcpy(terminal->history, "/tmp/ipfi-repl-test-XXXXXX");
	fd = mkstemp(terminal->history);
	if (fd < 0)
		return -1;
	close(fd);
	/* The prompt makes it anew. */
	unlink(terminal->history);
	terminal->pid = forkpty(&terminal->fd, NULL, NULL, &size);
	if (terminal->pid == 0) {
		setenv("TERM", "xterm", 1);
		setenv("INPUTRC", "/dev/null", 1);
		exit(run_prompt(terminal->history));
	}
	*state = terminal;
	return terminal->pid < 0 ? -1 : 0;
}

static int stop(void **state)
{
	struct terminal *terminal = *state;

	close(terminal->fd);
	if (terminal->pid > 0) {
		kill(terminal->pid, SIGKILL);
		waitpid(terminal->pid, NULL, 0);
	}
	unlink(terminal->history);
	free(terminal);
	return 0;
}

/* Reads until text has been seen; what stands behind it is kept. */
static void expect(struct terminal *terminal, const char *text)
{
	struct pollfd input = { .fd = terminal->fd, .events = POLLIN };
	char *found;
	ssize_t got;

	for (;;) {
		terminal->seen[terminal->len] = '\0';
		found = strstr(terminal->seen, text);
		if (found)
			break;
		if (terminal->len >= sizeof(terminal->seen) - 1 ||
		    poll(&input, 1, PATIENCE_MS) <= 0)
			fail_msg("'%s' is not in '%s'", text, terminal->seen);
		got = read(terminal->fd, terminal->seen + terminal->len,
			   sizeof(terminal->seen) - 1 - terminal->len);
		if (got <= 0)
			fail_msg("the prompt ended; '%s' is not in '%s'", text, terminal->seen);
		terminal->len += (size_t)got;
	}
	found += strlen(text);
	terminal->len -= (size_t)(found - terminal->seen);
	memmove(terminal->seen, found, terminal->len);
}

/* Reads what has come, and waits for nothing. */
static void take_pending(struct terminal *terminal)
{
	struct pollfd input = { .fd = terminal->fd, .events = POLLIN };
	size_t room = sizeof(terminal->seen) - 1 - terminal->len;
	ssize_t got;

	if (poll(&input, 1, 0) <= 0)
		return;
	got = read(terminal->fd, terminal->seen + terminal->len, room);
	if (got > 0)
		terminal->len += (size_t)got;
}

static void type(struct terminal *terminal, const char *keys)
{
	assert_int_equal(write(terminal->fd, keys, strlen(keys)), strlen(keys));
}

/* Types keys, and waits for what follows, and for the next prompt. */
static void check(struct terminal *terminal, const char *keys, const char *text)
{
	type(terminal, keys);
	expect(terminal, text);
	expect(terminal, "ipfi> ");
}

/* Ctrl-D, and the end of the program. */
static void leave(struct terminal *terminal)
{
	int status;

	type(terminal, "\x04");
	expect(terminal, "over\r\n");
	assert_int_equal(waitpid(terminal->pid, &status, 0), terminal->pid);
	terminal->pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_lines(void **state)
{
	struct terminal *terminal = *state;

	expect(terminal, "ipfi> ");
	check(terminal, "hello\r", "got <hello>");
	check(terminal, "\r", "got <>");
	check(terminal,
	      "abd\x7f"
	      "c\x01x\r",
	      "got <xabc>");
	check(terminal, "gr\xc3\xbc\xc3\x9f\x65\r", "got <gr\xc3\xbc\xc3\x9f\x65>");
	leave(terminal);
}

static void test_completion(void **state)
{
	struct terminal *terminal = *state;

	expect(terminal, "ipfi> ");
	/* As far as both candidates agree; then the rest by hand. */
	check(terminal, "fw.st\tes\r", "got <fw.states>");
	check(terminal, "x{state=\"EST\t\r", "got <x{state=\"ESTABLISHED\">");
	check(terminal, "a where\t\r", "got <a a_where:2-7>");
	/* An error in the completer is no completion, and no end. */
	check(terminal, "unknown\t\r", "got <unknown>");
	leave(terminal);
}

static void test_interrupt_at_the_prompt(void **state)
{
	struct terminal *terminal = *state;

	expect(terminal, "ipfi> ");
	check(terminal, "half a line\x03", "given up");
	check(terminal, "\x03", "given up");
	check(terminal, "whole\r", "got <whole>");
	leave(terminal);
}

static void test_interrupt_of_a_loop(void **state)
{
	struct terminal *terminal = *state;

	expect(terminal, "ipfi> ");
	for (int i = 0; i < 5; i++) {
		type(terminal, "loop\r");
		expect(terminal, "loops\r\n");
		check(terminal, "\x03", "interrupted!");
	}
	/* A call that waits ends too. */
	type(terminal, "wait\r");
	expect(terminal, "waits\r\n");
	usleep(100000);
	check(terminal, "\x03", "interrupted!");
	check(terminal, "still here\r", "got <still here>");
	leave(terminal);
}

static void test_function_keys(void **state)
{
	static const char *const help[] = { "\x1bOP", "\x1b[11~", "\x1b[[A" };
	static const char *const states[] = { "\x1b[15~", "\x1b[[E" };
	struct terminal *terminal = *state;

	expect(terminal, "ipfi> ");
	type(terminal, "half");
	expect(terminal, "half");
	for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++) {
		/* The output above, the prompt and what was typed again below. */
		type(terminal, help[i]);
		expect(terminal, "help shown for <half> at 4");
		expect(terminal, "ipfi> half");
	}
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		type(terminal, states[i]);
		expect(terminal, "states failed");
		expect(terminal, "ipfi> half");
	}
	/* One that does not end is stopped by Ctrl-C, and the line is still there. */
	type(terminal, "\x1bOR");
	expect(terminal, "runs\r\n");
	type(terminal, "\x03");
	expect(terminal, "interrupted!");
	expect(terminal, "ipfi> half");
	check(terminal, " line\r", "got <half line>");
	leave(terminal);
}

static void test_pasted_lines(void **state)
{
	struct terminal *terminal = *state;

	expect(terminal, "\x1b[?2004h");
	expect(terminal, "ipfi> ");
	type(terminal, "\x1b[200~one\ntwo\nthree\x1b[201~");
	expect(terminal, "three");
	check(terminal, "\r", "got <one|two|three>");
	/* And comes back as one. */
	check(terminal, "\x1b[A\r", "got <one|two|three>");
	leave(terminal);
}

static void test_countdown(void **state)
{
	struct terminal *terminal = *state;

	expect(terminal, "ipfi> ");
	type(terminal, "count 4 1\r");
	/* The prompt goes on by itself: only what changes is written. */
	expect(terminal, "<4");
	type(terminal, "half");
	expect(terminal, "half");
	expect(terminal, "3");
	expect(terminal, "2");
	expect(terminal, "1");
	expect(terminal, "it is over\r\n");
	expect(terminal, "ipfi> half");
	check(terminal, " line\r", "got <half line>");
	/* A search is left alone, and what was due comes behind it. */
	type(terminal, "count 2 1\r");
	expect(terminal, "<2");
	type(terminal, "\x12" "hal");
	expect(terminal, "alf line");
	usleep(2400000);
	take_pending(terminal);
	assert_null(memmem(terminal->seen, terminal->len, "over", 4));
	type(terminal, "\x07");
	expect(terminal, "it is over\r\n");
	expect(terminal, "ipfi> ");
	leave(terminal);
}

static void test_pager(void **state)
{
	struct terminal *terminal = *state;

	expect(terminal, "ipfi> ");
	check(terminal, "page 3 cat\r", "line 3\r\nread to the end, status 0");
	/* One that is left early ends what feeds it, however much there would be. */
	check(terminal, "page 1000000000 head -n 2\r", "line 2\r\nstopped");
	check(terminal, "page 1000000000 no-such-pager\r", "stopped");
	/* So does Ctrl-C. */
	type(terminal, "page 1000000000 cat >/dev/null\r");
	expect(terminal, "null\r\n");
	usleep(200000);
	check(terminal, "\x03", "interrupted!");
	/* Behind the end of what there was to read, Ctrl-C is the pager's, however often. */
	type(terminal, "page 1 cat; trap 'echo heard' INT; echo ready; sleep 1; sleep 1; sleep 1; sleep 1; sleep 1; true\r");
	expect(terminal, "line 1\r\n");
	expect(terminal, "ready\r\n");
	for (int i = 0; i < 5; i++) {
		usleep(100000);
		type(terminal, "\x03");
		expect(terminal, "heard");
	}
	expect(terminal, "read to the end, status 0");
	expect(terminal, "ipfi> ");
	check(terminal, "still here\r", "got <still here>");
	leave(terminal);
}

static void test_history(void **state)
{
	struct terminal *terminal = *state;

	expect(terminal, "history\ttrue");
	expect(terminal, "ipfi> ");
	check(terminal, "first\r", "got <first>");
	check(terminal, " secret\r", "got < secret>");
	check(terminal, "\x1b[A\r", "got <first>");
	check(terminal, "second\r", "got <second>");
	check(terminal, "\x1b[A\x1b[A\r", "got <first>");
	/* The search of readline finds it. */
	check(terminal, "\x12sec\r", "got <second>");
	leave(terminal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, start, stop),
		cmocka_unit_test_setup_teardown(test_completion, start, stop),
		cmocka_unit_test_setup_teardown(test_interrupt_at_the_prompt, start, stop),
		cmocka_unit_test_setup_teardown(test_interrupt_of_a_loop, start, stop),
		cmocka_unit_test_setup_teardown(test_function_keys, start, stop),
		cmocka_unit_test_setup_teardown(test_pasted_lines, start, stop),
		cmocka_unit_test_setup_teardown(test_countdown, start, stop),
		cmocka_unit_test_setup_teardown(test_pager, start, stop),
		cmocka_unit_test_setup_teardown(test_history, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
