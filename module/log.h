/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that met a rule with "log": to nfnetlink_log and to the "log" multicast group. */
#ifndef IPFI_LOG_H
#define IPFI_LOG_H

#include <linux/netfilter.h>
#include "core/decide.h"

struct ipfi_net;

/* decision->rule->log is set. @state_id: of the state the packet made, IPFI_STATE_NONE without. No sleep. */
void ipfi_log_packet(struct ipfi_net *in, const struct sk_buff *skb, const struct nf_hook_state *hook,
		     const struct ipfi_packet *packet, const struct ipfi_decision *decision, u8 state_id);

/* Gets the kernel's logger for NFLOG; a rule set that logs needs it. Sleeps. */
void ipfi_log_load(void);

#endif /* IPFI_LOG_H */
