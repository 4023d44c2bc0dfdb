/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The differences of kernel versions, 6.1 and later. Nothing else asks for LINUX_VERSION_CODE. */
#ifndef IPFI_COMPAT_H
#define IPFI_COMPAT_H

#include <linux/compiler_attributes.h>
#include <linux/version.h>

/*
 * A variable on the packet path whose every byte that is read is written first: kernels that clear the stack
 * by default would clear it for nothing, once a packet.
 */
#if __has_attribute(__uninitialized__)
#define ipfi_uninitialized __attribute__((__uninitialized__))
#else
#define ipfi_uninitialized
#endif

#endif /* IPFI_COMPAT_H */
