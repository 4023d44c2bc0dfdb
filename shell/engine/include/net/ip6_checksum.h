/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pseudo header of IPv6 (RFC 8200 section 8.1). */
#ifndef IPFI_ENGINE_NET_IP6_CHECKSUM_H
#define IPFI_ENGINE_NET_IP6_CHECKSUM_H

#include <linux/in6.h>
#include <net/checksum.h>

__sum16 csum_ipv6_magic(const struct in6_addr *source, const struct in6_addr *destination, u32 length, u8 proto,
			__wsum sum);

#endif
