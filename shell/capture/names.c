// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * capture_names: the interfaces of a pcapng file. See capture_names.h.
 *
 * The format is that of draft-ietf-opsawg-pcapng: blocks of a type, a length and a body; sections
 * that begin with a byte order of their own; in each, descriptions of interfaces, to which packets
 * refer by their place. A damaged file only ends the names here: libpcap is who complains.
 */
#include "shell/capture/names.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0a
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 2          /* obsolete, but written for years */
#define BLOCK_SIMPLE 3
#define BLOCK_ENHANCED 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define OPTION_END 0
#define OPTION_NAME 2

#define BLOCK_HEADER 8
#define BLOCK_LEAST 12          /* type, length, and the length again */
#define INTERFACE_FIXED 8       /* of its body, before the options */
#define INTERFACES_MOST 65536

struct capture_names {
	FILE *file;
	bool swapped;
	char (*names)[IF_NAMESIZE]; /* of the section; "" for one without */
	size_t count, room;
};

static uint32_t order32(const struct capture_names *names, uint32_t value)
{
	return names->swapped ? __builtin_bswap32(value) : value;
}

static uint16_t order16(const struct capture_names *names, uint16_t value)
{
	return names->swapped ? __builtin_bswap16(value) : value;
}

static bool read_exactly(struct capture_names *names, void *to, size_t len)
{
	return fread(to, 1, len, names->file) == len;
}

/* Skips the rest of a block of which done bytes were read. */
static bool skip(struct capture_names *names, uint32_t length, uint32_t done)
{
	length = (length + 3) & ~3U;
	return length >= done && fseek(names->file, (long)(length - done), SEEK_CUR) == 0;
}

/* A section header of which type and length were read; the length counts only when its order is known. */
static bool read_section(struct capture_names *names, uint32_t length)
{
	uint32_t magic;

	if (!read_exactly(names, &magic, sizeof(magic)))
		return false;
	if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
		return false;
	names->swapped = magic != BYTE_ORDER_MAGIC;
	names->count = 0;
	return skip(names, order32(names, length), BLOCK_HEADER + sizeof(magic));
}

static bool add(struct capture_names *names, const char *name, size_t len)
{
	if (names->count == names->room) {
		size_t room = names->room ? names->room * 2 : 4;
		void *more;

		if (room > INTERFACES_MOST)
			return false;
		more = realloc(names->names, room * sizeof(*names->names));
		if (!more)
			return false;
		names->names = more;
		names->room = room;
	}
	/* One too long for a device is not one that a rule could name. */
	if (len >= IF_NAMESIZE)
		len = 0;
	memcpy(names->names[names->count], name, len);
	names->names[names->count][len] = '\0';
	names->count++;
	return true;
}

/* An interface description; body bytes of it follow, and the length again. */
static bool read_interface(struct capture_names *names, uint32_t body)
{
	char name[UINT8_MAX];
	uint16_t option[2];
	size_t len = 0;
	uint32_t at = INTERFACE_FIXED;

	if (body < INTERFACE_FIXED || fseek(names->file, INTERFACE_FIXED, SEEK_CUR) != 0)
		return false;
	while (at + sizeof(option) <= body) {
		uint32_t size;

		if (!read_exactly(names, option, sizeof(option)))
			return false;
		at += sizeof(option);
		size = order16(names, option[1]);
		if (order16(names, option[0]) == OPTION_END || size > body - at)
			break;
		if (order16(names, option[0]) == OPTION_NAME && size <= sizeof(name)) {
			if (!read_exactly(names, name, size))
				return false;
			at += size;
			len = strnlen(name, size);
			break;
		}
		size = (size + 3) & ~3U;
		if (fseek(names->file, (long)size, SEEK_CUR) != 0)
			return false;
		at += size;
	}
	return add(names, name, len) && skip(names, body + BLOCK_LEAST, BLOCK_HEADER + at);
}

struct capture_names *capture_names_open(const char *path)
{
	struct capture_names *names = calloc(1, sizeof(*names));
	uint32_t header[2];

	if (!names)
		return NULL;
	names->file = fopen(path, "rbe");
	if (names->file && read_exactly(names, header, sizeof(header)) &&
	    header[0] == BLOCK_SECTION && read_section(names, header[1]))
		return names;
	capture_names_close(names);
	return NULL;
}

static const char *name_of(const struct capture_names *names, uint32_t place)
{
	return place < names->count && names->names[place][0] ? names->names[place] : NULL;
}

const char *capture_names_next(struct capture_names *names)
{
	uint32_t header[2];

	while (read_exactly(names, header, sizeof(header))) {
		uint32_t type = order32(names, header[0]), length = order32(names, header[1]);
		uint32_t place = 0;

		if (header[0] == BLOCK_SECTION) {
			if (!read_section(names, header[1]))
				return NULL;
			continue;
		}
		if (length < BLOCK_LEAST)
			return NULL;
		switch (type) {
		case BLOCK_INTERFACE:
			if (!read_interface(names, length - BLOCK_LEAST))
				return NULL;
			break;
		case BLOCK_ENHANCED:
		case BLOCK_PACKET:
			if (length < BLOCK_LEAST + sizeof(place) ||
			    !read_exactly(names, &place, sizeof(place)) ||
			    !skip(names, length, BLOCK_HEADER + sizeof(place)))
				return NULL;
			/* The obsolete block has 16 bits for it, then the packets that were lost. */
			if (type == BLOCK_PACKET) {
				uint16_t narrow;

				memcpy(&narrow, &place, sizeof(narrow));
				return name_of(names, order16(names, narrow));
			}
			return name_of(names, order32(names, place));
		case BLOCK_SIMPLE:
			return skip(names, length, BLOCK_HEADER) ? name_of(names, 0) : NULL;
		default:
			if (!skip(names, length, BLOCK_HEADER))
				return NULL;
		}
	}
	return NULL;
}

void capture_names_close(struct capture_names *names)
{
	if (!names)
		return;
	if (names->file)
		fclose(names->file);
	free(names->names);
	free(names);
}
