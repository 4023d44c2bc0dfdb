/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks while compiling. */
#ifndef IPFI_ENGINE_LINUX_BUILD_BUG_H
#define IPFI_ENGINE_LINUX_BUILD_BUG_H

#ifndef static_assert
#define static_assert _Static_assert
#endif
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)

#endif
