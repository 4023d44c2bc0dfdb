/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strings. */
#ifndef IPFI_ENGINE_LINUX_STRING_H
#define IPFI_ENGINE_LINUX_STRING_H

#include <linux/types.h>
#include <sys/types.h>
#include <string.h>

/* Copies as much as fits, always with its NUL; the length copied, or -E2BIG when that was not all. */
ssize_t strscpy(char *to, const char *from, size_t size);

#endif
