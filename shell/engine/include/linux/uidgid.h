/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users, as all user namespaces see them: there is one. */
#ifndef IPFI_ENGINE_LINUX_UIDGID_H
#define IPFI_ENGINE_LINUX_UIDGID_H

#include <linux/types.h>
#include <sys/types.h>

struct user_namespace;

typedef struct {
	uid_t val;
} kuid_t;

static inline uid_t from_kuid_munged(const struct user_namespace *ns, kuid_t uid)
{
	(void)ns;
	return uid.val;
}

#endif
