/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privilege: what a process may do. A process gives up what it does not need, for itself and for
 * all that it will start, and never gets it back.
 */
#ifndef IPFI_SHELL_PRIVILEGE_H
#define IPFI_SHELL_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>

#define PRIVILEGE(capability) (UINT64_C(1) << (capability))

/* Whether the process may do anything that its user alone would not let it do. */
bool privilege_any(void);

/*
 * Keeps those of the capabilities (PRIVILEGE() of CAP_...) that the process has and drops the
 * others: from its permitted and effective set, from the bounding set (as far as CAP_SETPCAP lets
 * it), inheritable and ambient ones all; and sets no_new_privs. Returns 0 or -errno.
 */
int privilege_keep(uint64_t capabilities);

/* Closes every file but this one. */
void privilege_close_others(int fd);

/* The system calls that privilege_filter() leaves. */
enum privilege_calls {
	/* Those that computing takes, and writing to what is open. */
	PRIVILEGE_COMPUTE,
	/* Those, reading from what is open, and removing kernel modules. */
	PRIVILEGE_REMOVE_MODULE,
};

/*
 * From now on every other system call fails with EPERM; so does making memory executable. Needs
 * privilege_keep() before. Returns 0, -ENOSYS where the kernel or the machine has no such filters,
 * or another -errno.
 */
int privilege_filter(enum privilege_calls calls);

#endif
