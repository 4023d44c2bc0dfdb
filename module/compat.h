/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The differences of kernel versions, 6.1 and later. Nothing else asks for LINUX_VERSION_CODE. */
#ifndef IPFI_COMPAT_H
#define IPFI_COMPAT_H

#include <linux/version.h>

#endif /* IPFI_COMPAT_H */
