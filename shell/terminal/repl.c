// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * repl: see repl.h.
 *
 * readline is driven through its callback interface, so that the program itself waits for keys, and
 * meanwhile for other things; a Ctrl-C ends the wait. readline calls back into Lua to complete a
 * word and for a function key. An error of Lua must not jump over readline's frames, so these calls
 * are protected and an error is shown, not raised.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <readline/history.h>
#include <readline/readline.h>

#include <lauxlib.h>

#include "shell/terminal/history.h"
#include "shell/interrupt.h"
#include "shell/terminal/repl.h"

/* What separates words for completion: all that cannot be in "fw.states". */
#define WORD_BREAKS " \t\n\"\\'><=;:+-*/%^~#{}()[],!|&"

/* Function keys: X(number). */
#define FUNCTION_KEYS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)

/* readline is one to a program, and so is what its callbacks need. */
static struct {
	lua_State *L;	/* of the readline() that is waiting, or NULL */
	bool ready;	/* readline is initialized */
	bool done;	/* the line is complete */
	char *line;	/* it, or NULL at the end of input */
	char **matches; /* candidates of the completion that is going on, ended by NULL */
	size_t next;	/* of them to hand over */
} repl;

/* Keys of the registry. */
static const char completer_key, keys_key, idle_key;

/* Makes an error a text, as the handler of a protected call. */
static int describe_error(lua_State *L)
{
	luaL_tolstring(L, 1, NULL);
	return 1;
}

/* Completion */

static void free_matches(void)
{
	for (size_t i = 0; repl.matches && repl.matches[i]; i++)
		free(repl.matches[i]);
	free(repl.matches);
	repl.matches = NULL;
}

/* Copies the list of strings on top of the stack. */
static void keep_matches(lua_State *L)
{
	size_t count = (size_t)lua_rawlen(L, -1), kept = 0;

	free_matches();
	repl.next = 0;
	repl.matches = calloc(count + 1, sizeof(*repl.matches));
	for (size_t i = 1; repl.matches && i <= count; i++) {
		/* lua_tostring of a string allocates nothing and so raises nothing. */
		if (lua_rawgeti(L, -1, (lua_Integer)i) == LUA_TSTRING)
			repl.matches[kept] = strdup(lua_tostring(L, -1));
		lua_pop(L, 1);
		if (repl.matches[kept])
			kept++;
	}
}

/* Hands readline one candidate after the other; readline frees them. */
static char *next_match(const char *text, int again)
{
	char *match;

	(void)text;
	(void)again;
	if (!repl.matches || !repl.matches[repl.next])
		return NULL;
	match = strdup(repl.matches[repl.next]);
	repl.next++;
	return match;
}

static char **complete(const char *text, int start, int end)
{
	lua_State *L = repl.L;
	char **result;
	int top;

	/* Never names of files, whatever there is to complete. */
	rl_attempted_completion_over = 1;
	if (!L || !lua_checkstack(L, 8))
		return NULL;
	top = lua_gettop(L);
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &completer_key) != LUA_TFUNCTION) {
		lua_settop(L, top);
		return NULL;
	}
	lua_pushstring(L, text);
	lua_pushstring(L, rl_line_buffer);
	lua_pushinteger(L, start);
	lua_pushinteger(L, end);
	if (lua_pcall(L, 4, 2, 0) != LUA_OK) {
		/* Half a line often confuses; a completion that fails is none. */
		lua_settop(L, top);
		return NULL;
	}
	rl_completion_append_character =
		lua_type(L, -1) == LUA_TSTRING ? (unsigned char)*lua_tostring(L, -1) : '\0';
	lua_settop(L, top + 1);
	if (!lua_istable(L, -1)) {
		lua_settop(L, top);
		return NULL;
	}
	keep_matches(L);
	lua_settop(L, top);
	result = rl_completion_matches(text, next_match);
	free_matches();
	return result;
}

/* Function keys */

/*
 * What is written between these stands above the prompt, which is then drawn again with what is
 * typed. Meanwhile the terminal is as programs expect it.
 */
static void begin_above(void)
{
	rl_clear_visible_line();
	fflush(rl_outstream);
	rl_deprep_terminal();
}

static void end_above(void)
{
	fflush(stdout);
	rl_prep_terminal(1);
	/* Who wrote may have shown a pager, and the terminal may have another size by now. */
	rl_reset_screen_size();
	rl_on_new_line();
	rl_forced_update_display();
}

/* Runs what is bound to a key. */
static int press(int number)
{
	lua_State *L = repl.L;
	int top;

	if (!L || !lua_checkstack(L, 8))
		return 0;
	top = lua_gettop(L);
	lua_pushcfunction(L, describe_error);
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &keys_key) == LUA_TTABLE &&
	    lua_rawgeti(L, -1, number) == LUA_TFUNCTION) {
		begin_above();
		lua_pushstring(L, rl_line_buffer);
		lua_pushinteger(L, rl_point);
		if (lua_pcall(L, 2, 0, top + 1) != LUA_OK && lua_isstring(L, -1))
			fprintf(stderr, "%s\n", lua_tostring(L, -1));
		interrupt_clear();
		end_above();
	} else {
		rl_ding();
	}
	lua_settop(L, top);
	return 0;
}

#define X(number)                                      \
	static int press_f##number(int count, int key) \
	{                                              \
		(void)count;                           \
		(void)key;                             \
		return press(number);                  \
	}
FUNCTION_KEYS(X)
#undef X

/* By the number of the key. */
static rl_command_func_t *const presses[] = {
#define X(number) [number] = press_f##number,
	FUNCTION_KEYS(X)
#undef X
};

/*
 * What the keys send: xterm and the like, VT220 and its heirs (rxvt, screen, tmux), the Linux
 * console. They are all bound, whatever TERM says: no sequence means two things, and TERM is often
 * wrong.
 */
/* clang-format off */
static const struct {
	int number;
	const char *sequence;
} sequences[] = {
	{ 1, "\\eOP" },    { 1, "\\e[11~" }, { 1, "\\e[[A" },
	{ 2, "\\eOQ" },    { 2, "\\e[12~" }, { 2, "\\e[[B" },
	{ 3, "\\eOR" },    { 3, "\\e[13~" }, { 3, "\\e[[C" },
	{ 4, "\\eOS" },    { 4, "\\e[14~" }, { 4, "\\e[[D" },
	{ 5, "\\e[15~" },  { 5, "\\eOT" },   { 5, "\\e[[E" },
	{ 6, "\\e[17~" },  { 6, "\\eOU" },
	{ 7, "\\e[18~" },  { 7, "\\eOV" },
	{ 8, "\\e[19~" },  { 8, "\\eOW" },
	{ 9, "\\e[20~" },  { 9, "\\eOX" },
	{ 10, "\\e[21~" }, { 10, "\\eOY" },
	{ 11, "\\e[23~" }, { 11, "\\eOZ" },
	{ 12, "\\e[24~" },
};
/* clang-format on */

/* Binds a key in every editing mode, unless the user's inputrc has a use for its sequence. */
static void bind_sequences(int number)
{
	Keymap maps[] = { emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap };

	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		if (sequences[i].number != number)
			continue;
		for (size_t map = 0; map < sizeof(maps) / sizeof(maps[0]); map++)
			rl_bind_keyseq_if_unbound_in_map(sequences[i].sequence, presses[number],
							 maps[map]);
	}
}

/* Lines */

/* Before the first line, so that a program without a prompt never touches the terminal. */
static void prepare(void)
{
	if (repl.ready)
		return;
	repl.ready = true;
	rl_readline_name = "ipfi";
	/* While the program waits, too: one that is stopped or ended leaves a terminal in order. */
	rl_persistent_signal_handlers = 1;
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = WORD_BREAKS;
	/* A pasted text is one line, however many it has, and does not run before Enter. */
	rl_variable_bind("enable-bracketed-paste", "on");
	history_prepare();
	rl_initialize();
}

static void take_line(char *line)
{
	repl.line = line;
	repl.done = true;
	/* Gives the terminal back before the line is run. */
	rl_callback_handler_remove();
}

/* Ctrl-C at the prompt: the line is given up. */
static void give_up_line(void)
{
	rl_free_line_state();
	rl_callback_sigcleanup();
	rl_echo_signal_char(SIGINT);
	rl_crlf();
	rl_callback_handler_remove();
	interrupt_clear();
}

/* Waiting */

/* What is waited for beside keys: see set_idle(). */
struct idle {
	int fd;		 /* or -1 */
	double deadline; /* by now(); negative: none */
};

/* Seconds since some moment, never going back. */
static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Whether something else than the line stands on the screen: a search, a count being typed. */
static bool is_busy(void)
{
	return RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG |
			  RL_STATE_COMPLETING);
}

/* Asks the idle function what is new, and shows it. */
static void call_idle(struct idle *idle)
{
	lua_State *L = repl.L;
	int top = lua_gettop(L);

	idle->fd = -1;
	idle->deadline = -1;
	if (!lua_checkstack(L, 8) ||
	    lua_rawgetp(L, LUA_REGISTRYINDEX, &idle_key) != LUA_TFUNCTION ||
	    lua_pcall(L, 0, 4, 0) != LUA_OK) {
		/* What goes wrong here is asked for again with the next line. */
		lua_settop(L, top);
		return;
	}
	if (lua_isnumber(L, -3))
		idle->deadline = now() + lua_tonumber(L, -3);
	if (lua_isinteger(L, -2))
		idle->fd = (int)lua_tointeger(L, -2);
	if (lua_type(L, -1) == LUA_TSTRING) {
		begin_above();
		fputs(lua_tostring(L, -1), stdout);
		if (lua_type(L, -4) == LUA_TSTRING)
			rl_set_prompt(lua_tostring(L, -4));
		end_above();
	} else if (lua_type(L, -4) == LUA_TSTRING && strcmp(lua_tostring(L, -4), rl_prompt) != 0) {
		rl_set_prompt(lua_tostring(L, -4));
		rl_redisplay();
	}
	lua_settop(L, top);
}

/* Milliseconds until the deadline, rounded up; -1 for ever. */
static int time_left(const struct idle *idle)
{
	double left = (idle->deadline - now()) * 1000;

	if (idle->deadline < 0)
		return -1;
	return left <= 0 ? 0 : left >= 3600000 ? 3600000 : (int)left + 1;
}

/* Waits for the line. Returns false after Ctrl-C. */
static bool wait_for_line(void)
{
	struct pollfd input[2] = { { .fd = fileno(rl_instream), .events = POLLIN },
				   { .events = POLLIN } };
	struct idle idle;

	call_idle(&idle);
	while (!repl.done) {
		bool busy = is_busy();
		int ready;

		/* A search is not disturbed; when it ends by a key, the next look is due. */
		input[1].fd = busy ? -1 : idle.fd;
		input[1].revents = 0;
		ready = interrupt_poll(input, 2, busy ? -1 : time_left(&idle));
		if (interrupt_pending()) {
			give_up_line();
			return false;
		}
		if (ready == -EINTR) {
			bool resized = rl_pending_signal() == SIGWINCH;

			/* Draws the line anew for another size. */
			rl_check_signals();
			/* After a stop the line is on the terminal no more. */
			if (!resized)
				rl_forced_update_display();
		} else if (ready < 0) {
			take_line(NULL);
		} else if (ready == 0 || !input[0].revents) {
			call_idle(&idle);
		} else {
			rl_callback_read_char();
			/* Who types without a pause sees the time go by, too. */
			if (!repl.done && !is_busy() && time_left(&idle) == 0)
				call_idle(&idle);
		}
	}
	return true;
}

/*
 * readline(prompt) -> line; nil at the end of input; false after Ctrl-C
 * Control characters in the prompt that do not move the cursor stand between \1 and \2.
 */
static int repl_readline(lua_State *L)
{
	const char *prompt = luaL_checkstring(L, 1);
	bool got;

	if (repl.L)
		return luaL_error(L, "the prompt is busy");
	prepare();
	interrupt_clear();
	fflush(stdout);
	repl.L = L;
	repl.done = false;
	repl.line = NULL;
	rl_callback_handler_install(prompt, take_line);
	/* readline has put handlers of its own in place; Ctrl-C stays ours. */
	interrupt_catch();
	got = wait_for_line();
	repl.L = NULL;
	if (!got) {
		lua_pushboolean(L, false);
		return 1;
	}
	if (!repl.line) {
		lua_pushnil(L);
		return 1;
	}
	/* An error for lack of memory would lose this copy and nothing else. */
	lua_pushstring(L, repl.line);
	free(repl.line);
	repl.line = NULL;
	return 1;
}

/*
 * set_completer(function)
 * function (text, line, start, finish) -> list of candidates for text, which stands at start (from
 * 0) up to finish of line; and a string whose first character follows a single candidate (none when
 * absent).
 */
static int repl_set_completer(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &completer_key);
	return 0;
}

/*
 * set_idle(function)
 * function () -> prompt, seconds, descriptor, text: called when a line begins, and while it is
 * waited for so many seconds later, or when the descriptor can be read. The prompt, unless nil,
 * takes the place of that which is shown; the text, unless nil, stands above it. A nil for seconds
 * or descriptor: neither is waited for.
 */
static int repl_set_idle(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &idle_key);
	return 0;
}

/*
 * bind_key(name, function)
 * name is "F1" to "F12". The function gets the line as it is and the place of the cursor, in bytes
 * from 0. What it prints stands above the prompt; an error of it is shown there.
 */
static int repl_bind_key(lua_State *L)
{
	static const char *const names[] = {
#define X(number) "F" #number,
		FUNCTION_KEYS(X)
#undef X
			NULL,
	};
	int number = luaL_checkoption(L, 1, NULL, names) + 1;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	prepare();
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &keys_key) != LUA_TTABLE) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &keys_key);
	}
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, number);
	bind_sequences(number);
	return 0;
}

/* history_open(path) -> true, or nil and why: see history_open() */
static int repl_history_open(lua_State *L)
{
	int error;

	prepare();
	error = history_open(luaL_checkstring(L, 1));
	if (!error) {
		lua_pushboolean(L, true);
		return 1;
	}
	lua_pushnil(L);
	lua_pushstring(L, strerror(-error));
	return 2;
}

/* history_add(line): unless it is the same as the last, or begins with a blank */
static int repl_history_add(lua_State *L)
{
	const char *line = luaL_checkstring(L, 1);

	prepare();
	history_keep(line);
	return 0;
}

int repl_open(lua_State *L)
{
	static const luaL_Reg library[] = {
		{ "readline", repl_readline },
		{ "set_completer", repl_set_completer },
		{ "set_idle", repl_set_idle },
		{ "bind_key", repl_bind_key },
		{ "history_open", repl_history_open },
		{ "history_add", repl_history_add },
		{ NULL, NULL },
	};

	luaL_newlib(L, library);
	return 1;
}
