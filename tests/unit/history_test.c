// SPDX-License-Identifier: GPL-2.0-or-later
/* The prompt's history: what is kept, in memory and in its file. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <readline/history.h>

#include "shell/terminal/history.h"

static char directory[64], path[128];

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/ipfi-history-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/history", directory);
	history_prepare();
	clear_history();
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void write_file(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static mode_t mode_of_file(void)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

/* The Nth entry, from 0. */
static const char *entry(int number)
{
	const HIST_ENTRY *found = history_get(history_base + number);

	return found ? found->line : NULL;
}

static void test_kept(void **state)
{
	(void)state;
	assert_int_equal(history_open(path), 0);
	assert_int_equal(access(path, F_OK), -1);
	history_keep("first");
	assert_int_equal(mode_of_file(), 0600);
	history_keep("first");
	history_keep(" with a blank");
	history_keep("\twith a tab");
	history_keep("");
	history_keep("for i = 1, 2 do\n  print(i)\nend");
	history_keep("first");
	assert_int_equal(history_length, 3);
	/* And comes back, lines together. */
	assert_int_equal(history_open(path), 0);
	assert_int_equal(history_length, 3);
	assert_string_equal(entry(0), "first");
	assert_string_equal(entry(1), "for i = 1, 2 do\n  print(i)\nend");
	assert_string_equal(entry(2), "first");
}

static void test_several_prompts(void **state)
{
	enum { PROMPTS = 4, LINES = 500 };
	char line[64];
	int seen = 0;

	(void)state;
	for (int prompt = 0; prompt < PROMPTS; prompt++) {
		if (fork() != 0)
			continue;
		if (history_open(path) != 0)
			_exit(1);
		for (int i = 0; i < LINES; i++) {
			snprintf(line, sizeof(line), "prompt %d\nline %d", prompt, i);
			history_keep(line);
		}
		_exit(0);
	}
	for (int prompt = 0; prompt < PROMPTS; prompt++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(history_open(path), 0);
	assert_int_equal(history_length, PROMPTS * LINES);
	for (int i = 0; i < history_length; i++) {
		int prompt, number;

		seen += sscanf(entry(i), "prompt %d\nline %d", &prompt, &number) == 2;
	}
	assert_int_equal(seen, PROMPTS * LINES);
}

static void test_bounded(void **state)
{
	const size_t room = 12000 * 32;
	char *text = malloc(room);
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 12000; i++)
		len += (size_t)snprintf(text + len, room - len, "#17000%05d\nline %d\n", i, i);
	write_file(text, len);
	free(text);
	assert_int_equal(history_open(path), 0);
	assert_int_equal(history_length, 5000);
	assert_string_equal(entry(4999), "line 11999");
	assert_int_equal(mode_of_file(), 0600);
	history_keep("one more");
	assert_int_equal(history_length, 5000);
	/* The file is short now, and nothing that was kept has gone. */
	assert_int_equal(history_open(path), 0);
	assert_string_equal(entry(history_length - 1), "one more");
	assert_string_equal(entry(history_length - 2), "line 11999");
	clear_history();
	unstifle_history();
	assert_int_equal(read_history(path), 0);
	assert_int_equal(history_length, 5001);
}

static void test_refused(void **state)
{
	(void)state;
	/* A pipe, which would keep a reader waiting. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(history_open(path), -EPERM);
	history_keep("kept in memory");
	assert_int_equal(history_length, 1);
	unlink(path);
	assert_int_equal(history_open("/nonexistent/history"), 0);
	history_keep("and goes on");
	assert_int_equal(history_length, 2);
	if (geteuid() == 0) {
		write_file("theirs\n", 7);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(history_open(path), -EPERM);
		history_keep("ours");
		assert_int_equal(chmod(path, 0644), 0);
		clear_history();
		assert_int_equal(read_history(path), 0);
		assert_int_equal(history_length, 1);
		assert_string_equal(entry(0), "theirs");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_several_prompts, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_bounded, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_refused, make_directory, remove_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
