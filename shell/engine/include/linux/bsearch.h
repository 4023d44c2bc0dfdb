/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Search in what is sorted: the C library's. */
#ifndef IPFI_ENGINE_LINUX_BSEARCH_H
#define IPFI_ENGINE_LINUX_BSEARCH_H

#include <stdlib.h>

#endif
