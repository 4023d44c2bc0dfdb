/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's memory: one of 4 GiB, whatever this one has. */
#ifndef IPFI_ENGINE_LINUX_MM_H
#define IPFI_ENGINE_LINUX_MM_H

#include <linux/kernel.h>
#include <linux/slab.h>

#define totalram_pages() (4UL << (30 - PAGE_SHIFT))

#endif
