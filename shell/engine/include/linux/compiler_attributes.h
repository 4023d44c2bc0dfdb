/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes of the compiler are in compiler.h. */
#ifndef IPFI_ENGINE_LINUX_COMPILER_ATTRIBUTES_H
#define IPFI_ENGINE_LINUX_COMPILER_ATTRIBUTES_H

#include <linux/compiler.h>

#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif

#endif
