/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module: taking ipfi.ko out of the kernel, for --rmmod. The program itself has no right to do so
 * while it runs; a process that was started before it gave that right up can do nothing else.
 */
#ifndef IPFI_SHELL_MODULE_H
#define IPFI_SHELL_MODULE_H

/*
 * Starts the process that waits for module_remove(). When this program ends without calling it, by
 * a signal, the process ends too, and the module stays. Returns 0 or -errno.
 */
int module_prepare(void);

/*
 * Has the module removed; one that is not loaded is removed already. Returns 0 or -errno: -EPERM
 * without CAP_SYS_MODULE, -EAGAIN when something uses it, -EPIPE when the process is gone.
 */
int module_remove(void);

#endif
