/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_arena: memory that is handed out in order and given back at once, all of it or down to a
 * mark, for the many small sets of a proof.
 */
#ifndef IPFI_SHELL_LINT_ARENA_H
#define IPFI_SHELL_LINT_ARENA_H

#include <setjmp.h>
#include <stddef.h>

struct lint_chunk;

/* All zero but full is an empty one. */
struct lint_arena {
	struct lint_chunk *newest, *spare;
	size_t used;   /* of the newest */
	jmp_buf *full; /* where lint_alloc() goes when there is no memory */
};

struct lint_mark {
	struct lint_chunk *newest;
	size_t used;
};

/* So many bytes, aligned for anything, with any content. Does not return without memory. */
void *lint_alloc(struct lint_arena *arena, size_t bytes);

/* The same, zeroed, for count things of that size. */
void *lint_zalloc(struct lint_arena *arena, size_t count, size_t bytes);

struct lint_mark lint_mark(const struct lint_arena *arena);

/* Gives back what was handed out since mark. Chunks are kept for later. */
void lint_release(struct lint_arena *arena, struct lint_mark mark);

/* Frees everything. */
void lint_arena_free(struct lint_arena *arena);

#endif
