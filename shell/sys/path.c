// SPDX-License-Identifier: GPL-2.0-or-later
/* sys_way: which directories and symbolic links a path leads through. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shell/sys/sys.h"

/* Links that are followed: as many as the kernel does (MAXSYMLINKS). */
#define LINKS_MOST 40

/*
 * A walk along a path, as the kernel resolves one: where it has come to, an absolute path without
 * links, and what is still to be walked.
 */
struct walk {
	lua_State *L;
	int list; /* stack index of what was met */
	lua_Integer count;
	int links;
	char at[PATH_MAX], rest[PATH_MAX];
};

/* Adds what stands at a path, as lstat() says, to the list. */
static void note(struct walk *walk, const char *path, const struct stat *status)
{
	lua_State *L = walk->L;

	lua_createtable(L, 0, 6);
	lua_pushstring(L, path);
	lua_setfield(L, -2, "path");
	lua_pushinteger(L, status->st_uid);
	lua_setfield(L, -2, "uid");
	lua_pushinteger(L, status->st_gid);
	lua_setfield(L, -2, "gid");
	lua_pushinteger(L, status->st_mode & 07777);
	lua_setfield(L, -2, "mode");
	lua_pushboolean(L, status->st_mode & S_ISVTX);
	lua_setfield(L, -2, "sticky");
	lua_pushboolean(L, S_ISLNK(status->st_mode));
	lua_setfield(L, -2, "link");
	lua_rawseti(L, walk->list, ++walk->count);
}

/* Takes the next name off what is still to be walked. Returns false at its end. */
static bool next_name(struct walk *walk, char name[NAME_MAX + 1])
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(start, "/");

	if (!len)
		return false;
	if (len > NAME_MAX)
		len = NAME_MAX;
	memcpy(name, start, len);
	name[len] = '\0';
	memmove(walk->rest, start + len, strlen(start + len) + 1);
	return true;
}

/* Goes back to the directory above. */
static void go_up(struct walk *walk)
{
	char *slash = strrchr(walk->at, '/');

	if (slash)
		*slash = '\0';
}

/* Puts where a link leads in front of what is still to be walked. Returns 0 or an errno. */
static int follow(struct walk *walk)
{
	char target[PATH_MAX];
	ssize_t len = readlink(walk->at, target, sizeof(target) - 1);

	if (len < 0)
		return errno;
	if (++walk->links > LINKS_MOST)
		return ELOOP;
	target[len] = '\0';
	if ((size_t)len + 1 + strlen(walk->rest) + 1 > sizeof(walk->rest))
		return ENAMETOOLONG;
	memmove(walk->rest + len + 1, walk->rest, strlen(walk->rest) + 1);
	memcpy(walk->rest, target, (size_t)len);
	walk->rest[len] = '/';
	if (target[0] == '/')
		walk->at[0] = '\0';
	else
		go_up(walk);
	return 0;
}

/* Goes one step. Returns 0 or an errno. */
static int step(struct walk *walk, const char *name)
{
	struct stat status;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		go_up(walk);
		return 0;
	}
	if (stat(walk->at[0] ? walk->at : "/", &status) != 0)
		return errno;
	note(walk, walk->at[0] ? walk->at : "/", &status);
	if (strlen(walk->at) + 1 + strlen(name) + 1 > sizeof(walk->at))
		return ENAMETOOLONG;
	strcat(strcat(walk->at, "/"), name);
	if (lstat(walk->at, &status) != 0)
		return errno;
	if (!S_ISLNK(status.st_mode))
		return 0;
	note(walk, walk->at, &status);
	return follow(walk);
}

/*
 * way(path) -> list of the directories that a path leads through and of the symbolic links in them,
 * in the order they are met, each { path, uid, gid, mode, sticky, link }; or nil and why
 *
 * Whoever may write to one of the directories decides where the path leads. The file itself is not
 * among them.
 */
static int way(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct walk *walk = lua_newuserdatauv(L, sizeof(*walk), 0);
	char name[NAME_MAX + 1];
	int error = 0;

	memset(walk, 0, sizeof(*walk));
	walk->L = L;
	lua_newtable(L);
	walk->list = lua_gettop(L);
	if (strlen(path) >= sizeof(walk->rest))
		error = ENAMETOOLONG;
	else if (path[0] != '/' && !getcwd(walk->at, sizeof(walk->at)))
		error = errno;
	else
		strcpy(walk->rest, path);
	/* The root is "" here, as all that follows it begins with a slash. */
	if (strcmp(walk->at, "/") == 0)
		walk->at[0] = '\0';
	while (!error && next_name(walk, name))
		error = step(walk, name);
	if (!error)
		return 1;
	lua_pushnil(L);
	lua_pushstring(L, strerror(error));
	return 2;
}

const luaL_Reg sys_way[] = {
	{ "way", way },
	{ NULL, NULL },
};
