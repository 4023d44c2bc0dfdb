/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An entry of IPv6's table of ways. Those of the engine prefer no source. */
#ifndef IPFI_ENGINE_NET_IP6_FIB_H
#define IPFI_ENGINE_NET_IP6_FIB_H

#include <linux/in6.h>
#include <linux/rcupdate.h>

struct rt6key {
	struct in6_addr addr;
	int plen;
};

struct fib6_info {
	struct rt6key fib6_prefsrc;
};

#endif
