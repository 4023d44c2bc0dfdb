// SPDX-License-Identifier: GPL-2.0-or-later
/* login: see login.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmpx.h>

#include "shell/sys/login.h"
#include "shell/sys/sys.h"

/* Processes between the program and the login: shells, sudo, tmux; no more are asked. */
#define ANCESTORS_MOST 32

#define SSH_VARIABLE "SSH_CONNECTION"

static struct {
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN]; /* empty: not known */
	unsigned int client_port, server_port;			 /* 0: not known */
} login;

/* Takes an address as sshd writes it: of IPv6 it may have a zone. */
static bool take_address(char *text, char address[INET6_ADDRSTRLEN])
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	struct in6_addr bytes;

	text[strcspn(text, "%")] = '\0';
	return inet_pton(family, text, &bytes) == 1 && inet_ntop(family, &bytes, address, INET6_ADDRSTRLEN);
}

/* "client port server port" */
static bool take(const char *value)
{
	char client[64], server[64];

	if (sscanf(value, "%63s %u %63s %u", client, &login.client_port, server, &login.server_port) == 4 &&
	    login.client_port <= UINT16_MAX && login.server_port <= UINT16_MAX &&
	    take_address(client, login.client) && take_address(server, login.server))
		return true;
	memset(&login, 0, sizeof(login));
	return false;
}

/* The parent of a process; 0 when it is gone. Its name, in parentheses, may hold anything. */
static int parent_of(int pid)
{
	char path[32], line[512], *behind;
	FILE *file;
	size_t len;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	len = fread(line, 1, sizeof(line) - 1, file);
	line[len] = '\0';
	behind = strrchr(line, ')');
	if (!behind || sscanf(behind + 1, " %*c %d", &parent) != 1)
		parent = 0;
	fclose(file);
	return parent;
}

static bool take_from_environment_of(int pid)
{
	char path[32], *entry = NULL;
	size_t room = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getdelim(&entry, &room, '\0', file) >= 0)
		found = strncmp(entry, SSH_VARIABLE "=", sizeof(SSH_VARIABLE)) == 0 &&
			take(entry + sizeof(SSH_VARIABLE));
	free(entry);
	fclose(file);
	return found;
}

/* What login(1) and sshd(8) have noted of the terminal: an address, if it is not this machine's own. */
static void take_from_terminal(void)
{
	char name[64];
	struct utmpx *entry;

	if (ttyname_r(STDIN_FILENO, name, sizeof(name)) != 0 && ttyname_r(STDERR_FILENO, name, sizeof(name)) != 0)
		return;
	setutxent();
	while ((entry = getutxent())) {
		const int32_t *address = entry->ut_addr_v6;
		bool v6 = address[1] || address[2] || address[3];

		if (entry->ut_type != USER_PROCESS || (!v6 && !address[0]) ||
		    strncmp(entry->ut_line, name + strlen("/dev/"), sizeof(entry->ut_line)) != 0)
			continue;
		inet_ntop(v6 ? AF_INET6 : AF_INET, address, login.client, sizeof(login.client));
		break;
	}
	endutxent();
}

void login_remember(void)
{
	const char *value = getenv(SSH_VARIABLE);
	int pid = getppid();

	if (value) {
		take(value);
		return;
	}
	for (int i = 0; i < ANCESTORS_MOST && pid > 1; i++, pid = parent_of(pid))
		if (take_from_environment_of(pid))
			return;
	take_from_terminal();
}

/*
 * login() -> { client =, client_port =, server =, server_port = } of the connection that the program is used
 * over, what is not known absent; nil when it is used at the machine itself
 */
static int login_login(lua_State *L)
{
	if (!login.client[0])
		return 0;
	lua_createtable(L, 0, 4);
	lua_pushstring(L, login.client);
	lua_setfield(L, -2, "client");
	if (!login.server[0])
		return 1;
	lua_pushstring(L, login.server);
	lua_setfield(L, -2, "server");
	lua_pushinteger(L, login.client_port);
	lua_setfield(L, -2, "client_port");
	lua_pushinteger(L, login.server_port);
	lua_setfield(L, -2, "server_port");
	return 1;
}

const luaL_Reg sys_login[] = {
	{ "login", login_login },
	{ NULL, NULL },
};
