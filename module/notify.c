// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/rcupdate.h>
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/net.h"
#include "module/notify.h"

/* NULL while the family is not registered: packets and timers come before that and after it. */
static const struct ipfi_notifier __rcu *notifier;

void ipfi_notifier_register(const struct ipfi_notifier *one)
{
	rcu_assign_pointer(notifier, one);
}

void ipfi_notifier_unregister(void)
{
	RCU_INIT_POINTER(notifier, NULL);
	synchronize_rcu();
}

/* The notifier, if anybody in @in's namespace listens to @group. */
static const struct ipfi_notifier *heard(const struct ipfi_net *in, enum ipfi_group group)
{
	const struct ipfi_notifier *one = rcu_dereference(notifier);

	return unlikely(one && genl_has_listeners(one->family, in->net, group)) ? one : NULL;
}

/* Calls @function of the notifier with the arguments that follow, if somebody listens to @group. */
#define NOTIFY(in, group, function, ...)                              \
	do {                                                          \
		const struct ipfi_notifier *one;                      \
                                                                      \
		rcu_read_lock();                                      \
		one = heard(in, group);                               \
		if (one)                                              \
			one->function(in, __VA_ARGS__);               \
		rcu_read_unlock();                                    \
	} while (0)

void ipfi_notify_state(struct ipfi_net *in, struct ipfi_state *state, enum ipfi_event kind, enum ipfi_cause cause)
{
	NOTIFY(in, IPFI_GROUP_INDEX_STATE, state, state, kind, cause);
}

void ipfi_notify_table_full(struct ipfi_net *in, u32 states)
{
	NOTIFY(in, IPFI_GROUP_INDEX_STATE, table_full, states);
}

void ipfi_notify_ruleset(struct ipfi_net *in, enum ipfi_change change)
{
	NOTIFY(in, IPFI_GROUP_INDEX_RULESET, ruleset, change);
}

void ipfi_notify_log(struct ipfi_net *in, const struct ipfi_packet *packet, const struct ipfi_log_entry *entry)
{
	NOTIFY(in, IPFI_GROUP_INDEX_LOG, log, packet, entry);
}

void ipfi_notify_nat_full(struct ipfi_net *in, const struct ipfi_packet *packet, const struct ipfi_rule *rule)
{
	NOTIFY(in, IPFI_GROUP_INDEX_STATE, nat_full, packet, rule);
}
