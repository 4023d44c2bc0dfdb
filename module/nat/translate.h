/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address translation. core/nat.h tells of a connection's three views; a packet is found in the state table by
 * what it shows at the place where it is:
 *
 *	arrives (PREROUTING, made here: LOCAL_OUT)   destination's translation, then it shows the real end points
 *	is judged (LOCAL_IN, FORWARD, LOCAL_OUT)
 *	leaves (POSTROUTING, to this machine: LOCAL_IN)   source's translation
 *
 * What goes over a loopback device leaves before it arrives: both are done on the way out.
 *
 * The hooks for what arrives and leaves are there while the rule set has NAT rules or a translated state lives.
 */
#ifndef IPFI_NAT_H
#define IPFI_NAT_H

#include <linux/ratelimit_types.h>
#include <linux/workqueue.h>
#include "module/packet/context.h"

int ipfi_nat_init(struct ipfi_net *in);
void ipfi_nat_exit(struct ipfi_net *in);

/* Starts to translate, if @rs asks for it. 0 or -errno. Holds in->mutex. Sleeps. */
int ipfi_nat_start(struct ipfi_net *in, const struct ipfi_ruleset *rs);

/* Are packets translated here? */
static inline bool ipfi_nat_is_active(const struct ipfi_net *in)
{
	return READ_ONCE(in->nat.active);
}

/* Stops when nothing asks for it any more. For the expiry worker. Sleeps. */
void ipfi_nat_stop_idle(struct ipfi_net *in);

/* Stops in any case. */
void ipfi_nat_unregister(struct ipfi_net *in);

/*
 * @p arrives: shows the real end points from now on, in the packet and in p->packet; makes an unjudged state
 * where a new connection's destination is translated. Returns NF_ACCEPT, or NF_DROP when it has been counted.
 */
unsigned int ipfi_nat_arrive(struct ipfi_passage *p);

/* @p, which shows the real end points, leaves. Returns NF_ACCEPT, or NF_DROP when it has been counted. */
unsigned int ipfi_nat_leave(struct ipfi_passage *p);

/*
 * @p, a packet of the translated connection @wide, which is locked, is for this machine: here it leaves. False if it
 * cannot be written.
 */
bool ipfi_nat_enter(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction);

/* The filter has accepted @p as one of a translated connection: it does not leave without its state. */
void ipfi_nat_mark(struct ipfi_passage *p);

/* Lets the packet of @wide, locked, show @view; false without memory. */
bool ipfi_nat_show(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_view view,
		   enum ipfi_direction direction);

/*
 * Lets the packet of @wide, locked, that arrives show the real end points, if IPsec's policy lets it come. 0, or the enum
 * ipfi_reason to drop it.
 */
u8 ipfi_nat_show_arriving(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction);

/* The tuple of @wide's packets in @view and @direction. */
void ipfi_nat_view(const struct ipfi_wide_state *wide, enum ipfi_view view, enum ipfi_direction direction,
		   struct ipfi_tuple *tuple);

/* The direction of a packet that arrives with @tuple, by which @wide was found. */
enum ipfi_direction ipfi_nat_arriving_direction(const struct ipfi_wide_state *wide, const struct ipfi_tuple *tuple);

/* Would @p's packet open another connection where that of @wide, locked, has ended? A bad one opens nothing. */
bool ipfi_nat_is_over(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction);

/*
 * An ICMP error arrives, or leaves: rewrites it, and what it quotes, as the translation of the connection that it
 * speaks of wants. Returns 0, or the enum ipfi_reason why it must be dropped. BHs off.
 */
u8 ipfi_nat_turn_error(struct ipfi_passage *p, bool arriving);

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
u8 ipfi_nat_find_source(struct ipfi_passage *p, const struct ipfi_addr *given, struct ipfi_nat_source *source);

/* Would @source leave it as it is? */
bool ipfi_nat_source_is_same(struct ipfi_passage *p, const struct ipfi_nat_source *source);

/*
 * Begins the search for the end point of @real's source that @source allows; that it has now is wanted first.
 * False without one.
 */
bool ipfi_nat_source_search(struct ipfi_passage *p, const struct ipfi_nat_source *source,
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
bool ipfi_nat_has_moved(struct ipfi_passage *p, const struct ipfi_addr *src, bool masqueraded);

/*
 * Gives @wide, locked and in the table, its leaving view and the node that finds its replies. 0, or the reason:
 * NAT_FULL (which has been told to who listens), NO_MEMORY.
 */
u8 ipfi_nat_translate_source(struct ipfi_passage *p, struct ipfi_wide_state *wide,
			     const struct ipfi_nat_source *source);

#endif /* IPFI_NAT_H */
