/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of live states, and the way to them. */
#ifndef IPFI_ESTABLISHED_H
#define IPFI_ESTABLISHED_H

#include "module/packet/context.h"

/*
 * The filter, for packets and for questions about packets: looks for the state of @p, which is parsed and shows its real
 * end points; evaluates it again if the rules are new, lets it advance; else hands @p on (new.h, related.h). Returns the
 * verdict, which has been counted, logged and answered.
 */
unsigned int ipfi_filter_packet(struct ipfi_pkt *p);

#endif /* IPFI_ESTABLISHED_H */
