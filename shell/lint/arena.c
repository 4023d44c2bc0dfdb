// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_arena: memory handed out in order. See lint_arena.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shell/lint/arena.h"

#define CHUNK_LEAST ((size_t)256 << 10)
#define ALIGNMENT _Alignof(max_align_t)

struct lint_chunk {
	struct lint_chunk *older;
	size_t size;
	_Alignas(max_align_t) unsigned char data[];
};

static struct lint_chunk *take_spare(struct lint_arena *arena, size_t bytes)
{
	struct lint_chunk *chunk = arena->spare;

	if (!chunk || chunk->size < bytes)
		return NULL;
	arena->spare = chunk->older;
	return chunk;
}

static void add_chunk(struct lint_arena *arena, size_t bytes)
{
	struct lint_chunk *chunk = take_spare(arena, bytes);
	size_t size = bytes > CHUNK_LEAST ? bytes : CHUNK_LEAST;

	if (!chunk) {
		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk)
			longjmp(*arena->full, 1);
		chunk->size = size;
	}
	chunk->older = arena->newest;
	arena->newest = chunk;
	arena->used = 0;
}

void *lint_alloc(struct lint_arena *arena, size_t bytes)
{
	void *at;

	if (bytes > SIZE_MAX / 2)
		longjmp(*arena->full, 1);
	bytes = (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (!arena->newest || bytes > arena->newest->size - arena->used)
		add_chunk(arena, bytes);
	at = arena->newest->data + arena->used;
	arena->used += bytes;
	return at;
}

void *lint_zalloc(struct lint_arena *arena, size_t count, size_t bytes)
{
	size_t all;

	if (__builtin_mul_overflow(count, bytes, &all))
		longjmp(*arena->full, 1);
	return memset(lint_alloc(arena, all), 0, all);
}

struct lint_mark lint_mark(const struct lint_arena *arena)
{
	return (struct lint_mark){ arena->newest, arena->used };
}

void lint_release(struct lint_arena *arena, struct lint_mark mark)
{
	while (arena->newest != mark.newest) {
		struct lint_chunk *chunk = arena->newest;

		arena->newest = chunk->older;
		chunk->older = arena->spare;
		arena->spare = chunk;
	}
	arena->used = mark.used;
}

static void free_chunks(struct lint_chunk *chunk)
{
	while (chunk) {
		struct lint_chunk *older = chunk->older;

		free(chunk);
		chunk = older;
	}
}

void lint_arena_free(struct lint_arena *arena)
{
	free_chunks(arena->newest);
	free_chunks(arena->spare);
	arena->newest = NULL;
	arena->spare = NULL;
	arena->used = 0;
}
