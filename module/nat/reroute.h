/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a packet that has been rewritten was looked up for by its old addresses: its route and its IPsec policy. */
#ifndef IPFI_NAT_REROUTE_H
#define IPFI_NAT_REROUTE_H

#include "module/core/tuple.h"
#include "module/packet/context.h"

/*
 * @p's packet arrives and showed the destination @before: what has been found out about that is looked up again or
 * forgotten. False: it must be dropped.
 */
bool ipfi_nat_reroute(struct ipfi_pkt *p, const struct ipfi_addr *before);

/*
 * What leaves shows another source than @before, by which IPsec's policy was looked up. (To this machine nothing of
 * that kind happens: what it shows was checked as it came.) False: it must not leave.
 */
bool ipfi_nat_find_policy(struct ipfi_pkt *p, const struct ipfi_addr *before);

#endif /* IPFI_NAT_REROUTE_H */
