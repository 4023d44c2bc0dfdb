/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors about translated connections. They go the way of the packets that answer the quoted one, so the quoted
 * tuple reversed is theirs, and the quoted packet itself shows what it showed where the error was made (RFC 5508 REQ-4,
 * REQ-5). Each returns 0, or the enum ipfi_reason why the error must be dropped. BHs off.
 */
#ifndef IPFI_NAT_ICMP_ERROR_H
#define IPFI_NAT_ICMP_ERROR_H

#include "module/packet/context.h"

/* Lets an error that arrives show the real end points, in what it quotes too. */
u8 ipfi_nat_turn_arriving_error(struct ipfi_pkt *p);

/* Lets an error that leaves show what the other side knows. *known: it is about a translated connection. */
u8 ipfi_nat_turn_leaving_error(struct ipfi_pkt *p, bool *known);

#endif /* IPFI_NAT_ICMP_ERROR_H */
