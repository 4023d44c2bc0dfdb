// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main: the program ipfi. Reads the options, opens Lua with the libraries ipfi.c.*, and hands over
 * to lua/ipfi/main.lua, whose result is the exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <linux/capability.h>

#include "shell/capture/capture.h"
#include "shell/sandbox/child.h"
#include "shell/netlink/codec.h"
#include "shell/simulation.h"
#include "shell/interrupt.h"
#include "shell/lint/library.h"
#include "shell/sys/login.h"
#include "shell/privilege/rmmod.h"
#include "shell/netlink/library.h"
#include "shell/options.h"
#include "shell/terminal/pager.h"
#include "shell/privilege/privilege.h"
#include "shell/terminal/repl.h"
#include "shell/sys/sys.h"
#include "shell/sandbox/transfer.h"

#ifndef IPFI_PREFIX
#define IPFI_PREFIX "/usr"
#endif

static const luaL_Reg libraries[] = {
	{ "ipfi.c.capture", capture_open },
	{ "ipfi.c.child", child_open },
	{ "ipfi.c.codec", codec_open },
	{ "ipfi.c.engine", engine_open },
	{ "ipfi.c.lint", lint_open },
	{ "ipfi.c.netlink", netlink_open },
	{ "ipfi.c.sys", sys_open },
	{ "ipfi.c.repl", repl_open },
	{ "ipfi.c.pager", pager_open },
	{ "ipfi.c.transfer", transfer_open },
	{ NULL, NULL },
};

/*
 * Where the Lua files are: beside the directory "build" of the tree the program runs from, else
 * where they were installed. Nothing else says where code comes from.
 */
static void find_lua(char path[PATH_MAX])
{
	static const char build[] = "/build/ipfi", lua[] = "/lua";
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (len > (ssize_t)strlen(build)) {
		char *tail = path + len - strlen(build);

		path[len] = '\0';
		if (strcmp(tail, build) == 0) {
			strcpy(tail, lua);
			if (access(path, R_OK) == 0)
				return;
		}
	}
	strcpy(path, IPFI_PREFIX "/share/ipfi");
}

/*
 * package.path is the program's own files only. package.cpath keeps the system's directories, for
 * cjson, but not those relative to the working directory, from which a job of root would load
 * whatever lies there.
 */
static void set_paths(lua_State *L)
{
	char lua[PATH_MAX];
	const char *path;
	luaL_Buffer cpath;

	find_lua(lua);
	lua_getglobal(L, "package");
	lua_pushfstring(L, "%s/?.lua", lua);
	lua_setfield(L, -2, "path");
	lua_getfield(L, -1, "cpath");
	path = lua_tostring(L, -1);
	luaL_buffinit(L, &cpath);
	while (*path) {
		size_t len = strcspn(path, LUA_PATH_SEP);

		if (*path == '/') {
			if (luaL_bufflen(&cpath))
				luaL_addstring(&cpath, LUA_PATH_SEP);
			luaL_addlstring(&cpath, path, len);
		}
		path += len;
		path += strspn(path, LUA_PATH_SEP);
	}
	luaL_pushresult(&cpath);
	lua_setfield(L, -3, "cpath");
	lua_pop(L, 2);
}

/* Makes an error a text with the calls that led to it. */
static int add_traceback(lua_State *L)
{
	const char *text = lua_tostring(L, 1);

	if (!text)
		text = luaL_tolstring(L, 1, NULL);
	luaL_traceback(L, L, text, 1);
	return 1;
}

/* Runs inside a protected call: opens everything, and calls ipfi.main. Returns its status. */
static int start(lua_State *L)
{
	const struct options *options = lua_touserdata(L, 1);

	/* LUA_PATH, LUA_CPATH and the like say nothing here. */
	lua_pushboolean(L, true);
	lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
	luaL_openlibs(L);
	set_paths(L);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	luaL_setfuncs(L, libraries, 0);
	lua_pop(L, 1);
	lua_getglobal(L, "require");
	lua_pushliteral(L, "ipfi.main");
	lua_call(L, 1, 1);
	options_push(L, options);
	lua_call(L, 1, 1);
	return 1;
}

/* The text may hold names: what would do something to the terminal is shown by its number. */
static void report(const struct options *options, const char *text)
{
	char safe[4096];
	size_t len = 0;

	for (; *text && len < sizeof(safe) - 5; text++) {
		const unsigned char byte = (unsigned char)*text;

		if ((byte < ' ' && byte != '\n' && byte != '\t') || byte == 0x7f)
			len += (size_t)snprintf(safe + len, 5, "\\x%02x", byte);
		else
			safe[len++] = *text;
	}
	safe[len] = '\0';
	fprintf(stderr, "ipfi: %s\n", safe);
	if (options->syslog)
		syslog(LOG_DAEMON | LOG_ERR, "%s", safe);
}

static int run(const struct options *options)
{
	lua_State *L = luaL_newstate();
	int status = STATUS_LUA;

	if (!L) {
		report(options, "not enough memory");
		return status;
	}
	interrupt_install(L);
	lua_pushcfunction(L, add_traceback);
	lua_pushcfunction(L, start);
	lua_pushlightuserdata(L, (void *)options);
	if (lua_pcall(L, 1, 1, 1) == LUA_OK) {
		status = (int)lua_tointeger(L, -1);
	} else if (interrupt_pending()) {
		status = STATUS_INTERRUPTED;
	} else {
		const char *text = lua_tostring(L, -1);

		report(options, text ? text : "an error that is no text");
	}
	/* Ends the transactions, locks and dumps that are still open. */
	lua_close(L);
	interrupt_remove();
	return status;
}

static int remove_module(const struct options *options, int status)
{
	int error = module_remove();
	char text[128];

	if (!error)
		return status;
	snprintf(text, sizeof(text), "cannot remove the module: %s",
		 error == -EAGAIN ? "it is in use" : strerror(-error));
	report(options, text);
	if (status != STATUS_DONE)
		return status;
	return error == -EPERM ? STATUS_NOT_PERMITTED : STATUS_REFUSED;
}

/* Set while Lua runs with --rmmod. */
static const struct options *removing;

/* os.exit leaves from within Lua; its status is settled then. */
static void remove_at_exit(void)
{
	if (removing)
		remove_module(removing, STATUS_DONE);
}

/* What the program ends with, once that is settled. */
static int final_status = STATUS_DONE;

/* What could not be written was not done. Runs last, after os.exit too, which knows no better. */
static void check_output(void)
{
	int error = fflush(stdout) == 0 ? 0 : errno;

	if (!error && !ferror(stdout))
		return;
	fprintf(stderr, "ipfi: standard output: %s\n", error ? strerror(error) : "a write failed");
	_exit(final_status == STATUS_DONE ? STATUS_LUA : final_status);
}

/*
 * Cron jobs and others may start us without them; what is opened next must not become standard
 * output.
 */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/*
 * Ends quietly when nobody reads what is written, and learns of children that end, whatever those
 * who started the program ignore.
 */
static void reset_signals(void)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
}

/*
 * All that the program is for takes CAP_NET_ADMIN at most; removing the module is left to another
 * process. Returns -1 to go on, or the status to exit with.
 */
static int give_up_privileges(const struct options *options)
{
	char text[128];
	int error = options->rmmod ? module_prepare() : 0;

	/* Other users have nothing to give up, and may start what has more rights, like sudo(8). */
	if (!error && privilege_any())
		error = privilege_keep(PRIVILEGE(CAP_NET_ADMIN));
	if (!error)
		return -1;
	snprintf(text, sizeof(text), "cannot give up privileges: %s", strerror(-error));
	report(options, text);
	return STATUS_LUA;
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	open_standard_files();
	reset_signals();
	atexit(check_output);
	/* For readline's idea of a character; numbers keep their point. */
	setlocale(LC_CTYPE, "");
	openlog("ipfi", LOG_PID, LOG_DAEMON);
	status = options_parse(&options, argc, argv);
	if (status < 0)
		login_remember();
	if (status < 0)
		status = give_up_privileges(&options);
	if (status < 0) {
		if (options.rmmod && atexit(remove_at_exit) == 0)
			removing = &options;
		status = run(&options);
		removing = NULL;
		if (options.rmmod)
			status = remove_module(&options, status);
	}
	options_free(&options);
	final_status = status;
	return status;
}
