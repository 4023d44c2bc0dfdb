/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Characters, of ASCII only. */
#ifndef IPFI_ENGINE_LINUX_CTYPE_H
#define IPFI_ENGINE_LINUX_CTYPE_H

static inline int isspace(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
