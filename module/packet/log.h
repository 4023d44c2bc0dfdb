/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that met a rule with "log": to nfnetlink_log and to the "log" multicast group. */
#ifndef IPFI_LOG_H
#define IPFI_LOG_H

#include <linux/netfilter.h>
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/ftp.h"
#include "module/core/packet.h"
#include "module/core/rule.h"

struct ipfi_net;
struct ipfi_pkt;

/* decision->rule->log is set. @state_id: of the state the packet made, IPFI_STATE_NONE without. No sleep. */
void ipfi_log_packet(struct ipfi_net *in, const struct sk_buff *skb, const struct nf_hook_state *hook,
		     const struct ipfi_packet *packet, const struct ipfi_decision *decision, u8 state_id);

/*
 * @p, of the control connection @flow, announced what is not believed for @reason: one line in the kernel log
 * where ipfi_log_allowed() says so, and an event of the group "log" whose prefix is the reason's name; both not more often than once in a while.
 */
void ipfi_log_helper_error(struct ipfi_pkt *p, const struct ipfi_flow *flow, const struct ipfi_ftp_finding *found,
		      u8 reason);

/*
 * No translation is left for the connection that @p opens: a line in the kernel log, likewise, and an event of the
 * group "state", once a second. @rule: that wanted one, NULL for none.
 */
void ipfi_log_nat_full(struct ipfi_pkt *p, const struct ipfi_rule *rule);

/* Gets the kernel's logger for NFLOG; a rule set that logs needs it. Sleeps. */
void ipfi_log_load(struct ipfi_net *in);

#endif /* IPFI_LOG_H */
