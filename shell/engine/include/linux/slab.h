/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: malloc's. */
#ifndef IPFI_ENGINE_LINUX_SLAB_H
#define IPFI_ENGINE_LINUX_SLAB_H

#include <linux/types.h>
#include <stdlib.h>

#define GFP_KERNEL 0U
#define GFP_KERNEL_ACCOUNT 0U
#define GFP_ATOMIC 0U
#define GFP_NOWAIT 0U
#define __GFP_NOWARN 0U
#define __GFP_ACCOUNT 0U
#define __GFP_ZERO 0U

#define kmalloc(size, flags) malloc(size)
#define kzalloc(size, flags) calloc(1, size)
#define kcalloc(count, size, flags) calloc(count, size)
#define kmalloc_array(count, size, flags) reallocarray(NULL, count, size)
#define krealloc(old, size, flags) realloc(old, size)
#define krealloc_array(old, count, size, flags) reallocarray(old, count, size)
#define kvmalloc(size, flags) malloc(size)
#define kvzalloc(size, flags) calloc(1, size)
#define kvcalloc(count, size, flags) calloc(count, size)
#define kvmalloc_array(count, size, flags) reallocarray(NULL, count, size)
#define kfree(object) free((void *)(object))
#define kvfree(object) free((void *)(object))
#define vfree(object) free((void *)(object))
#define vzalloc(size) calloc(1, size)
#define kstrdup(text, flags) strdup(text)
#define kmemdup(from, size, flags)                                   \
	({                                                           \
		void *copy_ = malloc(size);                          \
		copy_ ? memcpy(copy_, from, size) : NULL;            \
	})

#define struct_size(pointer, member, count) \
	(sizeof(*(pointer)) + (size_t)(count) * sizeof((pointer)->member[0]))
#define array_size(count, size) ((size_t)(count) * (size))

/* A cache knows the size of its objects. */
struct kmem_cache;
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*construct)(void *object));
void kmem_cache_destroy(struct kmem_cache *cache);
unsigned int kmem_cache_size(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags);
void kmem_cache_free(struct kmem_cache *cache, void *object);
#define KMEM_CACHE(type, flags) \
	kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)

#endif
