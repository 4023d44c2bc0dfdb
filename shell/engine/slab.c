// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/bug.h>
#include <linux/slab.h>

struct kmem_cache {
	unsigned int size;
	unsigned int objects; /* that live */
};

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*construct)(void *object))
{
	struct kmem_cache *cache = calloc(1, sizeof(*cache));

	(void)name;
	(void)align;
	(void)flags;
	BUG_ON(construct);
	if (cache)
		cache->size = size;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	BUG_ON(cache && cache->objects);
	free(cache);
}

unsigned int kmem_cache_size(struct kmem_cache *cache)
{
	return cache->size;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags)
{
	void *object = malloc(cache->size);

	(void)flags;
	cache->objects += !!object;
	return object;
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags)
{
	void *object = calloc(1, cache->size);

	(void)flags;
	cache->objects += !!object;
	return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	BUG_ON(!cache->objects);
	cache->objects--;
	free(object);
}
