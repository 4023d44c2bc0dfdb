/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks while compiling. */
#ifndef IPFI_ENGINE_LINUX_BUILD_BUG_H
#define IPFI_ENGINE_LINUX_BUILD_BUG_H

#ifndef static_assert
/* With a text or without, as the kernel's. */
#define static_assert(condition, ...) _Static_assert(condition, "" __VA_ARGS__)
#endif
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)

#endif
