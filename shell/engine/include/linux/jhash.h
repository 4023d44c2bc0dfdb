/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes of words: the core has them. */
#ifndef IPFI_ENGINE_LINUX_JHASH_H
#define IPFI_ENGINE_LINUX_JHASH_H

#include "module/core/platform.h"

#endif
