/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multicast events of states and rule sets. All return at once when nobody listens; none sleeps. */
#ifndef IPFI_EVENT_H
#define IPFI_EVENT_H

#include "module/net.h"

/* @cause is IPFI_CAUSE_UNSPEC but for IPFI_EVENT_DESTROYED. @state is locked or nobody else's. */
void ipfi_event_state(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_event kind,
		      enum ipfi_cause cause);

/* The table is full (the caller limits the rate). */
void ipfi_event_full(struct ipfi_net *in, u32 states);

/* What happened to the running rule set. Holds in->mutex. */
void ipfi_event_ruleset(struct ipfi_net *in, enum ipfi_change change);

#endif /* IPFI_EVENT_H */
