/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The views of a translated connection, and packets that show them (core/nat.h). */
#ifndef IPFI_NAT_VIEW_H
#define IPFI_NAT_VIEW_H

#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/tuple.h"
#include "module/packet/context.h"
#include "module/table/state.h"

/* *reversed: @tuple as the other end sends; may be the same. */
void ipfi_nat_reverse(const struct ipfi_tuple *tuple, struct ipfi_tuple *reversed);

/* Lets the packet of @wide, locked, show @view; false without memory. */
bool ipfi_nat_show(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_view view,
		   enum ipfi_direction direction);

/*
 * Lets the packet of @wide, locked, that arrives show the real end points, if IPsec's policy lets it come. 0, or the enum
 * ipfi_reason to drop it.
 */
u8 ipfi_nat_show_arriving(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction);

/* The tuple of @wide's packets in @view and @direction. */
void ipfi_nat_view(const struct ipfi_state_ext *ext, enum ipfi_view view, enum ipfi_direction direction,
		   struct ipfi_tuple *tuple);

/* The direction of a packet that arrives with @tuple, by which @wide was found. */
enum ipfi_direction ipfi_nat_arriving_direction(const struct ipfi_state_ext *ext, const struct ipfi_tuple *tuple);

/* Would @p's packet open another connection where that of @wide, locked, has ended? A bad one opens nothing. */
bool ipfi_nat_is_over(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction);

/*
 * The direction of what leaves of @wide's connection and has @tuple, with p->higher. Of an unconfirmed one, which
 * nobody has answered, that is what its refusal is answered with, or an error about it, and nothing else: false.
 */
bool ipfi_nat_leaving_direction(const struct ipfi_pkt *p, const struct ipfi_state_ext *ext,
				const struct ipfi_tuple *tuple, enum ipfi_direction *direction);

#endif /* IPFI_NAT_VIEW_H */
