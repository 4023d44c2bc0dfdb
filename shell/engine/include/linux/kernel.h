/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What everything else includes. */
#ifndef IPFI_ENGINE_LINUX_KERNEL_H
#define IPFI_ENGINE_LINUX_KERNEL_H

#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/compiler_attributes.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Options of the kernel's configuration that the module asks for: those of x86. */
#define IS_ENABLED(option) (option)
#define CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS 1

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)

#endif
