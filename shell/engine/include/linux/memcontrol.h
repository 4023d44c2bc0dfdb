/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory cgroups: there are none. */
#ifndef IPFI_ENGINE_LINUX_MEMCONTROL_H
#define IPFI_ENGINE_LINUX_MEMCONTROL_H

#include <linux/types.h>

struct mem_cgroup;

#define get_mem_cgroup_from_mm(mm) ((struct mem_cgroup *)NULL)
#define mem_cgroup_put(group) ((void)(group))

#endif
