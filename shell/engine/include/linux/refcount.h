/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References. One more of what is dead, or one less than none, is a bug. */
#ifndef IPFI_ENGINE_LINUX_REFCOUNT_H
#define IPFI_ENGINE_LINUX_REFCOUNT_H

#include <linux/bug.h>
#include <linux/types.h>

typedef struct {
	u32 count;
} refcount_t;

static inline void refcount_set(refcount_t *r, u32 count)
{
	r->count = count;
}

static inline u32 refcount_read(const refcount_t *r)
{
	return r->count;
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	if (!r->count)
		return false;
	r->count++;
	return true;
}

static inline void refcount_inc(refcount_t *r)
{
	BUG_ON(!refcount_inc_not_zero(r));
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	BUG_ON(!r->count);
	return !--r->count;
}

#endif
