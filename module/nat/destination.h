/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The translation of a new connection's destination, as it arrives. */
#ifndef IPFI_NAT_DESTINATION_H
#define IPFI_NAT_DESTINATION_H

#include "module/core/packet.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/packet/context.h"
#include "module/table/expect.h"

/*
 * @p arrives and belongs to no live state: if a rule or an expectation translates its destination, or if another
 * connection has its end points between the translations, makes an unjudged state and rewrites the packet.
 * Returns NF_ACCEPT, NF_DROP (counted), or IPFI_LOOK_AGAIN when another CPU was faster.
 */
unsigned int ipfi_nat_arrive_first(struct ipfi_pkt *p);

/*
 * The parts of this that decide and change nothing, shared with who asks what would be decided (explain.c).
 */

/* Where a connection that arrives goes to. */
struct ipfi_nat_destination {
	const struct ipfi_rule *rule;         /* that says so, NULL for none */
	const struct ipfi_expectation *expectation; /* that it meets, NULL for none */
	const struct ipfi_addr *addr;         /* NULL: those of the target */
	const struct ipfi_nat_target *target; /* NULL: the port it has */
	struct ipfi_addr own;
	struct ipfi_nat_target expected;
};

/* May the packet open a connection? What may not has no say over translations either. */
bool ipfi_nat_opens(const struct ipfi_packet *packet);

/*
 * What p's destination is translated to; false for nothing. @expectation: that it meets, NULL for none. *reason:
 * enum ipfi_reason why it cannot be, else 0. @to is not to be copied.
 */
bool ipfi_nat_find_destination(struct ipfi_pkt *p, const struct ipfi_expectation *expectation,
			       struct ipfi_nat_destination *to, u8 *reason);

/* Takes these real end points for the connection, or finds that they are free: 0; another's: any error but -ENOMEM. */
typedef int ipfi_nat_try(struct ipfi_pkt *p, void *context, const struct ipfi_tuple *real);

/* Tries those that @to allows, the most wanted first, until @try returns 0. Returns 0, or the enum ipfi_reason why not. */
u8 ipfi_nat_find_real(struct ipfi_pkt *p, const struct ipfi_nat_destination *to, ipfi_nat_try *try, void *context,
		      struct ipfi_tuple *real);

#endif /* IPFI_NAT_DESTINATION_H */
