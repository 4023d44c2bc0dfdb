/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's messages: kept by the world that is running (../world.h), without a rate of their own. */
#ifndef IPFI_ENGINE_LINUX_PRINTK_H
#define IPFI_ENGINE_LINUX_PRINTK_H

#include <linux/types.h>

#ifndef pr_fmt
#define pr_fmt(format) format
#endif

/* @format as print_text() takes it. */
void print_line(const char *format, ...);

/*
 * As snprintf(3), for what the module prints: %s %u %d %c %x with l and ll, %%, and the kernel's %pI4 and %pI6c, an
 * address in network byte order.
 */
int print_text(char *text, size_t size, const char *format, ...);
#define snprintf print_text
#define scnprintf print_text

#define pr_err(format, ...) print_line(pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) print_line(pr_fmt(format), ##__VA_ARGS__)
#define pr_notice(format, ...) print_line(pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) print_line(pr_fmt(format), ##__VA_ARGS__)
#define pr_debug(format, ...) do { } while (0)
#define pr_warn_once(format, ...)                              \
	do {                                                   \
		static bool said_;                             \
		if (!said_)                                    \
			pr_warn(format, ##__VA_ARGS__);        \
		said_ = true;                                  \
	} while (0)

#endif
