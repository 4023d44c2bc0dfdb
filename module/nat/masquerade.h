/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This machine's own addresses as translations: which one, and what ends when one goes. */
#ifndef IPFI_MASQUERADE_H
#define IPFI_MASQUERADE_H

#include "module/core/tuple.h"
#include "module/packet/context.h"

/* The source address that the way out of @p would use for what this machine sends. False without one. */
bool ipfi_masquerade_addr(struct ipfi_pkt *p, struct ipfi_addr *addr);

/* The address that what is redirected goes to: of the device it came in by; of loopback for what is made here. */
bool ipfi_redirect_addr(struct ipfi_pkt *p, struct ipfi_addr *addr);

/* Ends masqueraded states when their device goes down or loses their address, in every namespace. */
int ipfi_masquerade_init(void);
void ipfi_masquerade_exit(void);

#endif /* IPFI_MASQUERADE_H */
