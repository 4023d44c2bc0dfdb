// SPDX-License-Identifier: GPL-2.0-or-later
/* The shell's command line: what is understood, and what is a mistake. */
#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/options.h"

#define WORDS_MOST 16
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char words[256];
static char *argv[WORDS_MOST];

/* Sends what is written to fd to nowhere; returns what brings it back. */
static int silence(int fd)
{
	int kept = dup(fd), nowhere = open("/dev/null", O_WRONLY);

	assert_true(kept >= 0 && nowhere >= 0);
	dup2(nowhere, fd);
	close(nowhere);
	return kept;
}

static void restore(int fd, int kept)
{
	dup2(kept, fd);
	close(kept);
}

/* Parses a command line whose words stand between blanks. */
static int parse(struct options *options, const char *line)
{
	int argc = 0, out, err, status;

	assert_true(strlen(line) < sizeof(words));
	strcpy(words, line);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		assert_true(argc < WORDS_MOST - 1);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	optind = 0;
	/* Help and mistakes are written there. */
	fflush(stdout);
	out = silence(STDOUT_FILENO);
	err = silence(STDERR_FILENO);
	status = options_parse(options, argc, argv);
	fflush(stdout);
	restore(STDOUT_FILENO, out);
	restore(STDERR_FILENO, err);
	return status;
}

static void test_mistakes(void **state)
{
	static const char *const lines[] = {
		"ipfi -x",
		"ipfi --nonsense",
		"ipfi -e",
		"ipfi -f",
		"ipfi -c",
		"ipfi --states=keep",
		"ipfi -f a -c --states=keep",
		"ipfi -f a --states=drop",
		"ipfi -f a -f b",
		"ipfi --color=pink",
		"ipfi --color",
		"ipfi --lock-wait=soon",
		"ipfi --lock-wait=-1",
		"ipfi --lock-wait=nan",
		"ipfi --lock-wait=1x",
		"ipfi --lock-wait=86401",
		"ipfi -q -v",
		"ipfi --rmmod=now",
		"ipfi -n",
		"ipfi --compile=x",
		"ipfi -f a --exit-code",
		"ipfi -f a -c -n",
		"ipfi -f a -n --compile=x",
		"ipfi -f a --apply=x",
		"ipfi --apply=x --apply=y",
		"ipfi --confirm=60",
		"ipfi -f a -n --confirm=60",
		"ipfi -f a --confirm=0",
		"ipfi -f a --confirm=86401",
		"ipfi -f a --confirm=1.5",
		"ipfi -f a --confirm=",
	};
	struct options options;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		if (parse(&options, lines[i]) != STATUS_USAGE)
			fail_msg("'%s' is a mistake", lines[i]);
		options_free(&options);
	}
	assert_int_equal(parse(&options, "ipfi --help -x"), STATUS_DONE);
	options_free(&options);
	assert_int_equal(parse(&options, "ipfi -h"), STATUS_DONE);
	options_free(&options);
}

static void test_policy(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "ipfi -f gw.lua --states=keep --lock-wait=2.5 a -c b"),
			 -1);
	assert_string_equal(options.policy, "gw.lua");
	assert_string_equal(options.states, "keep");
	assert_true(options.lock_wait == 2.5);
	assert_false(options.check);
	assert_null(options.script);
	assert_string_equal(options.args[0], "a");
	assert_string_equal(options.args[1], "-c");
	assert_string_equal(options.args[2], "b");
	assert_null(options.args[3]);
	options_free(&options);

	/* As the kernel starts "#!/usr/sbin/ipfi -f". */
	assert_int_equal(parse(&options, "ipfi -f ./gw.lua -c -- --lan"), -1);
	assert_string_equal(options.policy, "./gw.lua");
	assert_true(options.check);
	assert_string_equal(options.args[0], "--lan");
	options_free(&options);
}

static void test_ways_of_a_policy(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "ipfi -f a --confirm=60"), -1);
	assert_int_equal(options.confirm, 60);
	options_free(&options);
	assert_int_equal(parse(&options, "ipfi --sim -f a -n --exit-code"), -1);
	assert_true(options.sim && options.plan && options.exit_code);
	options_free(&options);
	assert_int_equal(parse(&options, "ipfi -f a --compile=-"), -1);
	assert_string_equal(options.compile, "-");
	options_free(&options);
	assert_int_equal(parse(&options, "ipfi --apply=boot.nl --confirm=86400"), -1);
	assert_string_equal(options.apply, "boot.nl");
	assert_int_equal(options.confirm, 86400);
	options_free(&options);
}

static void test_script(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "ipfi -jq script.lua -rmmod -e x"), -1);
	assert_true(options.json && options.quiet);
	assert_false(options.rmmod);
	assert_string_equal(options.script, "script.lua");
	assert_string_equal(options.args[0], "-rmmod");
	assert_string_equal(options.args[2], "x");
	assert_int_equal(options.expr.count, 0);
	options_free(&options);

	assert_int_equal(parse(&options, "ipfi - x"), -1);
	assert_string_equal(options.script, "-");
	options_free(&options);
}

static void test_statements_and_modules(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "ipfi -e one -l mod -etwo -vv -i --syslog --version"), -1);
	assert_int_equal(options.expr.count, 2);
	assert_string_equal(options.expr.words[0], "one");
	assert_string_equal(options.expr.words[1], "two");
	assert_int_equal(options.modules.count, 1);
	assert_string_equal(options.modules.words[0], "mod");
	assert_int_equal(options.verbose, 2);
	assert_true(options.interactive && options.syslog && options.version);
	assert_null(options.script);
	assert_null(options.args[0]);
	options_free(&options);
}

static void test_rmmod(void **state)
{
	static const char *const lines[] = { "ipfi --rmmod", "ipfi -rmmod", "ipfi -v -rmmod -j",
					     "ipfi -e -rmmod -rmmod" };
	struct options options;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_int_equal(parse(&options, lines[i]), -1);
		assert_true(options.rmmod);
		options_free(&options);
	}
	/* The argument of an option is no option. */
	assert_int_equal(parse(&options, "ipfi -e -rmmod"), -1);
	assert_false(options.rmmod);
	assert_string_equal(options.expr.words[0], "-rmmod");
	options_free(&options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes), cmocka_unit_test(test_policy),
		cmocka_unit_test(test_ways_of_a_policy),
		cmocka_unit_test(test_script),	 cmocka_unit_test(test_statements_and_modules),
		cmocka_unit_test(test_rmmod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
