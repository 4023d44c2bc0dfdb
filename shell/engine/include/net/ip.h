/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4, put together. */
#ifndef IPFI_ENGINE_NET_IP_H
#define IPFI_ENGINE_NET_IP_H

#include <linux/ip.h>
#include <net/checksum.h>

#endif
