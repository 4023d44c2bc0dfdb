// SPDX-License-Identifier: GPL-2.0-or-later
/* The translation of a new connection's source, decided once the filter has allowed it. */
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/nat.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/nat/masquerade.h"
#include "module/nat/source.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/packet/log.h"
#include "module/packet/verdict.h"
#include "module/table/mapping.h"
#include "module/table/state.h"

u8 ipfi_nat_find_source(struct ipfi_pkt *p, const struct ipfi_addr *given, struct ipfi_nat_source *source)
{
	memset(source, 0, sizeof(*source));
	if (given) {
		source->wanted = true;
		source->one_addr = true;
		source->addr = *given;
		return 0;
	}
	/* What enters this machine, or does not leave it, has no way out to be translated on. */
	if (!READ_ONCE(p->in->nat.active) || p->packet.list == IPFI_LIST_IN || p->packet.loopback)
		return 0;
	source->rule = ipfi_pkt_nat_rule(p, IPFI_LIST_SRCNAT);
	if (!source->rule)
		return 0;
	source->wanted = true;
	if (source->rule->verdict != IPFI_VERDICT_MASQUERADE)
		return 0;
	source->masqueraded = true;
	source->one_addr = true;
	return ipfi_masquerade_addr(p, &source->addr) ? 0 : IPFI_REASON_NAT_FAILED;
}

bool ipfi_nat_has_moved(struct ipfi_pkt *p, const struct ipfi_addr *src, bool masqueraded)
{
	const struct ipfi_rule *rule;
	struct ipfi_addr addr;

	if (!READ_ONCE(p->in->nat.active) || p->packet.list == IPFI_LIST_IN || p->packet.loopback)
		return false;
	if (!masqueraded) {
		/* The rules are asked about the connection, not about this packet's length, and no limit is taken from. */
		p->packet.unknown = IPFI_FIELDS_FORGOTTEN;
		rule = ipfi_pkt_nat_rule(p, IPFI_LIST_SRCNAT);
		p->packet.unknown = 0;
		if (!rule || rule->verdict != IPFI_VERDICT_MASQUERADE)
			return false;
	}
	return !ipfi_masquerade_addr(p, &addr) || !ipfi_addr_equal(&addr, src);
}

bool ipfi_nat_source_search(struct ipfi_pkt *p, const struct ipfi_nat_source *source,
			    const struct ipfi_tuple *real, struct ipfi_nat_search *search)
{
	const struct ipfi_rule *rule = source->rule;

	/* It is to stay as it is, but its replies would be those of another connection: another port. */
	if (!source->wanted)
		return ipfi_nat_search_begin(search, IPFI_NAT_SOURCE, real, p->packet.icmp_kind == IPFI_ICMP_QUERY,
					     NULL, &real->src, false, p->in->nat.secret);
	return ipfi_nat_search_begin(search, IPFI_NAT_SOURCE, real, p->packet.icmp_kind == IPFI_ICMP_QUERY,
				     rule ? &rule->target : NULL, source->one_addr ? &source->addr : NULL,
				     rule && rule->flags & IPFI_RULE_F_PERSISTENT, p->in->nat.secret);
}

bool ipfi_nat_source_is_same(struct ipfi_pkt *p, const struct ipfi_nat_source *source)
{
	const struct ipfi_tuple *tuple = &p->packet.tuple;
	struct ipfi_nat_search search;
	struct ipfi_addr addr;
	u16 port;

	return ipfi_nat_source_search(p, source, tuple, &search) && ipfi_nat_search_next(&search, &addr, &port) &&
	       ipfi_addr_equal(&addr, &tuple->src) && port == tuple->sport;
}

void ipfi_nat_reply(const struct ipfi_tuple *real, const struct ipfi_addr *addr, u16 port, struct ipfi_tuple *reply)
{
	*reply = *real;
	reply->src = real->dst;
	reply->sport = real->dport;
	reply->dst = *addr;
	reply->dport = port;
	reply->src_vrf = real->dst_vrf;
	reply->dst_vrf = real->dst_vrf;
}

/* Would nobody else be found by the replies to @addr and @port? Asked before anything is entered anywhere. */
static bool is_free(struct ipfi_pkt *p, const struct ipfi_tuple *real, const struct ipfi_addr *addr, u16 port)
{
	struct ipfi_tuple reply;
	struct ipfi_key key;
	bool higher;

	ipfi_nat_reply(real, addr, port, &reply);
	higher = ipfi_key_from_tuple(&key, &reply);
	return ipfi_pkt_is_free(p, &key, ipfi_table_arrives(higher));
}

/* Lets replies to @addr and @port find @wide. */
static int try_source(struct ipfi_pkt *p, struct ipfi_state_ext *ext, const struct ipfi_tuple *real,
		      const struct ipfi_addr *addr, u16 port)
{
	struct ipfi_tuple reply;
	int err;

	if (!is_free(p, real, addr, port))
		return -EEXIST;
	ipfi_nat_reply(real, addr, port, &reply);
	err = ipfi_pkt_insert_nat_key(p, ext, &ext->returns, &reply);
	if (err)
		return err;
	ext->leaving = *real;
	ext->leaving.src = *addr;
	ext->leaving.sport = port;
	ext->leaving.src_vrf = real->dst_vrf;
	return 0;
}

bool ipfi_nat_mapping_fits(const struct ipfi_end *outer, const struct ipfi_nat_source *source)
{
	const struct ipfi_nat_target *target = &source->rule->target;

	if (target->port_from && (outer->port < target->port_from || outer->port > target->port_to))
		return false;
	return source->one_addr ? ipfi_addr_equal(&outer->addr, &source->addr) :
				  ipfi_nat_target_has(target, outer->family, &outer->addr);
}

static int try_mapping(struct ipfi_pkt *p, struct ipfi_state_ext *ext, const struct ipfi_tuple *real,
		       struct ipfi_mapping *mapping)
{
	int err = try_source(p, ext, real, &mapping->outer.end.addr, mapping->outer.end.port);

	if (err)
		ipfi_mapping_put(p->in, mapping);
	else
		ext->mapping = mapping;
	return err;
}

/*
 * Enters @mapping, which nobody knows, for the source of @real and @leaving, and the node that finds replies.
 * -EADDRINUSE: others may be tried; -EEXIST: the source has a mapping meanwhile; -ENOMEM.
 */
static int try_new_mapping(struct ipfi_pkt *p, struct ipfi_state_ext *ext, const struct ipfi_tuple *real,
			   const struct ipfi_tuple *leaving, struct ipfi_mapping *mapping)
{
	int err;

	if (!ipfi_mapping_is_free(p->in, leaving) || !is_free(p, real, &leaving->src, leaving->sport))
		return -EADDRINUSE;
	err = unlikely(p->dry_run) ? 0 : ipfi_mapping_enter(p->in, mapping, real, leaving);
	if (err)
		return err;
	err = try_source(p, ext, real, &leaving->src, leaving->sport);
	/* Another CPU was faster. If a third one uses the mapping already, it stays as it is. */
	if (err == -EEXIST && (unlikely(p->dry_run) || ipfi_mapping_withdraw(p->in, mapping)))
		return -EADDRINUSE;
	return err;
}

/* The same for the first of @search that is free. One mapping is allocated, however many are tried. */
static int translate_by_new_mapping(struct ipfi_pkt *p, struct ipfi_state_ext *ext,
				    const struct ipfi_tuple *real, struct ipfi_nat_search *search)
{
	struct ipfi_mapping *mapping = ipfi_mapping_alloc();
	struct ipfi_tuple leaving = *real;
	int err = -EADDRINUSE;

	if (!mapping)
		return -ENOMEM;
	while (err == -EADDRINUSE && ipfi_nat_search_next(search, &leaving.src, &leaving.sport))
		err = try_new_mapping(p, ext, real, &leaving, mapping);
	if (!err) {
		ext->mapping = mapping;
		return 0;
	}
	ipfi_mapping_put(p->in, mapping);
	if (err != -EEXIST)
		return err == -EADDRINUSE ? -EEXIST : err;
	mapping = ipfi_mapping_get(p->in, real);
	return mapping ? try_mapping(p, ext, real, mapping) : -EEXIST;
}

/* The mapping that the source has, or a new one. 0, -EEXIST when nothing is free, -ENOMEM. */
static int translate_by_mapping(struct ipfi_pkt *p, struct ipfi_state_ext *ext, const struct ipfi_tuple *real,
				const struct ipfi_nat_source *source, struct ipfi_nat_search *search)
{
	struct ipfi_mapping *mapping = ipfi_mapping_get(p->in, real);
	struct ipfi_tuple leaving = *real;
	int err = -EEXIST;

	if (mapping && ipfi_nat_mapping_fits(&mapping->outer.end, source))
		return try_mapping(p, ext, real, mapping);
	if (mapping) {
		/* Older connections of this source keep what newer rules do not give any more. */
		ipfi_mapping_put(p->in, mapping);
		while (err == -EEXIST && ipfi_nat_search_next(search, &leaving.src, &leaving.sport))
			err = try_source(p, ext, real, &leaving.src, leaving.sport);
		return err;
	}
	return translate_by_new_mapping(p, ext, real, search);
}

static int choose_source(struct ipfi_pkt *p, struct ipfi_state_ext *ext, const struct ipfi_tuple *real,
			 const struct ipfi_nat_source *source)
{
	struct ipfi_nat_search search;
	struct ipfi_addr addr;
	int err = -EEXIST;
	u16 port;

	if (!ipfi_nat_source_search(p, source, real, &search))
		return -EEXIST;
	if (source->wanted && source->rule && source->rule->flags & IPFI_RULE_F_PERSISTENT && search.has_port)
		return translate_by_mapping(p, ext, real, source, &search);
	while (err == -EEXIST && ipfi_nat_search_next(&search, &addr, &port))
		err = try_source(p, ext, real, &addr, port);
	return err;
}

static void set_flags(struct ipfi_state_ext *ext, const struct ipfi_tuple *real)
{
	const struct ipfi_tuple *arriving = &ext->arriving, *leaving = &ext->leaving;
	struct ipfi_flow *flow = &ext->state.flow;

	flow->flags &= ~(IPFI_STATE_F_SRC_NAT | IPFI_STATE_F_DST_NAT);
	if (arriving->sport != leaving->sport || !ipfi_addr_equal(&arriving->src, &leaving->src))
		flow->flags |= IPFI_STATE_F_SRC_NAT;
	if (arriving->dport != real->dport || !ipfi_addr_equal(&arriving->dst, &real->dst))
		flow->flags |= IPFI_STATE_F_DST_NAT;
}

u8 ipfi_nat_translate_source(struct ipfi_pkt *p, struct ipfi_state_ext *ext,
			     const struct ipfi_nat_source *source)
{
	struct ipfi_tuple real;
	int err;

	ipfi_flow_tuple(&ext->state.flow, &real);
	/* When its destination was translated nobody knew yet that it goes to another VRF. */
	real.dst_vrf = p->packet.tuple.dst_vrf;
	ipfi_pkt_translated(p, ext);
	err = choose_source(p, ext, &real, source);
	if (err == -EEXIST) {
		if (likely(!p->dry_run))
			ipfi_log_nat_full(p, source->rule);
		return IPFI_REASON_NAT_FULL;
	}
	if (err)
		return IPFI_REASON_NO_MEMORY;
	ext->masqueraded = source->masqueraded;
	set_flags(ext, &real);
	return 0;
}
