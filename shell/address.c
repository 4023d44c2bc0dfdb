// SPDX-License-Identifier: GPL-2.0-or-later
/* address: see address.h. */
#include <string.h>

#include <arpa/inet.h>

#include "shell/address.h"

static char *put_decimal(char *at, unsigned int byte)
{
	if (byte >= 100) {
		*at++ = (char)('0' + byte / 100);
		byte %= 100;
		*at++ = (char)('0' + byte / 10);
	} else if (byte >= 10) {
		*at++ = (char)('0' + byte / 10);
	}
	*at++ = (char)('0' + byte % 10);
	return at;
}

static char *put_ipv4(char *at, const uint8_t *bytes)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*at++ = '.';
		at = put_decimal(at, bytes[i]);
	}
	return at;
}

static char *put_hex(char *at, unsigned int group)
{
	static const char digits[] = "0123456789abcdef";

	if (group >= 0x1000)
		*at++ = digits[group >> 12];
	if (group >= 0x100)
		*at++ = digits[group >> 8 & 15];
	if (group >= 0x10)
		*at++ = digits[group >> 4 & 15];
	*at++ = digits[group & 15];
	return at;
}

/*
 * The longest run of two or more zero groups, the first of equals (RFC 5952, 4.2); an empty one is
 * at 8.
 */
static void longest_zeros(const unsigned int groups[8], int *start, int *end)
{
	int from = 0;

	*start = *end = 8;
	for (int i = 0; i <= 8; i++) {
		if (i < 8 && groups[i] == 0)
			continue;
		if (i - from >= 2 && i - from > *end - *start) {
			*start = from;
			*end = i;
		}
		from = i + 1;
	}
}

static char *put_ipv6(char *at, const uint8_t *bytes)
{
	unsigned int groups[8];
	int start, end, count = 8;

	for (int i = 0; i < 8; i++)
		groups[i] = (unsigned int)bytes[2 * i] << 8 | bytes[2 * i + 1];
	longest_zeros(groups, &start, &end);
	/*
	 * IPv4-mapped and the old IPv4-compatible addresses end in the dotted form (RFC 5952, 5),
	 * as in inet_ntop(3).
	 */
	if (start == 0 && ((end == 5 && groups[5] == 0xffff) || end == 6))
		count = 6;
	for (int i = 0; i < count; i++) {
		if (i == start) {
			*at++ = ':';
			*at++ = ':';
			i = end - 1;
			continue;
		}
		if (i && i != end)
			*at++ = ':';
		at = put_hex(at, groups[i]);
	}
	if (count == 6) {
		if (end != 6)
			*at++ = ':';
		at = put_ipv4(at, bytes + 12);
	}
	return at;
}

size_t address_format(const uint8_t *bytes, size_t len, char text[ADDRESS_TEXT_LEN])
{
	char *end = len == 4 ? put_ipv4(text, bytes) : put_ipv6(text, bytes);

	return (size_t)(end - text);
}

size_t address_parse(const char *text, uint8_t bytes[16])
{
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 4;
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return 16;
	return 0;
}

void address_prefix(const uint8_t *bytes, size_t len, unsigned int bits, uint8_t first[16],
		    uint8_t last[16])
{
	for (size_t i = 0; i < len; i++) {
		unsigned int before = (unsigned int)i * 8;
		unsigned int fixed = bits <= before ? 0 : bits - before >= 8 ? 8 : bits - before;
		uint8_t host = (uint8_t)(0xff >> fixed);

		first[i] = bytes[i] & (uint8_t)~host;
		last[i] = bytes[i] | host;
	}
}
