/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The translation of a new connection's source, as it leaves. */
#ifndef IPFI_NAT_SOURCE_H
#define IPFI_NAT_SOURCE_H

#include "module/core/nat.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/packet/context.h"
#include "module/table/mapping.h"
#include "module/table/state.h"

/* What the source of a connection is translated to as it leaves. */
struct ipfi_nat_source {
	bool wanted;
	bool masqueraded;
	const struct ipfi_rule *rule; /* that says so, NULL for none */
	bool one_addr;                /* only addr, else those of the rule's target */
	struct ipfi_addr addr;
};

/*
 * Finds that out for the connection that @p, judged and allowed, opens; @given: its address is known. Returns 0,
 * or the enum ipfi_reason why the packet must be dropped.
 */
u8 ipfi_nat_find_source(struct ipfi_pkt *p, const struct ipfi_addr *given, struct ipfi_nat_source *source);

/* Would @source leave it as it is? */
bool ipfi_nat_source_is_same(struct ipfi_pkt *p, const struct ipfi_nat_source *source);

/*
 * Begins the search for the end point of @real's source that @source allows; that it has now is wanted first.
 * False without one.
 */
bool ipfi_nat_source_search(struct ipfi_pkt *p, const struct ipfi_nat_source *source,
			    const struct ipfi_tuple *real, struct ipfi_nat_search *search);

/* By what the replies to @real are found as they arrive, when its source is @addr and @port outside. */
void ipfi_nat_reply(const struct ipfi_tuple *real, const struct ipfi_addr *addr, u16 port, struct ipfi_tuple *reply);

/* Does @source, of a rule, still translate to @outer, the outer end of a mapping? */
bool ipfi_nat_mapping_fits(const struct ipfi_end *outer, const struct ipfi_nat_source *source);

/*
 * The packet @p of a live connection, in its original direction, leaves by another interface than before. Does its
 * source, which it shows as @src outside, have to be translated to another address there? @masqueraded: it was, by the
 * interface that it left by; else that is asked only if it would be masqueraded here. Such a connection ends: its next
 * packet begins anew.
 */
bool ipfi_nat_has_moved(struct ipfi_pkt *p, const struct ipfi_addr *src, bool masqueraded);

/*
 * Gives @wide, locked and in the table, its leaving view and the node that finds its replies. 0, or the reason:
 * NAT_FULL (which has been told to who listens), NO_MEMORY.
 */
u8 ipfi_nat_translate_source(struct ipfi_pkt *p, struct ipfi_state_ext *ext,
			     const struct ipfi_nat_source *source);

#endif /* IPFI_NAT_SOURCE_H */
