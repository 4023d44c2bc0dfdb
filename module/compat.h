/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The differences of kernel versions, 6.1 and later. Nothing else asks for LINUX_VERSION_CODE. */
#ifndef IPFI_COMPAT_H
#define IPFI_COMPAT_H

#include <linux/compiler_attributes.h>
#include <linux/version.h>
#include <net/genetlink.h>
#ifdef CONFIG_XFRM
#include <net/xfrm.h>
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

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

#ifdef CONFIG_XFRM
/* What a policy of IPsec is looked up by: the packet as it is. */
static inline int ipfi_xfrm_decode_session(struct net *net, struct sk_buff *skb, struct flowi *flow,
					   unsigned int family)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return xfrm_decode_session(net, skb, flow, family);
#else
	return xfrm_decode_session(skb, flow, family);
#endif
}
#endif

#endif /* IPFI_COMPAT_H */
