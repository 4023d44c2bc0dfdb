// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tcp_resync.h"
#include "module/core/tuple.h"
#include "module/filter/established.h"
#include "module/filter/new.h"
#include "module/filter/rejudge.h"
#include "module/filter/related.h"
#include "module/filter/resync.h"
#include "module/helper/ftp.h"
#include "module/nat/hooks.h"
#include "module/nat/translate.h"
#include "module/nat/view.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/packet/mss.h"
#include "module/packet/skb.h"
#include "module/packet/verdict.h"
#include "module/table/state.h"
#include "module/table/table.h"

/* What could change a state for good must be what its receiver will believe: its checksum is right. */
static bool must_be_believed(const struct ipfi_packet *packet)
{
	return packet->tuple.proto == IPFI_PROTO_TCP &&
	       packet->tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_FIN | IPFI_TCP_RST);
}

/*
 * A segment of a TCP connection whose state was deleted: the reason to count. Resets pass, so that both ends hear
 * of it; whoever goes on is told that it is over (KILLED). NONE: a SYN begins anew.
 */
static u8 killed_reason(const struct ipfi_packet *packet)
{
	u8 flags = packet->tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_ACK | IPFI_TCP_RST);

	if (flags == IPFI_TCP_SYN)
		return IPFI_REASON_NONE;
	return flags & IPFI_TCP_RST ? IPFI_REASON_STATE : IPFI_REASON_KILLED;
}

/* Has list "in" its say over a packet of @flow that enters by a loopback device? @announced: another one has it. */
static bool loopback_opens(const struct ipfi_flow *flow, bool announced, enum ipfi_direction direction)
{
	return flow->list == IPFI_LIST_OUT && direction == IPFI_ORIGINAL &&
	       !(flow->flags & IPFI_STATE_F_REPLY_SEEN) && !announced;
}

/*
 * A packet that came in by a loopback device has advanced its state when it went out. The list "in" still has
 * its say over who may open a connection, unless another one has announced it.
 */
static unsigned int enter_by_loopback(struct ipfi_pkt *p, struct ipfi_state *state, enum ipfi_direction direction)
{
	const struct ipfi_state_ext *ext = ipfi_state_extended(state);
	bool opening = loopback_opens(&state->flow, ext && ext->master, direction);

	spin_unlock(&state->lock);
	if (opening)
		return ipfi_new_packet(p, false);
	return ipfi_pkt_count(p, IPFI_REASON_STATE, NF_ACCEPT);
}

static noinline unsigned int answer_killed(struct ipfi_pkt *p, struct ipfi_state *state)
{
	u8 reason = killed_reason(&p->packet);

	if (!reason) {
		ipfi_pkt_remove(p, state, IPFI_CAUSE_REPLACED);
		return IPFI_LOOK_AGAIN;
	}
	if (ipfi_state_translated(state))
		ipfi_nat_mark(p);
	spin_unlock(&state->lock);
	if (reason == IPFI_REASON_STATE)
		return ipfi_pkt_count(p, reason, NF_ACCEPT);
	return ipfi_pkt_refuse(p, reason);
}

/*
 * The packet is accepted as one of @wide's, which is locked, for the reason *reason: what the state wants of its
 * packets beside that.
 */
static noinline unsigned int post_accept(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction,
				    u32 ack, u8 *reason)
{
	unsigned int verdict = NF_ACCEPT;

	if (ext->control && *reason == IPFI_REASON_STATE)
		*reason = ipfi_control_after(p, ext, direction, ack, &verdict);
	if (ext->mss && likely(!p->dry_run) && !ipfi_mss_clamp(p, ext->mss)) {
		*reason = IPFI_REASON_NO_MEMORY;
		verdict = NF_DROP;
	}
	/* To this machine it leaves here. */
	if (ext->translated && p->packet.list == IPFI_LIST_IN && !p->packet.loopback && verdict == NF_ACCEPT &&
	    !ipfi_nat_enter(p, ext, direction)) {
		*reason = IPFI_REASON_NAT_FAILED;
		verdict = NF_DROP;
	}
	if (ext->translated)
		ipfi_nat_mark(p);
	return verdict;
}

/*
 * @p's packet, of @direction, answers a SYN that had passed without effect: both ends speak of the
 * connection that this one opens. If the rules allow that it lives in the place of @state, which is
 * locked and comes back unlocked, and the packet belongs to it (IPFI_LOOK_AGAIN); in any case that
 * of before is over.
 */
static noinline unsigned int take_up_again(struct ipfi_pkt *p, struct ipfi_state *state,
					   enum ipfi_direction direction)
{
	struct ipfi_state_ext *ext = ipfi_state_extended(state);
	const bool translated = ipfi_state_translated(state);
	const struct ipfi_packet answer = p->packet;
	struct ipfi_flow *flow = &state->flow;
	struct ipfi_recalled recalled;
	struct ipfi_decision decision;
	struct ipfi_reevaluation out;
	const u64 old_rule = flow->rule;
	u8 state_id = flow->state, reason;

	if (flow->tcp.kept.denied) {
		ipfi_resync_deny(&decision);
		goto deny;
	}
	ipfi_resync_recall(p, flow, &recalled);
	if (direction == IPFI_REPLY) {
		ipfi_tcp_resync(flow, &recalled.syn);
		if (!ipfi_reevaluate_resync(p, flow, ipfi_reevaluate_master(state), &out)) {
			decision = out.denied;
			goto deny;
		}
		ipfi_reevaluate_take_rule(p, state, old_rule, &out);
		if (ext && ext->control)
			ipfi_control_restart(p->in, ext->control, recalled.syn.seq + 1);
		spin_unlock(&state->lock);
		return IPFI_LOOK_AGAIN;
	}
	/*
	 * The other way round it is another connection, with another source and maybe another
	 * translation. Where that is not for this packet to find out the SYN must come again.
	 */
	ipfi_pkt_remove(p, state, IPFI_CAUSE_REPLACED);
	if (translated || p->packet.loopback)
		return ipfi_pkt_count(p, IPFI_REASON_TCP_STATE, NF_DROP);
	p->packet = recalled.syn;
	ipfi_pkt_key(p);
	reason = ipfi_resync_ask(p, &decision);
	if (!reason && decision.verdict == IPFI_VERDICT_ALLOW)
		ipfi_new_recalled(p, &decision);
	p->packet = answer;
	ipfi_pkt_key(p);
	if (reason)
		return ipfi_pkt_count(p, reason, NF_DROP);
	if (decision.verdict == IPFI_VERDICT_ALLOW)
		return IPFI_LOOK_AGAIN;
	return ipfi_pkt_carry_out(p, &decision, IPFI_STATE_NONE);

deny:
	ipfi_pkt_remove(p, state, IPFI_CAUSE_DENIED);
	return ipfi_pkt_carry_out(p, &decision, state_id);
}

/* The packet of a live state, which is locked and comes back unlocked. */
static unsigned int judge_live(struct ipfi_pkt *p, struct ipfi_state *state)
{
	struct ipfi_state_ext *ext = ipfi_state_extended(state);
	unsigned int verdict = NF_ACCEPT;
	struct ipfi_flow *flow = &state->flow;
	enum ipfi_direction direction;
	u8 before, reason;
	u32 ack = 0;

	if (unlikely(flow->table & IPFI_TABLE_KILLED))
		return answer_killed(p, state);
	if (unlikely(flow->flags & IPFI_FLOW_F_UNCONFIRMED))
		return ipfi_unconfirmed_packet(p, state);
	direction = ipfi_flow_direction(flow, p->higher);
	if (ipfi_must_reevaluate(p, flow, direction)) {
		verdict = ipfi_reevaluate_state(p, state, direction);
		if (verdict != NF_ACCEPT)
			return verdict;
	}
	if (unlikely(p->packet.loopback) && p->packet.list == IPFI_LIST_IN)
		return enter_by_loopback(p, state, direction);
	/* What begins the connection again has nothing to do with what was read of it. */
	if (unlikely(ext) && ext->control &&
	    !ipfi_tcp_answers_kept(&flow->tcp, &p->packet, direction)) {
		reason = ipfi_control_before(p, ext, direction, &ack);
		if (reason)
			goto drop;
	}

	before = flow->state;
	switch (ipfi_flow_advance(flow, &p->packet, direction, &reason)) {
	case IPFI_ADVANCE_PASS:
		ipfi_table_renew(p->in, state);
		if (unlikely(flow->state != before))
			ipfi_pkt_notify(p, state, IPFI_EVENT_CHANGED);
		reason = IPFI_REASON_STATE;
		fallthrough;
	case IPFI_ADVANCE_IGNORE:
		if (unlikely(reason == IPFI_REASON_CHALLENGE) && ipfi_tcp_is_syn(&p->packet) &&
		    !(ext && ext->master) && likely(!p->dry_run))
			ipfi_resync_weigh(p, flow);
		if (unlikely(ext))
			verdict = post_accept(p, ext, direction, ack, &reason);
		spin_unlock(&state->lock);
		return ipfi_pkt_count(p, reason, verdict);
	case IPFI_ADVANCE_REOPEN:
		/* A translated one has come back here too late to be told anew: its sender tries again. */
		reason = IPFI_REASON_TCP_STATE;
		if (ext && ext->translated) {
			ipfi_pkt_remove(p, state, IPFI_CAUSE_REPLACED);
			return ipfi_pkt_count(p, reason, NF_DROP);
		}
		ipfi_pkt_remove(p, state, IPFI_CAUSE_REPLACED);
		return IPFI_LOOK_AGAIN;
	case IPFI_ADVANCE_RESYNC:
		return take_up_again(p, state, direction);
	case IPFI_ADVANCE_DROP:
		break;
	}
drop:
	spin_unlock(&state->lock);
	return ipfi_pkt_count(p, reason, NF_DROP);
}

/*
 * What comes in by a loopback device has been translated twice on its way out: it shows what leaves. Lets p->packet,
 * not the packet itself, show the real end points again.
 */
static noinline struct ipfi_state *find_behind_loopback(struct ipfi_pkt *p)
{
	struct ipfi_state_ext *ext;
	struct ipfi_state *state;
	struct ipfi_tuple leaving;
	enum ipfi_direction direction;

	/* What leaves in one direction is what arrives in the other, the ends exchanged. */
	state = ipfi_pkt_find(p, ipfi_table_arrives(!p->higher));
	ext = state ? ipfi_state_translated(state) : NULL;
	/* Instead of a deleted one another may begin, with the end points that the packet shows. */
	if (!ext || state->flow.table & IPFI_TABLE_KILLED)
		return state;
	ipfi_nat_view(ext, IPFI_VIEW_LEAVING, IPFI_ORIGINAL, &leaving);
	direction = ipfi_addr_equal(&leaving.src, &p->packet.tuple.src) && leaving.sport == p->packet.tuple.sport ?
			    IPFI_ORIGINAL :
			    IPFI_REPLY;
	ipfi_nat_view(ext, IPFI_VIEW_REAL, direction, &p->packet.tuple);
	ipfi_pkt_key(p);
	return state;
}

/* Does @p's packet come in by a loopback device, where translated ones show what leaves? */
static bool enters_translated(const struct ipfi_pkt *p)
{
	return unlikely(p->packet.loopback) && p->packet.list == IPFI_LIST_IN && READ_ONCE(p->in->nat.active);
}

/*
 * The state that @p's packet belongs to, locked, or NULL. What was translated on its way out by a loopback device
 * shows its real end points from then on in p->packet, though not itself. Under RCU, BHs off.
 */
static struct ipfi_state *find_state(struct ipfi_pkt *p)
{
	if (enters_translated(p))
		return find_behind_loopback(p);
	return ipfi_pkt_find(p, IPFI_TABLE_REAL);
}

/*
 * find_state() has found nothing for @p: does its packet, which comes in by a loopback device, show the real end
 * points of a translated connection? None that left by that device shows them any more, so it is forged, and no
 * state could be made for it. Under RCU.
 */
static bool is_astray(const struct ipfi_pkt *p)
{
	return enters_translated(p) && ipfi_table_has(p->in, &p->key, IPFI_TABLE_REAL, ipfi_pkt_gone(p));
}

static __always_inline unsigned int judge_once(struct ipfi_pkt *p)
{
	struct ipfi_state *state = find_state(p);

	if (likely(state))
		return judge_live(p, state);
	if (is_astray(p))
		return ipfi_pkt_count(p, IPFI_REASON_NAT_FAILED, NF_DROP);
	return ipfi_new_packet(p, true);
}

unsigned int ipfi_filter_packet(struct ipfi_pkt *p)
{
	unsigned int verdict, lookups;

	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_ERROR))
		return ipfi_error_packet(p);
	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_SIGNAL))
		return ipfi_new_packet(p, false);
	if (must_be_believed(&p->packet) && ipfi_skb_checksum_bad(p->skb, &p->packet))
		return ipfi_pkt_count(p, IPFI_REASON_BAD_CHECKSUM, NF_DROP);

	for (lookups = 0; lookups < IPFI_LOOKUPS_MAX; lookups++) {
		ipfi_pkt_key(p);
		verdict = judge_once(p);
		if (likely(verdict != IPFI_LOOK_AGAIN))
			return verdict;
	}
	return ipfi_pkt_give_up(p);
}
