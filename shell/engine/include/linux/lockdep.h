/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims about locks, which are checked. */
#ifndef IPFI_ENGINE_LINUX_LOCKDEP_H
#define IPFI_ENGINE_LINUX_LOCKDEP_H

#include <linux/bug.h>

#define lockdep_is_held(lock) (!!(lock)->held)
#define lockdep_assert_held(lock) BUG_ON(!(lock)->held)
#define lockdep_assert_not_held(lock) BUG_ON((lock)->held)

#endif
