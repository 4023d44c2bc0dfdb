/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 addresses. */
#ifndef IPFI_ENGINE_LINUX_IN6_H
#define IPFI_ENGINE_LINUX_IN6_H

#include_next <linux/in6.h>
#include <linux/socket.h>

extern const struct in6_addr in6addr_loopback;

#endif
