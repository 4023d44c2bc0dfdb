/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Barriers between CPUs, of which there is one. */
#ifndef IPFI_ENGINE_ASM_BARRIER_H
#define IPFI_ENGINE_ASM_BARRIER_H

#include <linux/compiler.h>

#define smp_mb() barrier()
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define smp_store_release(at, value) WRITE_ONCE(*(at), value)
#define smp_load_acquire(at) READ_ONCE(*(at))

#endif
