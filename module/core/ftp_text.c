// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/ftp.h"
#include "module/core/ftp_text.h"

#define NUMBERS 6	 /* h1,h2,h3,h4,p1,p2 */
#define GROUPS 8	 /* of 16 bits in an IPv6 address */
#define PORT_DIGITS 5	 /* 65535 */
#define DELIMITER_MIN 33 /* RFC 2428 section 2 */
#define DELIMITER_MAX 126

/* RFC 2428 section 2: the address families of EPRT. */
#define EPRT_IPV4 '1'
#define EPRT_IPV6 '2'

/* --- reading --- */

static bool is_digit(u8 c)
{
	return c >= '0' && c <= '9';
}

/* A delimiter that is a digit could not be told from the numbers that it delimits. */
static bool is_delimiter(u8 c)
{
	return c >= DELIMITER_MIN && c <= DELIMITER_MAX && !is_digit(c);
}

/* The digits at the front of @text. */
static u32 count_digits(const u8 *text, u32 length)
{
	u32 digits = 0;

	while (digits < length && is_digit(text[digits]))
		digits++;
	return digits;
}

/* All of @text as a decimal number up to @most, in at most @digits digits; -1 if it is not. */
static s32 decimal(const u8 *text, u32 length, u32 digits, s32 most)
{
	s32 value = 0;
	u32 i;

	if (length == 0 || length > digits || count_digits(text, length) != length)
		return -1;
	for (i = 0; i < length; i++)
		value = value * 10 + text[i] - '0';
	return value <= most ? value : -1;
}

/* The length of @text up to the next @delimiter, @length if there is none. */
static u32 before(const u8 *text, u32 length, u8 delimiter)
{
	u32 i = 0;

	while (i < length && text[i] != delimiter)
		i++;
	return i;
}

/*
 * The number before the next @delimiter; moves *text and *length behind that. -1 without a number
 * or a delimiter.
 */
static s32 next_decimal(const u8 **text, u32 *length, u8 delimiter, u32 digits, s32 most)
{
	u32 taken = before(*text, *length, delimiter);
	s32 value = taken < *length ? decimal(*text, taken, digits, most) : -1;

	if (value >= 0) {
		*text += taken + 1;
		*length -= taken + 1;
	}
	return value;
}

bool ipfi_ftp_read_numbers(const u8 *text, u32 length, struct ipfi_ftp_end *end)
{
	u8 numbers[NUMBERS];
	s32 value;
	u32 i;

	for (i = 0; i < NUMBERS; i++) {
		value = i < NUMBERS - 1 ? next_decimal(&text, &length, ',', 3, 255)
					: decimal(text, length, 3, 255);
		if (value < 0)
			return false;
		numbers[i] = (u8)value;
	}
	ipfi_addr_set(&end->addr, ipfi_get32(numbers), 0, 0, 0);
	end->port = ipfi_get16(numbers + 4);
	end->family = 4;
	return end->port != 0;
}

/* "132.235.1.2". Leading zeros are refused: some take such a number as octal. */
static bool read_ipv4(const u8 *text, u32 length, u32 *word)
{
	s32 value;
	u32 i;

	*word = 0;
	for (i = 0; i < 4; i++) {
		if (length >= 2 && text[0] == '0' && is_digit(text[1]))
			return false;
		value = i < 3 ? next_decimal(&text, &length, '.', 3, 255)
			      : decimal(text, length, 3, 255);
		if (value < 0)
			return false;
		*word = *word << 8 | (u32)value;
	}
	return true;
}

static int hex_digit(u8 c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to four hexadecimal digits at the front of @text into *group; returns how many. */
static u32 read_group(const u8 *text, u32 length, u16 *group)
{
	u32 digits = 0;

	*group = 0;
	while (digits < length && digits < 4 && hex_digit(text[digits]) >= 0)
		*group = (u16)(*group << 4 | hex_digit(text[digits++]));
	return digits;
}

/* RFC 4291 section 2.2, all three forms. */
static bool read_ipv6(const u8 *text, u32 length, struct ipfi_addr *addr)
{
	u16 groups[GROUPS] = { 0 };
	u32 count = 0, gap = GROUPS, i = 0, digits, word;

	if (length >= 2 && text[0] == ':' && text[1] == ':') {
		gap = 0;
		i = 2;
	}
	while (i < length) {
		if (count == GROUPS)
			return false;
		digits = read_group(text + i, length - i, &groups[count]);
		if (digits == 0)
			return false;
		if (i + digits < length && text[i + digits] == '.') {
			if (count > GROUPS - 2 || !read_ipv4(text + i, length - i, &word))
				return false;
			groups[count++] = (u16)(word >> 16);
			groups[count++] = (u16)word;
			break;
		}
		count++;
		i += digits;
		if (i == length)
			break;
		if (text[i++] != ':' || i == length)
			return false;
		if (text[i] == ':') {
			if (gap != GROUPS)
				return false;
			gap = count;
			i++;
		}
	}
	if ((gap == GROUPS) != (count == GROUPS))
		return false;
	if (gap != GROUPS) {
		memmove(&groups[gap + GROUPS - count], &groups[gap],
			(count - gap) * sizeof(groups[0]));
		memset(&groups[gap], 0, (GROUPS - count) * sizeof(groups[0]));
	}
	ipfi_addr_set(addr, (u32)groups[0] << 16 | groups[1], (u32)groups[2] << 16 | groups[3],
		      (u32)groups[4] << 16 | groups[5], (u32)groups[6] << 16 | groups[7]);
	return true;
}

bool ipfi_ftp_read_eprt(const u8 *text, u32 length, struct ipfi_ftp_end *end)
{
	u8 delimiter, family;
	u32 taken, word;
	s32 port;

	if (length < 3 || !is_delimiter(text[0]) || text[2] != text[0])
		return false;
	delimiter = text[0];
	family = text[1];
	text += 3;
	length -= 3;

	taken = before(text, length, delimiter);
	if (taken == length)
		return false;
	if (family == EPRT_IPV4) {
		if (!read_ipv4(text, taken, &word))
			return false;
		ipfi_addr_set(&end->addr, word, 0, 0, 0);
		end->family = 4;
	} else if (family == EPRT_IPV6) {
		if (!read_ipv6(text, taken, &end->addr))
			return false;
		end->family = 6;
	} else {
		return false;
	}
	text += taken + 1;
	length -= taken + 1;

	port = next_decimal(&text, &length, delimiter, PORT_DIGITS, 65535);
	end->port = (u16)port;
	return port > 0 && length == 0;
}

bool ipfi_ftp_read_epsv(const u8 *text, u32 length, struct ipfi_ftp_end *end)
{
	s32 port;

	if (length < 5 || !is_delimiter(text[0]) || text[1] != text[0] || text[2] != text[0] ||
	    text[length - 1] != text[0])
		return false;
	port = decimal(text + 3, length - 4, PORT_DIGITS, 65535);
	ipfi_addr_set(&end->addr, 0, 0, 0, 0);
	end->family = 0;
	end->port = (u16)port;
	return port > 0;
}

/* --- finding --- */

/* Six numbers of any size, with commas between? */
static bool is_six(const u8 *text, u32 length)
{
	u32 commas = 0, i;

	for (i = 0; i < length; i++)
		if (text[i] == ',') {
			if (i == 0 || i == length - 1 || text[i - 1] == ',')
				return false;
			commas++;
		}
	return commas == NUMBERS - 1;
}

bool ipfi_ftp_find_numbers(const u8 *line, u32 from, u32 length, struct ipfi_ftp_place *place)
{
	u32 end;

	for (; from < length; from = end + 1) {
		end = from;
		if (!is_digit(line[from]))
			continue;
		while (end < length && (is_digit(line[end]) || line[end] == ','))
			end++;
		if (end < length && !is_six(line + from, end - from))
			continue;
		place->at = from;
		place->length = end - from;
		return true;
	}
	return false;
}

/* How much of @text is |||port| or, up to its end, the beginning of that; 0 if it is neither. */
static u32 match_epsv(const u8 *text, u32 length)
{
	u32 digits, i;

	if (!is_delimiter(text[0]))
		return 0;
	for (i = 1; i < 3 && i < length; i++)
		if (text[i] != text[0])
			return 0;
	if (length <= 3)
		return length;
	/* One digit more than there can be is enough to see. */
	i = length - 3 < PORT_DIGITS + 1 ? length - 3 : PORT_DIGITS + 1;
	digits = count_digits(text + 3, i);
	if (digits == 0 || digits > PORT_DIGITS)
		return 0;
	if (3 + digits == length)
		return length;
	return text[3 + digits] == text[0] ? 3 + digits + 1 : 0;
}

bool ipfi_ftp_find_epsv(const u8 *line, u32 from, u32 length, struct ipfi_ftp_place *place)
{
	for (; from < length; from++) {
		place->length = match_epsv(line + from, length - from);
		if (!place->length)
			continue;
		place->at = from;
		return true;
	}
	return false;
}

/* --- writing --- */

static u8 *write_decimal(u8 *p, u32 value)
{
	u32 unit = 10000;

	while (unit > 1 && value < unit)
		unit /= 10;
	for (; unit; unit /= 10)
		*p++ = (u8)('0' + value / unit % 10);
	return p;
}

static u8 *write_ipv4(u8 *p, u32 word, u8 separator)
{
	int shift;

	for (shift = 24; shift >= 0; shift -= 8) {
		p = write_decimal(p, word >> shift & 0xff);
		if (shift)
			*p++ = separator;
	}
	return p;
}

static u8 *write_hex(u8 *p, u32 value)
{
	int shift = 12;

	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*p++ = (u8) "0123456789abcdef"[value >> shift & 15];
	return p;
}

static u32 group(const struct ipfi_addr *addr, u32 i)
{
	return addr->w[i / 2] >> (i % 2 ? 0 : 16) & 0xffff;
}

/* RFC 5952 section 4: the first of the longest runs of at least two zero groups is written "::". */
static u8 *write_ipv6(u8 *p, const struct ipfi_addr *addr)
{
	u32 at = GROUPS, most = 1, i, run;

	for (i = 0; i < GROUPS; i += run + 1) {
		run = 0;
		while (i + run < GROUPS && !group(addr, i + run))
			run++;
		if (run > most) {
			at = i;
			most = run;
		}
	}
	for (i = 0; i < GROUPS; i++) {
		if (i == at) {
			*p++ = ':';
			*p++ = ':';
			i += most - 1;
			continue;
		}
		if (i && i != at + most)
			*p++ = ':';
		p = write_hex(p, group(addr, i));
	}
	return p;
}

unsigned int ipfi_ftp_write(enum ipfi_ftp_form form, u8 family, const struct ipfi_addr *addr,
			    u16 port, u8 text[IPFI_FTP_TEXT])
{
	u8 *p = text;

	switch (form) {
	case IPFI_FTP_PORT:
	case IPFI_FTP_PASV:
		if (family != 4)
			return 0;
		p = write_ipv4(p, addr->w[0], ',');
		*p++ = ',';
		p = write_decimal(p, port >> 8);
		*p++ = ',';
		p = write_decimal(p, port & 0xff);
		break;
	case IPFI_FTP_EPRT:
		*p++ = '|';
		*p++ = family == 4 ? EPRT_IPV4 : EPRT_IPV6;
		*p++ = '|';
		p = family == 4 ? write_ipv4(p, addr->w[0], '.') : write_ipv6(p, addr);
		*p++ = '|';
		p = write_decimal(p, port);
		*p++ = '|';
		break;
	case IPFI_FTP_EPSV:
		memcpy(p, "|||", 3);
		p = write_decimal(p + 3, port);
		*p++ = '|';
		break;
	case IPFI_FTP_NONE:
		break;
	}
	return (unsigned int)(p - text);
}
