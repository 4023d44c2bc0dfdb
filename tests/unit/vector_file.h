/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the files of tests/vectors: lines, comments, numbers, and where a mistake stands. */
#ifndef IPFI_TESTS_VECTOR_FILE_H
#define IPFI_TESTS_VECTOR_FILE_H

#include <ctype.h>
#include <errno.h>
#include <glob.h>

#include "support.h"

#define LINE_LENGTH 512

static const char *reading_file;
static unsigned int reading_line;

static inline void __attribute__((noreturn, format(printf, 1, 2)))
malformed(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", reading_file, reading_line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* All of @text as a decimal number up to @most. */
static inline u32 number(const char *text, u32 most)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || value > most)
		malformed("'%s' is not a number up to %u", text, most);
	return (u32)value;
}

/* Gives @fn each line of a file that is not empty, without its comment. A '#' in quotes starts
 * none. */
static inline void read_vector_file(const char *path, void (*fn)(char *line))
{
	char line[LINE_LENGTH], *c;
	FILE *file = fopen(path, "r");
	bool quoted;

	reading_file = path;
	reading_line = 0;
	if (!file)
		malformed("%s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		reading_line++;
		if (!strchr(line, '\n'))
			malformed("no line may be as long");
		for (c = line, quoted = false; *c != '\n' && (quoted || *c != '#'); c++) {
			if (quoted && *c == '\\' && c[1] != '\n')
				c++;
			else if (*c == '"')
				quoted = !quoted;
		}
		while (c > line && c[-1] == ' ')
			c--;
		*c = '\0';
		if (*line)
			fn(line);
	}
	fclose(file);
}

/* The files that match @pattern, each read by @fn. Returns false, having said so, if there is none.
 */
static inline bool read_vector_files(const char *pattern, void (*fn)(char *line), glob_t *found)
{
	size_t i;

	if (glob(pattern, 0, NULL, found)) {
		fprintf(stderr, "no %s: not started at the top of the tree?\n", pattern);
		return false;
	}
	for (i = 0; i < found->gl_pathc; i++)
		read_vector_file(found->gl_pathv[i], fn);
	return true;
}

#endif /* IPFI_TESTS_VECTOR_FILE_H */
