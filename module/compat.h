/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The differences of kernel versions, 6.1 and later. Nothing else asks for LINUX_VERSION_CODE. */
#ifndef IPFI_COMPAT_H
#define IPFI_COMPAT_H

#include <linux/compiler_attributes.h>
#include <linux/version.h>
#include <net/genetlink.h>

/*
 * A variable on the packet path whose every byte that is read is written first: kernels that clear the stack
 * by default would clear it for nothing, once a packet.
 */
#if __has_attribute(__uninitialized__)
#define ipfi_uninitialized __attribute__((__uninitialized__))
#else
#define ipfi_uninitialized
#endif

/* The attributes of a dump's request. */
static inline struct nlattr **ipfi_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#endif /* IPFI_COMPAT_H */
