/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's types beside those of its own header for programs. */
#ifndef IPFI_ENGINE_LINUX_TYPES_H
#define IPFI_ENGINE_LINUX_TYPES_H

#include_next <linux/types.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned int gfp_t;

#define U8_MAX UINT8_MAX
#define U16_MAX UINT16_MAX
#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX
#define S16_MAX INT16_MAX
#define S32_MAX INT32_MAX
#define S64_MAX INT64_MAX

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

/* Waits for a grace period (rcupdate.h): then done(owner) is called. */
struct rcu_head {
	struct rcu_head *next;
	void (*done)(void *owner);
	void *owner;
};

#endif
