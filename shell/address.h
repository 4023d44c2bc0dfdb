/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address: IP addresses as text and as the 4 or 16 bytes of the wire. Written here and not left to
 * inet_ntop(3), because a dump of a million states writes two million of them.
 */
#ifndef IPFI_SHELL_ADDRESS_H
#define IPFI_SHELL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT_LEN 46 /* the longest text and its NUL */

/*
 * Writes an address of len (4 or 16) bytes as text, IPv6 in the form of RFC 5952; no NUL is added.
 * Returns the length of the text.
 */
size_t address_format(const uint8_t *bytes, size_t len, char text[ADDRESS_TEXT_LEN]);

/* Reads an address of either family. Returns its length, 4 or 16, or 0 for a text that is none. */
size_t address_parse(const char *text, uint8_t bytes[16]);

/*
 * The first and last address of a prefix of so many bits (at most 8 * len). Bits behind the prefix
 * in bytes are ignored.
 */
void address_prefix(const uint8_t *bytes, size_t len, unsigned int bits, uint8_t first[16],
		    uint8_t last[16]);

#endif
