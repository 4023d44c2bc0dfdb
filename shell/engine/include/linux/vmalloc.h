/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory is slab.h's. */
#ifndef IPFI_ENGINE_LINUX_VMALLOC_H
#define IPFI_ENGINE_LINUX_VMALLOC_H

#include <linux/slab.h>

#endif
