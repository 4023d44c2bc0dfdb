/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words to the compiler. One thread runs the engine: what orders memory between CPUs orders nothing here. */
#ifndef IPFI_ENGINE_LINUX_COMPILER_H
#define IPFI_ENGINE_LINUX_COMPILER_H

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#define noinline __attribute__((__noinline__))
#define __aligned(bytes) __attribute__((__aligned__(bytes)))
#define __packed __attribute__((__packed__))
#define __maybe_unused __attribute__((__unused__))
#ifndef __must_check
#define __must_check __attribute__((__warn_unused_result__))
#endif
#define ____cacheline_aligned __aligned(64)
#define ____cacheline_aligned_in_smp __aligned(64)

/* Where code and data are put, and what a checker is told of them. */
#define __init
#define __exit
#define __net_init
#define __net_exit
#define __ro_after_init
#define __read_mostly
#define __percpu
#define __rcu
#ifndef __force
#define __force
#endif
#define __acquires(what)
#define __releases(what)
#define __must_hold(what)

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define barrier() __asm__ __volatile__("" ::: "memory")

#endif
