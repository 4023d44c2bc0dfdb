/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens here, for those who listen: multicast events of states, rule sets and logged packets. Everybody reports
 * here and knows nobody; netlink/events.c registers what makes messages of it. Nothing here sleeps.
 */
#ifndef IPFI_NOTIFY_H
#define IPFI_NOTIFY_H

#include <net/genetlink.h>
#include "module/core/packet.h"
#include "module/core/rule.h"
#include "module/net.h"

struct ipfi_state;

/* The multicast groups, as the family numbers them. */
enum ipfi_group {
	IPFI_GROUP_INDEX_STATE,
	IPFI_GROUP_INDEX_LOG,
	IPFI_GROUP_INDEX_RULESET,
};

/* What a log event says beside the packet: @rule is an id, @name NULL where only that is known. */
struct ipfi_log_entry {
	const char *prefix;
	u64 rule;
	const char *name;
	u8 verdict, reason, state_id;
};

/* What makes messages of events. Called under RCU, and only if somebody listens to the group. */
struct ipfi_notifier {
	const struct genl_family *family; /* of the groups */
	void (*state)(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_event kind, enum ipfi_cause cause);
	void (*table_full)(struct ipfi_net *in, u32 states);
	void (*ruleset)(struct ipfi_net *in, enum ipfi_change change);
	void (*log)(struct ipfi_net *in, const struct ipfi_packet *packet, const struct ipfi_log_entry *entry);
	void (*nat_full)(struct ipfi_net *in, const struct ipfi_packet *packet, const struct ipfi_rule *rule);
};

/* There is one at a time. Unregistering waits until none of its functions runs any more; sleeps. */
void ipfi_notifier_register(const struct ipfi_notifier *notifier);
void ipfi_notifier_unregister(void);

/* @cause is IPFI_CAUSE_UNSPEC but for IPFI_EVENT_DESTROYED. @state is locked or nobody else's. */
void ipfi_notify_state(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_event kind, enum ipfi_cause cause);

/* The table is full (the caller limits the rate). */
void ipfi_notify_table_full(struct ipfi_net *in, u32 states);

/* What happened to the running rule set. Holds in->mutex. */
void ipfi_notify_ruleset(struct ipfi_net *in, enum ipfi_change change);

/* @packet is logged. */
void ipfi_notify_log(struct ipfi_net *in, const struct ipfi_packet *packet, const struct ipfi_log_entry *entry);

/* No translation is left for the connection that @packet opens (the caller limits the rate). @rule: that wanted one, or NULL. */
void ipfi_notify_nat_full(struct ipfi_net *in, const struct ipfi_packet *packet, const struct ipfi_rule *rule);

#endif /* IPFI_NOTIFY_H */
