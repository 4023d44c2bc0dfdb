// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * history: see history.h.
 *
 * The file is written under its lock (flock(2)), by appending whole entries. When it has grown to
 * twice what is kept, whoever reads it next puts a shorter one in its place; a writer therefore
 * looks, once it has the lock, whether the file it opened is still the one of that name.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <readline/history.h>

#include "shell/terminal/history.h"

/* Entries kept. */
#define HISTORY_MOST 5000

/* A file that is replaced so often while it is opened is given up. */
#define OPEN_TRIES 10

/* Of the open history; NULL: none. */
static char *history_path;

void history_prepare(void)
{
	using_history();
	stifle_history(HISTORY_MOST);
	/* Time stamps tell where an entry of several lines ends. */
	history_write_timestamps = 1;
	history_comment_char = '#';
}

/* Whether fd is the file of that name, and what it should be; -errno if not, -EAGAIN to retry. */
static int check_file(const char *path, int fd)
{
	struct stat status, named;

	if (fstat(fd, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
		return -EPERM;
	if (stat(path, &named) != 0 || named.st_dev != status.st_dev ||
	    named.st_ino != status.st_ino)
		return -EAGAIN;
	return 0;
}

/*
 * Opens the file and locks it; the lock ends when it is closed. Returns the descriptor, or -errno.
 */
static int open_locked(const char *path, int flags)
{
	int error = -EAGAIN;

	for (int i = 0; i < OPEN_TRIES && error == -EAGAIN; i++) {
		/* Not blocking: it might be a pipe that nobody writes to. */
		int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

		if (fd < 0)
			return -errno;
		/* A file that is no regular one is not waited for. */
		error = check_file(path, fd);
		if (!error && flock(fd, LOCK_EX) != 0)
			error = -errno;
		if (!error)
			error = check_file(path, fd);
		if (!error)
			return fd;
		close(fd);
	}
	return error;
}

/* Entries in the file as it was read. */
static int read_entries(const char *path)
{
	clear_history();
	/* All of them, to know how many there are. */
	unstifle_history();
	if (read_history(path) != 0)
		return -errno;
	return history_length;
}

int history_open(const char *path)
{
	char *copy;
	int fd, entries;

	free(history_path);
	history_path = NULL;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	fd = open_locked(path, O_RDWR);
	if (fd == -ENOENT) {
		history_path = copy;
		return 0;
	}
	if (fd < 0) {
		free(copy);
		return fd;
	}
	/* Others were to read it once, perhaps. */
	(void)fchmod(fd, 0600);
	entries = read_entries(path);
	if (entries > 2 * HISTORY_MOST)
		(void)history_truncate_file(path, HISTORY_MOST);
	stifle_history(HISTORY_MOST);
	close(fd);
	if (entries < 0) {
		free(copy);
		return entries;
	}
	history_path = copy;
	return 0;
}

/* Appends an entry in one write. A disk that is full costs the entry, not the prompt. */
static void append(const char *line)
{
	char stamp[32];
	size_t stamp_len, len = strlen(line);
	char *entry;
	int fd;

	fd = open_locked(history_path, O_WRONLY | O_APPEND | O_CREAT);
	if (fd < 0)
		return;
	stamp_len = (size_t)snprintf(stamp, sizeof(stamp), "#%lld\n", (long long)time(NULL));
	entry = malloc(stamp_len + len + 1);
	if (entry) {
		memcpy(entry, stamp, stamp_len);
		memcpy(entry + stamp_len, line, len);
		entry[stamp_len + len] = '\n';
		if (write(fd, entry, stamp_len + len + 1) < 0)
			errno = 0;
		free(entry);
	}
	close(fd);
}

void history_keep(const char *line)
{
	const HIST_ENTRY *last;

	if (!*line || isspace((unsigned char)*line))
		return;
	last = history_length ? history_get(history_base + history_length - 1) : NULL;
	if (last && strcmp(last->line, line) == 0)
		return;
	add_history(line);
	if (history_path)
		append(line);
}
