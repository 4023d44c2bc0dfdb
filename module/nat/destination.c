// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/tuple.h"
#include "module/nat/destination.h"
#include "module/nat/masquerade.h"
#include "module/nat/view.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/packet/log.h"
#include "module/packet/skb.h"
#include "module/packet/verdict.h"
#include "module/table/expect.h"
#include "module/table/state.h"
#include "module/table/table.h"

bool ipfi_nat_opens(const struct ipfi_packet *packet)
{
	switch (packet->icmp_kind) {
	case IPFI_ICMP_NONE:
		return packet->tuple.proto != IPFI_PROTO_TCP || !(packet->tcp_flags & IPFI_TCP_RST);
	case IPFI_ICMP_QUERY:
		return true;
	default:
		return false;
	}
}

/* Puts the state @context into the table with these real end points: ipfi_nat_try. */
static int insert_real(struct ipfi_pkt *p, void *context, const struct ipfi_tuple *real)
{
	struct ipfi_state_ext *ext = context;
	struct ipfi_key key;

	ipfi_flow_set_tuple(&ext->state.flow, real);
	ipfi_flow_key(&ext->state.flow, &key);
	/* The cheaper question first: most tries end here where many ports are taken. */
	if (!ipfi_pkt_is_free(p, &key, IPFI_TABLE_REAL))
		return -EEXIST;
	return ipfi_pkt_insert(p, &ext->state, IPFI_TABLE_REAL);
}

/* Tries those of @search. @real has the end that is not searched, and gets the first that was tried if none is free. */
static u8 find_free(struct ipfi_pkt *p, struct ipfi_nat_search *search, enum ipfi_nat_end end, ipfi_nat_try *try,
		    void *context, struct ipfi_tuple *real)
{
	struct ipfi_tuple one = *real;
	struct ipfi_addr addr;
	bool first = true;
	u16 port;
	int err;

	while (ipfi_nat_search_next(search, &addr, &port)) {
		if (end == IPFI_NAT_SOURCE) {
			one.src = addr;
			one.sport = port;
		} else {
			one.dst = addr;
			one.dport = port;
		}
		if (first)
			*real = one;
		first = false;
		err = try(p, context, &one);
		if (!err) {
			*real = one;
			return 0;
		}
		if (err == -ENOMEM)
			return IPFI_REASON_NO_MEMORY;
	}
	return IPFI_REASON_NAT_FULL;
}

u8 ipfi_nat_find_real(struct ipfi_pkt *p, const struct ipfi_nat_destination *to, ipfi_nat_try *try, void *context,
		      struct ipfi_tuple *real)
{
	const bool query = p->packet.icmp_kind == IPFI_ICMP_QUERY;
	const bool persistent = to->rule && to->rule->flags & IPFI_RULE_F_PERSISTENT;
	struct ipfi_nat_search search;
	u8 reason;
	u32 used;

	*real = p->packet.tuple;
	if (!ipfi_nat_search_begin(&search, IPFI_NAT_DESTINATION, real, query, to->target, to->addr, persistent,
				   p->in->nat.secret))
		return IPFI_REASON_NAT_FAILED;
	/* Half of all tries, for another source port may be wanted. */
	ipfi_nat_search_limit(&search, IPFI_NAT_TRIES / 2);
	reason = find_free(p, &search, IPFI_NAT_DESTINATION, try, context, real);
	if (reason != IPFI_REASON_NAT_FULL || !search.has_port)
		return reason;
	used = search.used;
	/*
	 * The same source goes to each of them already, by another address or by none: the server could not
	 * tell the two connections apart, so this one gets another source port.
	 */
	ipfi_nat_search_begin(&search, IPFI_NAT_SOURCE, real, query, NULL, &real->src, false, p->in->nat.secret);
	ipfi_nat_search_limit(&search, IPFI_NAT_TRIES - used);
	return find_free(p, &search, IPFI_NAT_SOURCE, try, context, real);
}

/* Makes the unjudged state, locked. NULL with *reason set, which is NONE when another CPU was faster. */
static struct ipfi_state_ext *make_state(struct ipfi_pkt *p, const struct ipfi_nat_destination *to, u8 *reason)
{
	struct ipfi_state_ext *ext = ipfi_pkt_prepare_unconfirmed(p, reason);
	struct ipfi_tuple real;
	int err;

	if (!ext)
		return NULL;
	ext->arriving = p->packet.tuple;
	ipfi_pkt_translated(p, ext);
	err = ipfi_pkt_insert_nat_key(p, ext, &ext->arrives, &p->packet.tuple);
	if (!err) {
		*reason = ipfi_nat_find_real(p, to, insert_real, ext, &real);
		/* Nobody sees it before it is unlocked. Until the filter has its say it leaves as it is. */
		ext->leaving = real;
		if (!*reason)
			return ext;
	} else {
		*reason = err == -EEXIST ? IPFI_REASON_NONE : IPFI_REASON_NO_MEMORY;
	}
	ipfi_pkt_discard(p, &ext->state);
	return NULL;
}

static unsigned int open_arriving(struct ipfi_pkt *p, const struct ipfi_nat_destination *to)
{
	struct ipfi_decision met = { .verdict = IPFI_VERDICT_ALLOW, .reason = IPFI_REASON_RULE_ALLOW };
	struct ipfi_master *master = NULL;
	struct ipfi_state_ext *ext;
	u8 reason;

	/* It is taken when the filter has let the connection open: what is on no way at all leaves it. */
	if (to->expectation) {
		master = ipfi_master_get_live(to->expectation->master);
		if (!master)
			return IPFI_LOOK_AGAIN;
	}
	ext = make_state(p, to, &reason);
	if (!ext)
		ipfi_master_put(master);
	if (!ext && !reason)
		return IPFI_LOOK_AGAIN;
	if (!ext) {
		if (reason == IPFI_REASON_NAT_FULL && likely(!p->dry_run))
			ipfi_log_nat_full(p, to->rule);
		return ipfi_pkt_count(p, reason, NF_DROP);
	}
	if (to->expectation) {
		ext->master = master;
		ext->source_given = to->expectation->src_translated;
		ext->leaving.src = to->expectation->leaving_src;
	}
	reason = ipfi_nat_show_arriving(p, ext, IPFI_ORIGINAL);
	spin_unlock(&ext->state.lock);
	if (reason)
		return ipfi_pkt_count(p, reason, NF_DROP);
	if (to->rule) {
		met.rule = to->rule;
		met.verdict = to->rule->verdict;
		ipfi_pkt_hit(p, &met, IPFI_STATE_NONE);
	}
	return NF_ACCEPT;
}

bool ipfi_nat_find_destination(struct ipfi_pkt *p, const struct ipfi_expectation *expectation,
			       struct ipfi_nat_destination *to, u8 *reason)
{
	memset(to, 0, sizeof(*to));
	*reason = IPFI_REASON_NONE;
	to->expectation = expectation;
	if (expectation) {
		to->addr = &expectation->real_dst;
		to->expected.port_from = expectation->real_dport;
		to->expected.port_to = expectation->real_dport;
		to->target = &to->expected;
		return true;
	}
	to->rule = ipfi_pkt_nat_rule(p, IPFI_LIST_DSTNAT);
	if (to->rule) {
		to->target = &to->rule->target;
		if (to->rule->verdict == IPFI_VERDICT_REDIRECT) {
			if (!ipfi_redirect_addr(p, &to->own))
				*reason = IPFI_REASON_NAT_FAILED;
			to->addr = &to->own;
		}
		return true;
	}
	/* Not translated, but another connection shows the same end points once it is. */
	if (likely(!ipfi_table_has(p->in, &p->key, IPFI_TABLE_REAL, ipfi_pkt_gone(p))) ||
	    !ipfi_nat_has_port(&p->packet.tuple, p->packet.icmp_kind == IPFI_ICMP_QUERY, IPFI_NAT_SOURCE))
		return false;
	to->addr = &p->packet.tuple.dst;
	return true;
}

unsigned int ipfi_nat_arrive_first(struct ipfi_pkt *p)
{
	const struct ipfi_expectation *expectation;
	struct ipfi_nat_destination to;
	u8 reason;

	if (!ipfi_nat_opens(&p->packet))
		return NF_ACCEPT;
	expectation = ipfi_expect_find(p->in, &p->packet, true);
	if (!ipfi_nat_find_destination(p, expectation, &to, &reason))
		return NF_ACCEPT;
	if (unlikely(p->dry_run))
		p->dry_run->dstnat_rule = to.rule ? to.rule->id : 0;
	if (!reason && ipfi_skb_checksum_bad(p->skb, &p->packet))
		reason = IPFI_REASON_BAD_CHECKSUM;
	return reason ? ipfi_pkt_count(p, reason, NF_DROP) : open_arriving(p, &to);
}
