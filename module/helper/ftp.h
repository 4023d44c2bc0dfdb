/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What watches a control connection: lets core/ftp.c read its lines, makes expectations of what they announce,
 * and, through a translation, writes what the other side has to read.
 */
#ifndef IPFI_HELPER_H
#define IPFI_HELPER_H

#include "module/core/flow.h"
#include "module/core/rule.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/table/expect.h"
#include "module/table/state.h"

/* Lets @wide, the locked state that @p has just opened by @rule, be watched. -ENOMEM. */
int ipfi_control_attach(struct ipfi_pkt *p, struct ipfi_state_ext *ext, const struct ipfi_rule *rule);

/*
 * Reads and writes the payload of @p, which has opened @wide: of a SYN (RFC 7413) or of a connection that is taken up in
 * the middle. Returns 0 or the reason to count it by; after NO_MEMORY it must be dropped, and what it has announced is
 * forgotten by ipfi_control_end().
 */
u8 ipfi_control_opened(struct ipfi_pkt *p, struct ipfi_state_ext *ext);

/* New rules have judged it, and @rule allows it: is it to be watched further? */
void ipfi_control_reevaluated(struct ipfi_net *in, struct ipfi_control *control, const struct ipfi_rule *rule);

/*
 * Before @p, of the watched @wide, is told to its flow: what the segment acknowledges is brought into the
 * sender's numbers, *ack has it as it was. Returns 0, or the reason to drop it.
 *
 * A segment that something before it is missing for is dropped after the flow has taken note of it: its sender has sent
 * all that, and if it is acknowledged it has arrived by another way. Then reading goes on behind it.
 */
u8 ipfi_control_before(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction, u32 *ack);

/*
 * After the flow has let it pass: reads and writes its payload. *verdict becomes NF_DROP if that fails or if it comes
 * too early. Returns the reason to count.
 */
u8 ipfi_control_after(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction, u32 ack,
		      unsigned int *verdict);

/* @control's connection begins again, its client's numbers with @seq: nothing of what was read or edited counts. */
void ipfi_control_restart(struct ipfi_net *in, struct ipfi_control *control, u32 seq);

#endif /* IPFI_HELPER_H */
