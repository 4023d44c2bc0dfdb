/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options: the command line, checked before Lua starts.
 */
#ifndef IPFI_SHELL_OPTIONS_H
#define IPFI_SHELL_OPTIONS_H

#include <stdbool.h>

#include <lua.h>

/* Exit statuses that the C side gives itself; the others are Lua's business. */
enum status {
	STATUS_DONE = 0,
	STATUS_LUA = 1,
	STATUS_USAGE = 2,
	STATUS_REFUSED = 4,
	STATUS_NOT_PERMITTED = 77,
	STATUS_INTERRUPTED = 130,
};

/* A list of option arguments, in the order given; pointers into argv. */
struct words {
	const char **words;
	int count;
};

struct options {
	const char *policy;   /* -f */
	const char *import_legacy; /* the directory */
	const char *compile;  /* the file that gets the messages; NULL: they are sent */
	const char *apply;    /* a file of messages to send */
	int confirm;          /* seconds; 0: none */
	struct words expr;    /* -e */
	struct words modules; /* -l */
	const char *color, *states;
	double lock_wait; /* seconds */
	int verbose;
	bool check, plan, exit_code, sim, interactive, version, quiet, json, syslog, rmmod;
	const char *script; /* NULL: none */
	char **args;	    /* of the script or the policy, ended by NULL */
};

/*
 * Reads argv. Returns -1 to go on, or the status to exit with: 0 after --help, 2 after a mistake
 * that it has named on stderr. options must be freed in either case.
 */
int options_parse(struct options *options, int argc, char **argv);

void options_free(struct options *options);

/* Pushes the options as the table that ipfi.main gets; fields that were not given are absent. */
void options_push(lua_State *L, const struct options *options);

#endif
