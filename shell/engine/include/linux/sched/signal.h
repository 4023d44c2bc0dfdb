/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals: nobody interrupts the engine. */
#ifndef IPFI_ENGINE_LINUX_SCHED_SIGNAL_H
#define IPFI_ENGINE_LINUX_SCHED_SIGNAL_H

#include <linux/sched.h>

#define current NULL
#define fatal_signal_pending(task) false
#define signal_pending(task) false

#endif
