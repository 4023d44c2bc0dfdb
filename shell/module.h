/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module: taking ipfi.ko out of the kernel, for --rmmod. */
#ifndef IPFI_SHELL_MODULE_H
#define IPFI_SHELL_MODULE_H

/*
 * Removes the module; one that is not loaded is removed already. Returns 0 or -errno: -EPERM
 * without CAP_SYS_MODULE, -EAGAIN when something uses it.
 */
int module_remove(void);

#endif
