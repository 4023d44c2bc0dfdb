/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The translation of a new connection's destination, as it arrives. */
#ifndef IPFI_NAT_DESTINATION_H
#define IPFI_NAT_DESTINATION_H

#include "passage.h"

/*
 * @p arrives and belongs to no live state: if a rule or an expectation translates its destination, or if another
 * connection has its end points between the translations, makes an unjudged state and rewrites the packet.
 * Returns NF_ACCEPT, NF_DROP (counted), or IPFI_LOOK_AGAIN when another CPU was faster.
 */
unsigned int ipfi_nat_arrive_first(struct ipfi_passage *p);

#endif /* IPFI_NAT_DESTINATION_H */
