// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's log, as far as a world keeps it, and the kernel's way to write addresses. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#undef htons
#undef htonl
#undef ntohs
#undef ntohl

#include <linux/bug.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "shell/engine/world.h"

#undef snprintf

#define LINE_MOST 1024

ssize_t strscpy(char *to, const char *from, size_t size)
{
	const size_t length = strnlen(from, size);

	if (!size)
		return -E2BIG;
	if (length == size) {
		memcpy(to, from, size - 1);
		to[size - 1] = '\0';
		return -E2BIG;
	}
	memcpy(to, from, length + 1);
	return (ssize_t)length;
}

/* The conversion that ends at *@conversion: flags, width and length are the C library's to read. */
static int print_one(char *text, size_t size, const char *conversion, size_t length, va_list *args)
{
	char format[32];

	if (length >= sizeof(format))
		return 0;
	memcpy(format, conversion, length);
	format[length] = '\0';
	switch (format[length - 1]) {
	case 's':
		return snprintf(text, size, format, va_arg(*args, const char *));
	case 'd':
	case 'u':
	case 'x':
	case 'c':
		if (strchr(format, 'l'))
			return snprintf(text, size, format, va_arg(*args, long long));
		return snprintf(text, size, format, va_arg(*args, int));
	default:
		return snprintf(text, size, "%s", format);
	}
}

/* %pI4 and %pI6c. */
static int print_address(char *text, size_t size, bool v6, va_list *args)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(v6 ? AF_INET6 : AF_INET, va_arg(*args, const void *), address, sizeof(address));
	return snprintf(text, size, "%s", address);
}

static int print_all(char *text, size_t size, const char *format, va_list *args)
{
	size_t at = 0, length;
	int put;

	while (*format) {
		char *to = at < size ? text + at : NULL;
		size_t room = at < size ? size - at : 0;

		if (*format != '%') {
			length = strcspn(format, "%");
			put = snprintf(to, room, "%.*s", (int)length, format);
		} else if (format[1] == '%') {
			length = 2;
			put = snprintf(to, room, "%%");
		} else if (strncmp(format, "%pI6c", 5) == 0) {
			length = 5;
			put = print_address(to, room, true, args);
		} else if (strncmp(format, "%pI4", 4) == 0) {
			length = 4;
			put = print_address(to, room, false, args);
		} else {
			length = 1 + strspn(format + 1, "0123456789.-+ #lhz");
			length += format[length] != '\0';
			put = print_one(to, room, format, length, args);
		}
		at += (size_t)put;
		format += length;
	}
	return (int)at;
}

int print_text(char *text, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = print_all(text, size, format, &args);
	va_end(args);
	return length;
}

/* One that does not fit into memory is not said. */
static void keep(const char *text, size_t length)
{
	struct line *line = malloc(sizeof(*line) + length + 1);

	if (!line)
		return;
	memcpy(line->text, text, length);
	line->text[length] = '\0';
	list_add_tail(&line->entry, &world->said);
}

void print_line(const char *format, ...)
{
	char text[LINE_MOST];
	va_list args;
	size_t length;

	va_start(args, format);
	print_all(text, sizeof(text), format, &args);
	va_end(args);
	length = strcspn(text, "\n");
	if (world)
		keep(text, length);
}

const char *engine_said(struct engine_world *one)
{
	free(one->told);
	one->told = list_first_entry_or_null(&one->said, struct line, entry);
	if (!one->told)
		return NULL;
	list_del(&one->told->entry);
	return one->told->text;
}

static unsigned long warnings;

unsigned long engine_warnings(void)
{
	return warnings;
}

void bug_warn(const char *file, int line, const char *condition, bool first)
{
	warnings++;
	if (first)
		print_line("WARNING: %s:%d: %s", file, line, condition);
}

void bug_die(const char *file, int line, const char *condition)
{
	fprintf(stderr, "ipfi: the built-in engine: BUG: %s:%d: %s\n", file, line, condition);
	abort();
}
