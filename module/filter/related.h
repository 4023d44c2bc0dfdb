/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors: those about a live state pass with it. */
#ifndef IPFI_RELATED_H
#define IPFI_RELATED_H

#include "module/packet/context.h"

/* The ICMP error @p. Returns the verdict. */
unsigned int ipfi_error_packet(struct ipfi_pkt *p);

#endif /* IPFI_RELATED_H */
