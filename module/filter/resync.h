/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection whose ends have begun another one, by a SYN that had passed without effect:
 * core/tcp_resync.h. */
#ifndef IPFI_RESYNC_H
#define IPFI_RESYNC_H

#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/tcp_resync.h"
#include "module/packet/context.h"

/* That SYN, as a packet. */
struct ipfi_recalled {
	struct ipfi_packet
		syn; /* its options are in the next: it must not be copied without that */
	u8 options[IPFI_TCP_RECALLED_OPTIONS];
};

/* The SYN of @flow that @p's packet answers. It goes the other way: what is not known of it is
 * marked so. */
void ipfi_resync_recall(const struct ipfi_pkt *p, const struct ipfi_flow *flow,
			struct ipfi_recalled *recalled);

/*
 * @p's packet, a SYN, has passed without effect and is kept in @flow, whose state is locked: marks
 * it when the rules would not let it open a connection. Here alone all of it is there to be asked
 * of.
 */
void ipfi_resync_weigh(struct ipfi_pkt *p, struct ipfi_flow *flow);

/*
 * What the rules say of the SYN in p->packet that has been recalled and opens its connection
 * against the direction of the one before. Returns 0 or the enum ipfi_reason why it must be sent
 * again: it is to be translated.
 */
u8 ipfi_resync_ask(struct ipfi_pkt *p, struct ipfi_decision *decision);

/* The decision about a connection whose kept SYN was found denied. */
void ipfi_resync_deny(struct ipfi_decision *decision);

#endif /* IPFI_RESYNC_H */
