// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_scale: IPv6 addresses and device names as numbers. See lint_scale.h. */
#include <ctype.h>
#include <stdlib.h>

#include "shell/lint/scale.h"

/* Multicast: no packet comes from there, so the scenes need its bound (RFC 4291 section 2.7). */
static const struct ipfi_addr multicast = { { 0xff000000, 0, 0, 0 } };

static int compare_addrs(const void *a, const void *b)
{
	return ipfi_addr_compare(a, b);
}

/* The address behind @addr; false behind the last one. */
static bool next_addr(struct ipfi_addr *addr)
{
	for (int i = 3; i >= 0; i--)
		if (++addr->w[i])
			return true;
	return false;
}

static u32 add_ranges(struct ipfi_addr *at, u32 count, const struct ipfi_addrs *addrs)
{
	for (u32 i = 0; i < addrs->v6_count; i++) {
		at[count++] = addrs->v6[i].from;
		at[count] = addrs->v6[i].to;
		if (next_addr(&at[count]))
			count++;
	}
	return count;
}

void lint_addr_scale(struct lint_arena *arena, struct lint_addr_scale *scale,
		     const struct ipfi_rule *rules, u32 count)
{
	size_t most = 2;
	u32 all = 0;

	for (u32 i = 0; i < count; i++)
		most += 2 * ((size_t)rules[i].src.v6_count + rules[i].dst.v6_count);
	scale->at = lint_zalloc(arena, most, sizeof(*scale->at));
	scale->at[all++] = (struct ipfi_addr){ { 0 } };
	scale->at[all++] = multicast;
	for (u32 i = 0; i < count; i++) {
		all = add_ranges(scale->at, all, &rules[i].src);
		all = add_ranges(scale->at, all, &rules[i].dst);
	}
	qsort(scale->at, all, sizeof(*scale->at), compare_addrs);
	scale->count = 0;
	for (u32 i = 0; i < all; i++)
		if (!i || !ipfi_addr_equal(&scale->at[i], &scale->at[scale->count - 1]))
			scale->at[scale->count++] = scale->at[i];
}

u32 lint_addr_step(const struct lint_addr_scale *scale, const struct ipfi_addr *addr)
{
	u32 low = 0, high = scale->count;

	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (ipfi_addr_compare(&scale->at[middle], addr) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct ipfi_range lint_addr_steps(const struct lint_addr_scale *scale,
				  const struct ipfi_addr_range *range)
{
	return (struct ipfi_range){ lint_addr_step(scale, &range->from),
				    lint_addr_step(scale, &range->to) };
}

static int compare_bounds(const void *a, const void *b)
{
	const struct lint_bound *one = a, *other = b;
	size_t both = one->length < other->length ? one->length : other->length;
	int order = memcmp(one->text, other->text, both);

	return order ? order : one->length - other->length;
}

static struct lint_bound bound(const char *text, size_t length)
{
	struct lint_bound b = { .length = (u8)length };

	memcpy(b.text, text, length);
	return b;
}

/* The length of a name or a pattern. */
static size_t length_of(const char text[IPFI_DEVICE_LEN])
{
	return strnlen(text, IPFI_DEVICE_LEN);
}

static bool is_pattern(const char text[IPFI_DEVICE_LEN])
{
	size_t length = length_of(text);

	return length && text[length - 1] == '*';
}

/*
 * The bounds of what @text matches: where it begins, and where what follows it does; false when
 * nothing follows.
 */
static bool bounds_of(const char text[IPFI_DEVICE_LEN], struct lint_bound *from,
		      struct lint_bound *behind)
{
	size_t length = length_of(text);

	if (!is_pattern(text)) {
		*from = bound(text, length);
		*behind = *from;
		behind->length++;
		return true;
	}
	*from = bound(text, length - 1);
	*behind = *from;
	while (behind->length) {
		unsigned char last = (unsigned char)behind->text[behind->length - 1];

		if (last < UINT8_MAX) {
			behind->text[behind->length - 1] = (char)(last + 1);
			return true;
		}
		behind->length--;
	}
	return false;
}

/* What may stand in a device's name (dev_valid_name() of Linux): no space, no '/', no ':'. */
static bool may_stand(int c)
{
	return isgraph(c) && c != '/' && c != ':' && c != '*';
}

/* Is the name in the step from @from up to @behind, NULL for the last one? */
static bool in_step(const char *name, const struct lint_bound *from,
		    const struct lint_bound *behind)
{
	struct lint_bound b = bound(name, strlen(name));

	return compare_bounds(&b, from) >= 0 && (!behind || compare_bounds(&b, behind) < 0);
}

/*
 * A device's name in a step: one that is common where there is one, else the step's first, else one
 * a character longer. No name is also an answer: then nothing is said of packets there.
 */
static void find_name(const struct lint_bound *from, const struct lint_bound *behind,
		      char name[IPFI_DEVICE_LEN])
{
	static const char *const common[] = { "eth0", "eth1", "eth2", "wan0", "lan0", "br0", "lo" };
	size_t length = strnlen(from->text, from->length);
	char *last;

	memset(name, 0, IPFI_DEVICE_LEN);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		if (!in_step(common[i], from, behind))
			continue;
		strcpy(name, common[i]);
		return;
	}
	if (length >= IPFI_DEVICE_LEN) {
		name[0] = '\0';
		return;
	}
	memcpy(name, from->text, length);
	for (int c = '0'; length < IPFI_DEVICE_LEN - 1 && c <= '9'; c++) {
		name[length] = (char)c;
		if (in_step(name, from, behind))
			return;
	}
	name[length] = '\0';
	if (length && strcmp(name, ".") && strcmp(name, "..") && in_step(name, from, behind))
		return;
	/* Behind a name as long as one can be, another last character. */
	last = &name[length < IPFI_DEVICE_LEN - 1 ? length : length - 1];
	for (int c = 1; c < 127; c++) {
		*last = (char)c;
		if (may_stand(c) && in_step(name, from, behind))
			return;
	}
	name[0] = '\0';
}

void lint_name_scale(struct lint_arena *arena, struct lint_name_scale *scale,
		     const struct ipfi_rule *rules, u32 count)
{
	struct lint_bound *at = lint_zalloc(arena, 4 * (size_t)count + 1, sizeof(*at));
	u32 all = 1;

	for (u32 i = 0; i < count; i++) {
		if (rules[i].fields & IPFI_FIELD_BIT(IPFI_FIELD_IIF))
			all += 1 + bounds_of(rules[i].iif, &at[all], &at[all + 1]);
		if (rules[i].fields & IPFI_FIELD_BIT(IPFI_FIELD_OIF))
			all += 1 + bounds_of(rules[i].oif, &at[all], &at[all + 1]);
	}
	qsort(at, all, sizeof(*at), compare_bounds);
	scale->at = at;
	scale->count = 0;
	for (u32 i = 0; i < all; i++)
		if (!i || compare_bounds(&at[i], &at[scale->count - 1]))
			at[scale->count++] = at[i];
	scale->names = lint_zalloc(arena, scale->count, sizeof(*scale->names));
	for (u32 i = 0; i < scale->count; i++)
		find_name(&at[i], i + 1 < scale->count ? &at[i + 1] : NULL, scale->names[i]);
}

static u32 step_of(const struct lint_name_scale *scale, const struct lint_bound *b)
{
	u32 low = 0, high = scale->count;

	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (compare_bounds(&scale->at[middle], b) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

u32 lint_name_step(const struct lint_name_scale *scale, const char *name)
{
	struct lint_bound b = bound(name, strnlen(name, IPFI_DEVICE_LEN - 1));

	return step_of(scale, &b);
}

struct ipfi_range lint_name_steps(const struct lint_name_scale *scale,
				  const char pattern[IPFI_DEVICE_LEN])
{
	struct lint_bound from, behind;
	bool ends = bounds_of(pattern, &from, &behind);

	return (struct ipfi_range){ step_of(scale, &from),
				    ends ? step_of(scale, &behind) - 1 : scale->count - 1 };
}
