/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hints for the cache. */
#ifndef IPFI_ENGINE_LINUX_PREFETCH_H
#define IPFI_ENGINE_LINUX_PREFETCH_H

#define prefetch(at) __builtin_prefetch(at)
#define prefetchw(at) __builtin_prefetch(at, 1)

#endif
