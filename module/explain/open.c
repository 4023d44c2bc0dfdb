// SPDX-License-Identifier: GPL-2.0-or-later
/* What a question meets that opens a connection: room for its state, a source to leave by. */
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/explain/internal.h"
#include "module/nat/source.h"
#include "module/packet/context.h"
#include "module/table/mapping.h"
#include "module/table/sources.h"
#include "module/table/state.h"
#include "module/table/table.h"

static u8 try_source(struct ipfi_asking *a, const struct ipfi_tuple *real, const struct ipfi_addr *addr, u16 port)
{
	struct ipfi_tuple reply;

	ipfi_nat_reply(real, addr, port, &reply);
	if (!ipfi_asking_is_free(a, &reply, false))
		return IPFI_REASON_NAT_FULL;
	a->leaving = *real;
	a->leaving.src = *addr;
	a->leaving.sport = port;
	a->leaving.src_vrf = real->dst_vrf;
	return 0;
}

/* What the source would be translated to, in a->leaving. Returns 0 or the reason why there is nothing. */
static u8 choose_source(struct ipfi_asking *a, const struct ipfi_nat_source *source)
{
	const struct ipfi_tuple real = a->p.packet.tuple;
	struct ipfi_tuple leaving = real;
	struct ipfi_nat_search search;
	bool persistent, mapped = false;
	struct ipfi_end outer;

	if (!ipfi_nat_source_search(&a->p, source, &real, &search))
		return IPFI_REASON_NAT_FULL;
	persistent = source->wanted && source->rule && source->rule->flags & IPFI_RULE_F_PERSISTENT &&
		     search.has_port;
	if (persistent) {
		local_bh_disable();
		mapped = ipfi_mapping_look(a->p.in, &real, &outer);
		local_bh_enable();
	}
	if (mapped && ipfi_nat_mapping_fits(&outer, source))
		return try_source(a, &real, &outer.addr, outer.port);
	while (ipfi_nat_search_next(&search, &leaving.src, &leaving.sport))
		if ((!persistent || mapped || ipfi_mapping_is_free(a->p.in, &leaving)) &&
		    !try_source(a, &real, &leaving.src, leaving.sport))
			return 0;
	return IPFI_REASON_NAT_FULL;
}

/* May the packet have a state, and its source one more? Returns 0 or the reason why not; its state is told. */
static u8 open_flow(struct ipfi_asking *a, const struct ipfi_rule *rule)
{
	const struct ipfi_passage *p = &a->p;
	const struct ipfi_tuple *tuple = &p->packet.tuple;
	const struct ipfi_flow *gone = a->x->rehearsal.gone ? &a->x->rehearsal.gone_flow : NULL;
	u32 most = READ_ONCE(p->in->limits.value[IPFI_LIMIT_MAX_STATES_PER_SOURCE]);
	struct ipfi_flow flow;
	int err = ipfi_flow_open(&flow, &p->packet, 0, 0, 0, &p->in->limits);

	if (err)
		return -err;
	if (most && ipfi_sources_count_without(p->in, 0, tuple, gone) >= most)
		return IPFI_REASON_SOURCE_FULL;
	if (rule && rule->per_source &&
	    ipfi_sources_count_without(p->in, rule->id, tuple, gone) >= rule->per_source)
		return IPFI_REASON_SOURCE_FULL;
	a->x->state = flow.state;
	return 0;
}

u8 ipfi_explain_open(struct ipfi_asking *a, const struct ipfi_rule *rule, bool expected,
		     struct ipfi_nat_source *source)
{
	struct ipfi_passage *p = &a->p;
	u8 reason;

	ipfi_passage_key(p);
	if (source->wanted && !expected && ipfi_nat_source_is_same(p, source))
		source->wanted = false;
	a->x->srcnat_rule = source->wanted && source->rule ? source->rule->id : 0;
	if (!ipfi_table_has_room(p->in, &p->key, a->x->rehearsal.gone))
		return IPFI_REASON_TABLE_FULL;
	reason = open_flow(a, rule);
	if (reason)
		return reason;
	if (!source->wanted) {
		if (!ipfi_tuple_crosses(&p->packet.tuple) &&
		    ipfi_table_is_free(p->in, &p->key, IPFI_TABLE_FOUND, a->x->rehearsal.gone))
			return 0;
		/* Its replies would be taken for those of a translated connection: it leaves by another port. */
		source->wanted = true;
		if (!source->rule) {
			source->one_addr = true;
			source->addr = p->packet.tuple.src;
		}
	}
	return ipfi_asking_is_free(a, &p->packet.tuple, false) ? choose_source(a, source) : IPFI_REASON_NAT_FULL;
}

u8 ipfi_explain_open_unjudged(struct ipfi_asking *a, const struct ipfi_rule *rule)
{
	struct ipfi_nat_source source;
	u8 reason = ipfi_nat_find_source(&a->p, a->source_given ? &a->given : NULL, &source);

	if (reason)
		return reason;
	/* Behind a control connection everything goes as that goes. */
	if (a->master && !a->source_given)
		source.wanted = false;
	reason = open_flow(a, rule);
	if (!reason)
		reason = choose_source(a, &source);
	if (!reason && source.rule)
		a->x->srcnat_rule = source.rule->id;
	return reason;
}
