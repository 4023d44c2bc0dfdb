/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel that the engine stands in for. */
#ifndef IPFI_ENGINE_LINUX_VERSION_H
#define IPFI_ENGINE_LINUX_VERSION_H

#define KERNEL_VERSION(a, b, c) ((a) << 16 | (b) << 8 | (c))
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 1, 0)

#endif
