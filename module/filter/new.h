/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of no live state: the rules are asked, and what they allow gets its state. */
#ifndef IPFI_FIRST_H
#define IPFI_FIRST_H

#include "module/core/decide.h"
#include "module/core/packet.h"
#include "module/nat/source.h"
#include "module/packet/context.h"
#include "module/table/expect.h"
#include "module/table/state.h"

/*
 * The packet of no live state. @may_open: it may open a connection. Returns the verdict, or IPFI_LOOK_AGAIN when
 * another CPU has made the state.
 */
unsigned int ipfi_new_packet(struct ipfi_pkt *p, bool may_open);

/*
 * The first packet of a connection whose destination has been translated as it arrived. Its state is locked and
 * comes back unlocked.
 */
unsigned int ipfi_unconfirmed_packet(struct ipfi_pkt *p, struct ipfi_state *state);

/*
 * The SYN in p->packet has passed before, and its answer has come (resync.h): opens its connection
 * by @decision, which allows that and becomes a denial when there is no state to be had.
 */
void ipfi_new_recalled(struct ipfi_pkt *p, struct ipfi_decision *decision);

/*
 * The parts of this that decide and change nothing, shared with who asks what would be decided (explain.c).
 */

/* What the rules say of p's packet. Of the counters, logs and states that follow from it nothing is done. */
void ipfi_ask_rules(struct ipfi_pkt *p, struct ipfi_decision *decision);

/* The same of what @master has announced: it counts as allowed by its rule, unless it goes by interfaces that the rules
 * would not allow that. */
void ipfi_follow_master(struct ipfi_pkt *p, const struct ipfi_master *master, struct ipfi_decision *decision);

/* May a packet so decided open a state? An answer that nobody asked for opens nothing, but a rule without state may
 * let it pass. */
static inline bool ipfi_may_open(const struct ipfi_packet *packet, const struct ipfi_decision *decision)
{
	return decision->verdict == IPFI_VERDICT_ALLOW &&
	       (decision->stateful || packet->icmp_kind != IPFI_ICMP_REPLY);
}

/*
 * Is an allowed packet to have a state, and how is its source to be translated? @expectation: that it met, NULL for
 * none. Returns 0, or the enum ipfi_reason why it must be dropped after all.
 */
u8 ipfi_choose_opening(struct ipfi_pkt *p, const struct ipfi_expectation *expectation,
		       const struct ipfi_decision *decision, struct ipfi_nat_source *source, bool *opens);

#endif /* IPFI_FIRST_H */
