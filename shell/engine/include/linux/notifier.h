/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told of changes. */
#ifndef IPFI_ENGINE_LINUX_NOTIFIER_H
#define IPFI_ENGINE_LINUX_NOTIFIER_H

#include <linux/types.h>

#define NOTIFY_DONE 0

struct notifier_block {
	int (*notifier_call)(struct notifier_block *block, unsigned long event, void *data);
	struct notifier_block *next;
};

#endif
