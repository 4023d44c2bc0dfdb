/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done once. */
#ifndef IPFI_ENGINE_LINUX_ONCE_H
#define IPFI_ENGINE_LINUX_ONCE_H

#include <linux/random.h>

#define net_get_random_once(to, size)              \
	do {                                       \
		static bool done_;                 \
		if (!done_)                        \
			get_random_bytes(to, size); \
		done_ = true;                      \
	} while (0)
#define get_random_once(to, size) net_get_random_once(to, size)

#endif
