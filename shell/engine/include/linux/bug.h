/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must not be. A condition that the module warns of is said like the kernel's own messages and counted; what would hang or corrupt a kernel ends the program. */
#ifndef IPFI_ENGINE_LINUX_BUG_H
#define IPFI_ENGINE_LINUX_BUG_H

#include <linux/compiler.h>
#include <linux/types.h>

/* The module's WARN_ON_ONCE(): counted each time, and said if it is the @first of its place in this process. */
void bug_warn(const char *file, int line, const char *condition, bool first);

/* Does not return. */
void bug_die(const char *file, int line, const char *condition) __attribute__((__noreturn__));

#define WARN_ON_ONCE(condition)                                        \
	({                                                             \
		static bool warned_;                                   \
		bool met_ = (condition);                               \
		if (unlikely(met_)) {                                  \
			bug_warn(__FILE__, __LINE__, #condition, !warned_); \
			warned_ = true;                                \
		}                                                      \
		met_;                                                  \
	})
#define WARN_ON(condition) WARN_ON_ONCE(condition)
#define BUG_ON(condition)                                          \
	do {                                                       \
		if (unlikely(condition))                           \
			bug_die(__FILE__, __LINE__, #condition);   \
	} while (0)

#endif
