/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts by which FTP names an address and port: reading them (writing is in ftp.h). */
#ifndef IPFI_CORE_FTP_TEXT_H
#define IPFI_CORE_FTP_TEXT_H

#include "module/core/tuple.h"

/* What a text names. */
struct ipfi_ftp_end {
	struct ipfi_addr addr;
	u16 port;  /* never 0 */
	u8 family; /* 4 or 6; 0 without address */
};

/* Where in a line a text stands. */
struct ipfi_ftp_place {
	u32 at;
	u32 length;
};

/*
 * "h1,h2,h3,h4,p1,p2" (RFC 959 section 4.1.2): all of @text, nothing else. False if it is not that,
 * a number has more than three digits or is above 255, or the port is 0.
 */
bool ipfi_ftp_read_numbers(const u8 *text, u32 length, struct ipfi_ftp_end *end);

/* "|1|132.235.1.2|6275|", "|2|1080::8:800:200C:417A|5282|", any delimiter (RFC 2428 section 2). */
bool ipfi_ftp_read_eprt(const u8 *text, u32 length, struct ipfi_ftp_end *end);

/* "|||6446|" with any delimiter but a digit (RFC 2428 section 3). */
bool ipfi_ftp_read_epsv(const u8 *text, u32 length, struct ipfi_ftp_end *end);

/*
 * Looks for the first text of six numbers in @line from @from on, whatever stands around it (RFC
 * 1123 section 4.1.2.6). One with impossible numbers is found too; one of five or seven is not.
 * Digits and commas at the end of the line are found in any case, for they may become one if the
 * line goes on.
 */
bool ipfi_ftp_find_numbers(const u8 *line, u32 from, u32 length, struct ipfi_ftp_place *place);

/* The same for ipfi_ftp_read_epsv(). */
bool ipfi_ftp_find_epsv(const u8 *line, u32 from, u32 length, struct ipfi_ftp_place *place);

#endif /* IPFI_CORE_FTP_TEXT_H */
