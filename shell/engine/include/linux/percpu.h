/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every CPU has of its own; there is one. */
#ifndef IPFI_ENGINE_LINUX_PERCPU_H
#define IPFI_ENGINE_LINUX_PERCPU_H

#include <linux/compiler.h>
#include <linux/slab.h>

#define DEFINE_PER_CPU(type, name) __typeof__(type) name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) name
#define alloc_percpu(type) ((type *)calloc(1, sizeof(type)))
#define alloc_percpu_gfp(type, flags) alloc_percpu(type)
#define free_percpu(object) free(object)
#define per_cpu_ptr(object, cpu) ((void)(cpu), (object))
#define this_cpu_ptr(object) (object)
#define raw_cpu_ptr(object) (object)
#define __this_cpu_read(x) (x)
#define __this_cpu_write(x, value) ((void)((x) = (value)))
#define __this_cpu_inc(x) ((void)(x)++)
#define __this_cpu_add(x, value) ((void)((x) += (value)))
#define this_cpu_read(x) (x)
#define this_cpu_write(x, value) ((void)((x) = (value)))
#define this_cpu_inc(x) ((void)(x)++)
#define this_cpu_add(x, value) ((void)((x) += (value)))

#define nr_cpu_ids 1U
#define num_possible_cpus() 1U
#define num_online_cpus() 1U
#define smp_processor_id() 0U
#define raw_smp_processor_id() 0U
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < nr_cpu_ids; (cpu)++)
#define for_each_online_cpu(cpu) for_each_possible_cpu(cpu)

#endif
