// SPDX-License-Identifier: GPL-2.0-or-later
/* sys_files: who owns a file, reading and replacing one, listing a directory, the lock between programs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shell/interrupt.h"
#include "shell/sys/sys.h"

/* A policy is written by hand; more than this is a mistake. */
#define FILE_MOST (64 * 1024 * 1024)

/* How often a taken lock is tried again: 50 ms. */
#define LOCK_RETRY_MS 50

/* Bytes asked for at once. */
#define READ_SIZE (64 * 1024)

#define DESCRIPTOR_TYPE "ipfi.descriptor"

/* In the registry: the locks that are held, by path. */
#define LOCKS "ipfi.locks"

/* An open file that Lua closes when an error is raised. */
static int descriptor_close(lua_State *L)
{
	int *fd = luaL_checkudata(L, 1, DESCRIPTOR_TYPE);

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return 0;
}

static int *push_descriptor(lua_State *L)
{
	int *fd = lua_newuserdatauv(L, sizeof(*fd), 0);

	*fd = -1;
	if (luaL_newmetatable(L, DESCRIPTOR_TYPE)) {
		lua_pushcfunction(L, descriptor_close);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return fd;
}

/* nil and why */
static int fail(lua_State *L)
{
	int error = errno;

	lua_pushnil(L);
	lua_pushstring(L, strerror(error));
	return 2;
}

static void set_integer(lua_State *L, lua_Integer value, const char *name)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, name);
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
	case S_IFBLK:
		return "device";
	default:
		return "other";
	}
}

/*
 * Sets uid, gid, mode (the permissions) and sticky of what a path names in the table on top of the
 * stack.
 */
static void set_owner(lua_State *L, const struct stat *status)
{
	set_integer(L, status->st_uid, "uid");
	set_integer(L, status->st_gid, "gid");
	set_integer(L, status->st_mode & 07777, "mode");
	lua_pushboolean(L, status->st_mode & S_ISVTX);
	lua_setfield(L, -2, "sticky");
}

/*
 * Pushes what stat() returns, for a file whose status is known. name leads to it; its directories
 * are those of its real path, since who may write to one of them may put another file in its place.
 * Returns false, with nothing pushed, when the real path is not to be found.
 */
static bool push_status(lua_State *L, const char *name, const struct stat *status)
{
	char real[PATH_MAX];
	struct stat directory;
	lua_Integer place = 0;

	if (!realpath(name, real))
		return false;
	lua_createtable(L, 0, 8);
	set_owner(L, status);
	set_integer(L, status->st_size, "size");
	lua_pushstring(L, type_name(status->st_mode));
	lua_setfield(L, -2, "type");
	lua_pushstring(L, real);
	lua_setfield(L, -2, "path");
	lua_newtable(L);
	while (strcmp(real, "/") != 0) {
		dirname(real);
		if (stat(real, &directory) != 0) {
			lua_pop(L, 2);
			return false;
		}
		lua_createtable(L, 0, 5);
		set_owner(L, &directory);
		lua_pushstring(L, real);
		lua_setfield(L, -2, "path");
		lua_rawseti(L, -2, ++place);
	}
	lua_setfield(L, -2, "dirs");
	return true;
}

/*
 * stat(path) -> { uid, gid, mode, sticky, size, type, path, dirs }; or nil and why
 *
 * mode is the permission bits, type "file", "directory", "fifo", "socket", "device" or "other".
 * path is without symbolic links, and dirs lists its directories up to the root, the nearest first,
 * each { path, uid, gid, mode, sticky }.
 */
static int files_stat(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct stat status;

	if (stat(path, &status) != 0 || !push_status(L, path, &status))
		return fail(L);
	return 1;
}

/* Pushes what fd still has to read. Returns false with errno set. */
static bool read_all(lua_State *L, int fd, size_t most)
{
	luaL_Buffer text;
	size_t total = 0;
	ssize_t got;

	luaL_buffinit(L, &text);
	do {
		char *room = luaL_prepbuffsize(&text, READ_SIZE);

		do {
			got = read(fd, room, READ_SIZE);
		} while (got < 0 && errno == EINTR && !interrupt_pending());
		if (got > 0) {
			luaL_addsize(&text, (size_t)got);
			total += (size_t)got;
		}
	} while (got > 0 && total <= most);
	if (got > 0)
		errno = EFBIG;
	if (got != 0)
		return false;
	luaL_pushresult(&text);
	return true;
}

/*
 * read_file(path, most) -> text, status; or nil and why
 * most is the largest size in bytes, that of a policy when absent.
 * status is what stat() gives, of the very file that was read: between a look at a path and opening
 * it somebody might have replaced the file.
 */
static int files_read_file(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	lua_Integer most = luaL_optinteger(L, 2, FILE_MOST);
	struct stat status;
	char link[32];
	int *fd = push_descriptor(L);
	bool found;

	/* O_NONBLOCK: opening a fifo must not wait for a writer. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0 || fstat(*fd, &status) != 0)
		return fail(L);
	if (S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		return fail(L);
	}
	if (!read_all(L, *fd, (size_t)most))
		return fail(L);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", *fd);
	found = push_status(L, link, &status);
	close(*fd);
	*fd = -1;
	return found ? 2 : fail(L);
}

/* read_stdin(most) -> text, or nil and why */
static int files_read_stdin(lua_State *L)
{
	if (!read_all(L, STDIN_FILENO, (size_t)luaL_optinteger(L, 1, FILE_MOST)))
		return fail(L);
	return 1;
}

/* An open directory, as a descriptor. */
static int directory_close(lua_State *L)
{
	DIR **directory = lua_touserdata(L, 1);

	if (*directory)
		closedir(*directory);
	*directory = NULL;
	return 0;
}

/*
 * list_dir(path) -> list of the names in a directory, unsorted, without "." and ".."; or nil and
 * why
 */
static int files_list_dir(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	DIR **directory = lua_newuserdatauv(L, sizeof(DIR *), 0);
	const struct dirent *entry;
	lua_Integer place = 0;

	*directory = NULL;
	if (luaL_newmetatable(L, "ipfi.directory")) {
		lua_pushcfunction(L, directory_close);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	*directory = opendir(path);
	if (!*directory)
		return fail(L);
	lua_newtable(L);
	while ((entry = readdir(*directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		lua_pushstring(L, entry->d_name);
		lua_rawseti(L, -2, ++place);
	}
	closedir(*directory);
	*directory = NULL;
	return 1;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	ssize_t put;

	for (; len; bytes += put, len -= (size_t)put) {
		put = write(fd, bytes, len);
		if (put < 0 && errno == EINTR && !interrupt_pending())
			put = 0;
		if (put < 0)
			return false;
	}
	return fsync(fd) == 0;
}

/* A rename lasts only when its directory has been written too. */
static void sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/*
 * replace_file(path, bytes) -> true; or nil and why
 * Writes a file that only its owner may read, as a whole or not at all: who opens the path meets the old
 * file or the new one. What is there must be a regular file.
 */
static int files_replace_file(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	size_t len;
	const char *bytes = luaL_checklstring(L, 2, &len);
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct stat status;
	char *temporary;
	int error, *fd;

	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		lua_pushnil(L);
		lua_pushliteral(L, "there is something that is not a regular file");
		return 2;
	}
	lua_settop(L, 2);
	lua_pushlstring(L, path, (size_t)(name - path)); /* the directory, with its slash */
	lua_pushfstring(L, "%s.%s.XXXXXX", lua_tostring(L, 3), name);
	temporary = memcpy(lua_newuserdatauv(L, lua_rawlen(L, 4) + 1, 0), lua_tostring(L, 4),
			   lua_rawlen(L, 4) + 1);
	fd = push_descriptor(L);
	*fd = mkostemp(temporary, O_CLOEXEC); /* its mode is 0600 */
	if (*fd < 0)
		return fail(L);
	if (!write_all(*fd, bytes, len) || rename(temporary, path) != 0) {
		error = errno;
		(void)unlink(temporary);
		errno = error;
		return fail(L);
	}
	sync_directory(name == path ? "." : lua_tostring(L, 3));
	lua_pushboolean(L, true);
	return 1;
}

/* Tries to take the lock until the deadline. 0 or an errno: EWOULDBLOCK when another has it. */
static int take_lock(int fd, double seconds)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return errno;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((double)(now.tv_sec - start.tv_sec) +
			    (double)(now.tv_nsec - start.tv_nsec) / 1e9 >=
		    seconds)
			return EWOULDBLOCK;
		interrupt_poll(NULL, 0, LOCK_RETRY_MS);
		if (interrupt_pending())
			return EINTR;
	}
}

/*
 * lock(path, seconds) -> true; or nil and "busy", "interrupted" or why
 * Takes an exclusive lock on the file, which is made when it is not there and holds the owner's
 * process id. Waits at most so many seconds (0 when absent). The lock ends with the program; one
 * that it has already is granted again.
 */
static int files_lock(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	double seconds = luaL_optnumber(L, 2, 0);
	int error, *fd;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, LOCKS);
	if (lua_getfield(L, -1, path) != LUA_TNIL) {
		lua_pushboolean(L, true);
		return 1;
	}
	fd = push_descriptor(L);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return fail(L);
	error = take_lock(*fd, seconds);
	if (error) {
		close(*fd);
		*fd = -1;
		lua_pushnil(L);
		if (error == EWOULDBLOCK)
			lua_pushliteral(L, "busy");
		else if (error == EINTR)
			lua_pushliteral(L, "interrupted");
		else
			lua_pushstring(L, strerror(error));
		return 2;
	}
	/* For a person who looks; nothing reads it. */
	if (ftruncate(*fd, 0) == 0)
		dprintf(*fd, "%d\n", (int)getpid());
	lua_setfield(L, -3, path);
	lua_pushboolean(L, true);
	return 1;
}

/* unlock(path): lets go of a lock before the program ends; of one that it does not have, nothing */
static int files_unlock(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	int *fd;

	luaL_getsubtable(L, LUA_REGISTRYINDEX, LOCKS);
	if (lua_getfield(L, -1, path) == LUA_TNIL)
		return 0;
	fd = lua_touserdata(L, -1);
	close(*fd);
	*fd = -1;
	lua_pushnil(L);
	lua_setfield(L, -3, path);
	return 0;
}

const luaL_Reg sys_files[] = {
	{ "stat", files_stat },
	{ "read_file", files_read_file },
	{ "read_stdin", files_read_stdin },
	{ "list_dir", files_list_dir },
	{ "replace_file", files_replace_file },
	{ "lock", files_lock },
	{ "unlock", files_unlock },
	{ NULL, NULL },
};
