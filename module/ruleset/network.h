/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network of addresses, as members of sets are. */
#ifndef IPFI_NETWORK_H
#define IPFI_NETWORK_H

#include "module/core/tuple.h"

#define IPFI_PREFIX_LENGTHS 129 /* 0 to 128 bits */

/* A network, or with the full length an address. Also a key: no byte is undefined, no host bit set. */
struct ipfi_network {
	struct ipfi_addr addr;
	u8 family; /* 4 or 6 */
	u8 length; /* bits of the prefix */
	u16 zero;
};

#endif /* IPFI_NETWORK_H */
