// SPDX-License-Identifier: GPL-2.0-or-later
/* What a question meets when it arrives: its destination is translated. */
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/packet.h"
#include "module/core/tuple.h"
#include "module/explain/internal.h"
#include "module/nat/destination.h"
#include "module/nat/icmp_error.h"
#include "module/nat/view.h"
#include "module/packet/context.h"
#include "module/packet/rewrite.h"
#include "module/packet/skb.h"
#include "module/table/expect.h"
#include "module/table/state.h"
#include "module/table/table.h"

bool ipfi_asking_is_free(struct ipfi_asking *a, const struct ipfi_tuple *tuple, bool real)
{
	struct ipfi_key key;
	bool higher = ipfi_key_from_tuple(&key, tuple);

	return ipfi_table_is_free(a->p.in, &key, real ? IPFI_TABLE_REAL : ipfi_table_arrives(higher),
				  a->x->rehearsal.gone);
}

/* Does ipfi_nat_try's work without taking anything. */
static int try_real(struct ipfi_passage *p, void *context, const struct ipfi_tuple *real)
{
	return ipfi_asking_is_free(context, real, true) ? 0 : -EEXIST;
}

/* False: it is dropped. */
static bool arrive_first(struct ipfi_asking *a)
{
	struct ipfi_passage *p = &a->p;
	const struct ipfi_expectation *expectation;
	struct ipfi_nat_destination to;
	struct ipfi_tuple real;
	u8 reason;

	if (!ipfi_nat_opens(&p->packet))
		return true;
	expectation = ipfi_expect_find(p->in, &p->packet, true);
	if (!ipfi_nat_find_destination(p, expectation, &to, &reason))
		return true;
	a->x->dstnat_rule = to.rule ? to.rule->id : 0;
	if (!reason && ipfi_skb_checksum_bad(p->skb, &p->packet))
		reason = IPFI_REASON_BAD_CHECKSUM;
	if (!reason && !ipfi_table_has_room(p->in, &p->key, a->x->rehearsal.gone))
		reason = IPFI_REASON_TABLE_FULL;
	if (!reason)
		reason = ipfi_nat_find_real(p, &to, try_real, a, &real);
	if (!reason && !ipfi_tuple_equal(&p->packet.tuple, &real) && !ipfi_rewrite(p->skb, &p->packet, &real))
		reason = IPFI_REASON_NAT_FAILED;
	if (reason) {
		ipfi_asking_deny(a, reason);
		return false;
	}
	a->unjudged = true;
	if (expectation) {
		a->master = expectation->master;
		a->source_given = expectation->src_translated;
		a->given = expectation->leaving_src;
	}
	return true;
}

static bool arrive_connection(struct ipfi_asking *a)
{
	struct ipfi_passage *p = &a->p;
	struct ipfi_wide_state *wide;
	enum ipfi_direction direction;
	bool known, over = false, shown = true;

	ipfi_passage_key(p);
	local_bh_disable();
	wide = ipfi_table_find_translated(p->in, &p->key, ipfi_table_arrives(p->higher), &known);
	if (wide) {
		direction = ipfi_nat_arriving_direction(wide, &p->packet.tuple);
		over = ipfi_nat_is_over(p, wide, direction);
		if (over)
			ipfi_asking_forget(a, &wide->state, &wide->state.flow);
		else
			shown = ipfi_nat_show(p, wide, IPFI_VIEW_REAL, direction);
		spin_unlock(&wide->state.lock);
	}
	local_bh_enable();
	if (!shown)
		ipfi_asking_deny(a, IPFI_REASON_NAT_FAILED);
	return over || !known ? arrive_first(a) : shown;
}

static bool arrive_error(struct ipfi_asking *a)
{
	u8 reason;

	local_bh_disable();
	reason = ipfi_nat_turn_arriving_error(&a->p);
	local_bh_enable();
	if (reason)
		ipfi_asking_deny(a, reason);
	return !reason;
}

bool ipfi_explain_arrive(struct ipfi_asking *a)
{
	const struct ipfi_packet *packet = &a->p.packet;

	if (!READ_ONCE(a->p.in->nat.active) || packet->icmp_kind == IPFI_ICMP_SIGNAL)
		return true;
	/* Over a loopback device it has arrived on its way out. */
	if (packet->loopback && packet->list == IPFI_LIST_IN)
		return true;
	return packet->icmp_kind == IPFI_ICMP_ERROR ? arrive_error(a) : arrive_connection(a);
}
