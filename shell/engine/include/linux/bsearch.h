/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Search in what is sorted. Not the C library's, which wants an array where there is nothing to search either. */
#ifndef IPFI_ENGINE_LINUX_BSEARCH_H
#define IPFI_ENGINE_LINUX_BSEARCH_H

#include <linux/types.h>
#include <stdlib.h>

static inline void *bsearch_(const void *key, const void *base, size_t count, size_t size,
			     int (*compare)(const void *key, const void *element))
{
	const char *first = base;

	while (count) {
		const char *middle = first + count / 2 * size;
		int order = compare(key, middle);

		if (!order)
			return (void *)middle;
		if (order > 0) {
			first = middle + size;
			count--;
		}
		count /= 2;
	}
	return NULL;
}

#define bsearch(key, base, count, size, compare) bsearch_(key, base, count, size, compare)

#endif
