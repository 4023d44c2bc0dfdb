// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/tuple.h"
#include "module/filter/new.h"
#include "module/filter/rejudge.h"
#include "module/filter/related.h"
#include "module/nat/hooks.h"
#include "module/nat/translate.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/packet/skb.h"
#include "module/packet/verdict.h"
#include "module/table/state.h"

/* May an ICMP error about @state, locked and of packets of @direction, pass? Else it is unlocked, or gone. */
static bool may_relate(struct ipfi_pkt *p, struct ipfi_state *state, enum ipfi_direction direction)
{
	const u64 old_rule = state->flow.rule;
	struct ipfi_reevaluation out;
	enum ipfi_reevaluated judged;

	if (!ipfi_must_reevaluate(p, &state->flow, direction))
		return true;
	judged = ipfi_reevaluate_related(p, &state->flow, ipfi_reevaluate_master(state), direction, &out);
	if (judged == IPFI_REEVALUATED_FLOW) {
		ipfi_pkt_remove(p, state, IPFI_CAUSE_DENIED);
		return false;
	}
	ipfi_reevaluate_take_rule(p, state, old_rule, &out);
	if (judged == IPFI_REEVALUATED_HOLDS)
		return true;
	spin_unlock(&state->lock);
	return false;
}

/* Does the ICMP error speak about a live state that the rules in force allow? */
static noinline bool is_related(struct ipfi_pkt *p)
{
	enum ipfi_direction direction;
	struct ipfi_state *state;
	bool related;

	if (!p->packet.inner.family)
		return false;
	p->higher = ipfi_key_from_tuple(&p->key, &p->packet.inner);
	state = ipfi_pkt_find(p, IPFI_TABLE_REAL);
	if (!state)
		return false;
	related = !ipfi_state_hidden(state) && ipfi_decide_related(&state->flow, &p->packet);
	/* It goes the other way than what it quotes. */
	direction = ipfi_flow_direction(&state->flow, p->higher) == IPFI_REPLY ? IPFI_ORIGINAL : IPFI_REPLY;
	if (related && !may_relate(p, state, direction))
		return false;
	if (related && ipfi_state_translated(state))
		ipfi_nat_mark(p);
	spin_unlock(&state->lock);
	return related;
}

unsigned int ipfi_error_packet(struct ipfi_pkt *p)
{
	if (ipfi_skb_checksum_bad(p->skb, &p->packet))
		return ipfi_pkt_count(p, IPFI_REASON_BAD_CHECKSUM, NF_DROP);
	if (is_related(p)) {
		/* To this machine it leaves here. */
		if (READ_ONCE(p->in->nat.active) && p->packet.list == IPFI_LIST_IN && !p->packet.loopback &&
		    ipfi_nat_leave(p, false) != NF_ACCEPT)
			return NF_DROP;
		return ipfi_pkt_count(p, IPFI_REASON_RELATED, NF_ACCEPT);
	}
	ipfi_pkt_unrelated(p);
	return ipfi_new_packet(p, false);
}
