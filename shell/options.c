// SPDX-License-Identifier: GPL-2.0-or-later
/* options: see options.h. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ipfi.h>

#include "shell/options.h"

/* Options without a letter. */
enum {
	OPT_APPLY = 256,
	OPT_COLOR,
	OPT_COMPILE,
	OPT_CONFIRM,
	OPT_EXIT_CODE,
	OPT_HELP,
	OPT_IMPORT_LEGACY,
	OPT_LOCK_WAIT,
	OPT_RMMOD,
	OPT_SIM,
	OPT_STATES,
	OPT_SYSLOG,
	OPT_VERSION
};

/* The longest wait for the lock: a day. */
#define LOCK_WAIT_MOST 86400.0

static const char usage_text[] =
	"usage: ipfi [options] [script [arg...]]\n"
	"Without a script: the prompt on a terminal, else the script is read from standard input.\n"
	"\n"
	"  -f POLICY [arg...]      check and commit a policy file\n"
	"  -c                      with -f: check only\n"
	"  -n                      with -f: plan only, what would change; --exit-code: 10 if anything\n"
	"  --confirm=SECONDS       with -f: the kernel takes the commit back unless it is confirmed\n"
	"  --states=recheck|keep|flush\n"
	"                          with -f: what the commit does with live states\n"
	"  --compile=FILE          with -f: write the netlink messages instead of sending them\n"
	"  --apply=FILE            send the messages of such a file\n"
	"  --sim                   the built-in engine serves every call: no module, no root\n"
	"  --import-legacy=DIR     print the policy that the original's rule files become\n"
	"  -e STAT                 run a Lua statement; may be given often\n"
	"  -l MOD                  load a Lua module; may be given often\n"
	"  -i                      the prompt, after the rest\n"
	"  -v                      say what is done\n"
	"  -q                      say errors only\n"
	"  -j                      JSON lines\n"
	"  --color=auto|always|never\n"
	"  --syslog                errors to the system log too\n"
	"  --lock-wait=SECONDS     wait for another ipfi that is committing\n"
	"  --rmmod                 remove the kernel module after leaving (root)\n"
	"  --version  -h, --help\n";

static int mistake(const char *what, const char *value)
{
	fprintf(stderr, "ipfi: %s%s%s\nTry 'ipfi --help'.\n", what, value ? ": " : "",
		value ? value : "");
	return STATUS_USAGE;
}

/* One of the names in a list ended by NULL. */
static bool one_of(const char *value, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(value, *names) == 0)
			return true;
	return false;
}

static int add_word(struct words *list, const char *word)
{
	const char **words = realloc(list->words, (size_t)(list->count + 1) * sizeof(*words));

	if (!words)
		return mistake("not enough memory", NULL);
	list->words = words;
	list->words[list->count++] = word;
	return -1;
}

static int parse_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end == text || *end || !(*seconds >= 0 && *seconds <= LOCK_WAIT_MOST))
		return mistake("--lock-wait wants seconds, from 0 to 86400", text);
	return -1;
}

/* IPFI_CONFIRM_MAX bounds what the kernel takes. */
static int parse_confirm(const char *text, int *seconds)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 1 || value > IPFI_CONFIRM_MAX)
		return mistake("--confirm wants whole seconds, from 1 to 86400", text);
	*seconds = (int)value;
	return -1;
}

static int parse_choice(const char **choice, const char *option, const char *value,
			const char *const *names)
{
	if (!one_of(value, names))
		return mistake(option, value);
	*choice = value;
	return -1;
}

static int parse_one(struct options *options, int option)
{
	static const char *const colors[] = { "auto", "always", "never", NULL };
	static const char *const states[] = { "recheck", "keep", "flush", NULL };

	switch (option) {
	case 'f':
		if (options->policy)
			return mistake("one -f only", NULL);
		options->policy = optarg;
		break;
	case 'c':
		options->check = true;
		break;
	case 'n':
		options->plan = true;
		break;
	case 'e':
		return add_word(&options->expr, optarg);
	case 'l':
		return add_word(&options->modules, optarg);
	case 'i':
		options->interactive = true;
		break;
	case 'v':
		options->verbose++;
		break;
	case 'q':
		options->quiet = true;
		break;
	case 'j':
		options->json = true;
		break;
	case OPT_COLOR:
		return parse_choice(&options->color, "--color is auto, always or never", optarg,
				    colors);
	case OPT_STATES:
		return parse_choice(&options->states, "--states is recheck, keep or flush", optarg,
				    states);
	case OPT_APPLY:
		if (options->apply)
			return mistake("one --apply only", NULL);
		options->apply = optarg;
		break;
	case OPT_COMPILE:
		if (options->compile)
			return mistake("one --compile only", NULL);
		options->compile = optarg;
		break;
	case OPT_CONFIRM:
		return parse_confirm(optarg, &options->confirm);
	case OPT_EXIT_CODE:
		options->exit_code = true;
		break;
	case OPT_SIM:
		options->sim = true;
		break;
	case OPT_IMPORT_LEGACY:
		if (options->import_legacy)
			return mistake("one --import-legacy only", NULL);
		options->import_legacy = optarg;
		break;
	case OPT_LOCK_WAIT:
		return parse_seconds(optarg, &options->lock_wait);
	case OPT_SYSLOG:
		options->syslog = true;
		break;
	case OPT_RMMOD:
		options->rmmod = true;
		break;
	case OPT_VERSION:
		options->version = true;
		break;
	case 'h':
	case OPT_HELP:
		fputs(usage_text, stdout);
		return STATUS_DONE;
	default:
		fputs("Try 'ipfi --help'.\n", stderr);
		return STATUS_USAGE;
	}
	return -1;
}

/* What makes sense only together. */
static int check_combination(const struct options *options)
{
	const bool commits = options->policy && !options->check && !options->plan && !options->compile;

	if (options->plan && !options->policy)
		return mistake("-n needs -f", NULL);
	if (options->exit_code && !options->plan)
		return mistake("--exit-code needs -n", NULL);
	if (options->compile && !options->policy)
		return mistake("--compile needs -f", NULL);
	if (options->check + options->plan + !!options->compile > 1)
		return mistake("-c, -n and --compile exclude each other", NULL);
	if (options->apply && options->policy)
		return mistake("--apply stands without a policy", NULL);
	if (options->confirm && !commits && !options->apply)
		return mistake("--confirm needs a commit: -f or --apply", NULL);
	if (options->check && !options->policy)
		return mistake("-c needs -f", NULL);
	if (options->states && !options->policy)
		return mistake("--states needs -f", NULL);
	if (options->states && options->check)
		return mistake("--states and -c exclude each other", NULL);
	if (options->import_legacy && (options->policy || options->script))
		return mistake("--import-legacy stands without a policy or a script", NULL);
	if (options->quiet && options->verbose)
		return mistake("-q and -v exclude each other", NULL);
	return -1;
}

int options_parse(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{ "apply", required_argument, NULL, OPT_APPLY },
		{ "color", required_argument, NULL, OPT_COLOR },
		{ "compile", required_argument, NULL, OPT_COMPILE },
		{ "confirm", required_argument, NULL, OPT_CONFIRM },
		{ "exit-code", no_argument, NULL, OPT_EXIT_CODE },
		{ "help", no_argument, NULL, OPT_HELP },
		{ "import-legacy", required_argument, NULL, OPT_IMPORT_LEGACY },
		{ "lock-wait", required_argument, NULL, OPT_LOCK_WAIT },
		{ "rmmod", no_argument, NULL, OPT_RMMOD },
		{ "sim", no_argument, NULL, OPT_SIM },
		{ "states", required_argument, NULL, OPT_STATES },
		{ "syslog", no_argument, NULL, OPT_SYSLOG },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	static char name[] = "ipfi";
	int option, status;

	memset(options, 0, sizeof(*options));
	/* What getopt calls us in its messages. */
	if (argc > 0)
		argv[0] = name;
	for (;;) {
		int next = optind ? optind : 1;

		/* The one word with a single dash, from the days of old. */
		if (next < argc && strcmp(argv[next], "-rmmod") == 0) {
			options->rmmod = true;
			optind = next + 1;
			continue;
		}
		/* "+": what follows the first word belongs to the script or policy. */
		option = getopt_long(argc, argv, "+f:cne:l:ivqjh", names, NULL);
		if (option == -1)
			break;
		status = parse_one(options, option);
		if (status >= 0)
			return status;
	}
	if (!options->policy && optind < argc)
		options->script = argv[optind++];
	options->args = argv + optind;
	return check_combination(options);
}

void options_free(struct options *options)
{
	free(options->expr.words);
	free(options->modules.words);
}

static void push_words(lua_State *L, const struct words *list, const char *name)
{
	lua_createtable(L, list->count, 0);
	for (int i = 0; i < list->count; i++) {
		lua_pushstring(L, list->words[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, name);
}

static void push_string(lua_State *L, const char *value, const char *name)
{
	if (!value)
		return;
	lua_pushstring(L, value);
	lua_setfield(L, -2, name);
}

static void push_flag(lua_State *L, bool value, const char *name)
{
	lua_pushboolean(L, value);
	lua_setfield(L, -2, name);
}

void options_push(lua_State *L, const struct options *options)
{
	lua_createtable(L, 0, 16);
	push_string(L, options->policy, "policy");
	push_words(L, &options->expr, "expr");
	push_words(L, &options->modules, "modules");
	push_string(L, options->color ? options->color : "auto", "color");
	push_string(L, options->states, "states");
	push_string(L, options->import_legacy, "import_legacy");
	push_string(L, options->compile, "compile");
	push_string(L, options->apply, "apply");
	push_string(L, options->script, "script");
	push_flag(L, options->check, "check");
	push_flag(L, options->plan, "plan");
	push_flag(L, options->exit_code, "exit_code");
	push_flag(L, options->sim, "sim");
	push_flag(L, options->interactive, "interactive");
	push_flag(L, options->version, "version");
	push_flag(L, options->quiet, "quiet");
	push_flag(L, options->json, "json");
	push_flag(L, options->syslog, "syslog");
	push_flag(L, options->rmmod, "rmmod");
	if (options->confirm) {
		lua_pushinteger(L, options->confirm);
		lua_setfield(L, -2, "confirm");
	}
	lua_pushinteger(L, options->verbose);
	lua_setfield(L, -2, "verbose");
	lua_pushnumber(L, options->lock_wait);
	lua_setfield(L, -2, "lock_wait");
	lua_newtable(L);
	for (int i = 0; options->args[i]; i++) {
		lua_pushstring(L, options->args[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "args");
}
