/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4. */
#ifndef IPFI_ENGINE_LINUX_IN_H
#define IPFI_ENGINE_LINUX_IN_H

#include_next <linux/in.h>
#include <asm/byteorder.h>
#include <linux/types.h>

static inline bool ipv4_is_multicast(__be32 addr)
{
	return (ntohl(addr) & 0xf0000000) == 0xe0000000;
}

static inline bool ipv4_is_loopback(__be32 addr)
{
	return ntohl(addr) >> 24 == 127;
}

#endif
