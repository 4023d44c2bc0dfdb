/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture_names: which interface each packet of a pcapng file was captured on. libpcap reads such
 * files but does not tell; this walks the same blocks beside it and looks at nothing else.
 */
#ifndef IPFI_SHELL_CAPTURE_NAMES_H
#define IPFI_SHELL_CAPTURE_NAMES_H

struct capture_names;

/* Opens the file. NULL when it is no pcapng file, cannot be read, or memory is short: then there are no names. */
struct capture_names *capture_names_open(const char *path);

/* The name of the interface of the next packet; NULL when it has none. Valid until the next call. */
const char *capture_names_next(struct capture_names *names);

/* NULL is allowed. */
void capture_names_close(struct capture_names *names);

#endif
