// SPDX-License-Identifier: GPL-2.0-or-later
/* module: see module.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "module.h"

int module_remove(void)
{
	/*
	 * O_NONBLOCK: one that is in use stays, instead of being half gone for as long as it is
	 * used.
	 */
	if (syscall(SYS_delete_module, "ipfi", O_NONBLOCK) == 0)
		return 0;
	/* ENOSYS: a kernel without modules. */
	return errno == ENOENT || errno == ENOSYS ? 0 : -errno;
}
