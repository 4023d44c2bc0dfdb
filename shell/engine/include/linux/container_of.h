/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a member to what holds it. */
#ifndef IPFI_ENGINE_LINUX_CONTAINER_OF_H
#define IPFI_ENGINE_LINUX_CONTAINER_OF_H

#include <stddef.h>

#define container_of(pointer, type, member)                                      \
	({                                                                       \
		const volatile void *member_ = (pointer);                        \
		(type *)((unsigned long)member_ - offsetof(type, member));       \
	})

#endif
