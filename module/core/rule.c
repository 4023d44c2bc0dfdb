// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does a packet match a rule? Fields are asked in the order of enum ipfi_field, which is about that
 * of their cost; only the limit, the one test that leaves a trace, waits until all others have
 * matched.
 *
 * A test answers in three ways. A value that the packet does not have (ports of a GRE packet, the
 * device of a packet that entered by none) neither is in a set nor is outside it: it differs,
 * negated or not.
 */
#include "module/core/rule.h"

enum answer {
	OUTSIDE,
	INSIDE,
	ABSENT,
};

static enum answer in_ranges(const struct ipfi_ranges *ranges, u32 value)
{
	u32 i;

	for (i = 0; i < ranges->count; i++)
		if (value >= ranges->at[i].from && value <= ranges->at[i].to)
			return INSIDE;
	return OUTSIDE;
}

static enum answer in_addrs(const struct ipfi_addrs *addrs, u8 family, const struct ipfi_addr *addr,
			    const struct ipfi_match_env *env)
{
	const struct ipfi_addr_range *range;
	u32 i;

	if (family == 4) {
		for (i = 0; i < addrs->v4_count; i++) {
			range = &addrs->v4[i];
			if (addr->w[0] >= range->from.w[0] && addr->w[0] <= range->to.w[0])
				return INSIDE;
		}
	} else {
		for (i = 0; i < addrs->v6_count; i++) {
			range = &addrs->v6[i];
			if (ipfi_addr_compare(addr, &range->from) >= 0 &&
			    ipfi_addr_compare(addr, &range->to) <= 0)
				return INSIDE;
		}
	}
	for (i = 0; i < addrs->set_count; i++)
		if (env->in_set(env->context, addrs->sets[i], family, addr))
			return INSIDE;
	return addrs->me && env->is_me(env->context, family, addr) ? INSIDE : OUTSIDE;
}

/* Is @name what @pattern says? Its last character may be '*'. */
static enum answer is_name(const char pattern[IPFI_DEVICE_LEN], const char *name)
{
	u32 i;

	for (i = 0; i < IPFI_DEVICE_LEN; i++) {
		if (pattern[i] == '*' && (i + 1 == IPFI_DEVICE_LEN || !pattern[i + 1]))
			return INSIDE;
		if (pattern[i] != name[i])
			return OUTSIDE;
		if (!pattern[i])
			return INSIDE;
	}
	return INSIDE;
}

/* An interface has two names if it belongs to a VRF: its own and the VRF's. @name, @vrf: NULL for none. */
static enum answer is_device(const char pattern[IPFI_DEVICE_LEN], const char *name, const char *vrf)
{
	if (!name)
		return ABSENT;
	if (unlikely(vrf) && is_name(pattern, vrf) == INSIDE)
		return INSIDE;
	return is_name(pattern, name);
}

/* Ports are those of TCP and UDP; of other protocols only where the rule names the protocol. */
static enum answer is_port(const struct ipfi_rule *rule, const struct ipfi_packet *packet,
			   const struct ipfi_ranges *ports, u16 port)
{
	const u32 proto = IPFI_FIELD_BIT(IPFI_FIELD_PROTO);

	if (!packet->has_ports)
		return ABSENT;
	if (packet->tuple.proto != IPFI_PROTO_TCP && packet->tuple.proto != IPFI_PROTO_UDP &&
	    (rule->fields & ~rule->negated & proto) == 0)
		return ABSENT;
	return in_ranges(ports, port);
}

/* What leaves is asked about how it will, all else about how it came. */
static bool is_by_ipsec(const struct ipfi_packet *packet)
{
	return packet->list == IPFI_LIST_OUT || packet->list == IPFI_LIST_SRCNAT ? packet->leaves_by_ipsec :
										   packet->came_by_ipsec;
}

static enum answer ask(const struct ipfi_rule *rule, const struct ipfi_packet *packet,
		       const struct ipfi_match_env *env, enum ipfi_field field)
{
	const struct ipfi_tuple *tuple = &packet->tuple;
	u32 states;

	switch (field) {
	case IPFI_FIELD_FAMILY:
		return tuple->family == rule->family ? INSIDE : OUTSIDE;
	case IPFI_FIELD_IIF:
		return is_device(rule->iif, packet->iif_name, packet->iif_vrf);
	case IPFI_FIELD_OIF:
		return is_device(rule->oif, packet->oif_name, packet->oif_vrf);
	case IPFI_FIELD_PROTO:
		return in_ranges(&rule->proto, tuple->proto);
	case IPFI_FIELD_SRC:
		return in_addrs(&rule->src, tuple->family, &tuple->src, env);
	case IPFI_FIELD_DST:
		return in_addrs(&rule->dst, tuple->family, &tuple->dst, env);
	case IPFI_FIELD_SPORT:
		return is_port(rule, packet, &rule->sport, tuple->sport);
	case IPFI_FIELD_DPORT:
		return is_port(rule, packet, &rule->dport, tuple->dport);
	case IPFI_FIELD_ICMP:
		if (packet->icmp_kind == IPFI_ICMP_NONE)
			return ABSENT;
		return in_ranges(&rule->icmp, packet->icmp | (tuple->family == 6 ? IPFI_ICMP6 : 0));
	case IPFI_FIELD_TCP_FLAGS:
		if (tuple->proto != IPFI_PROTO_TCP)
			return ABSENT;
		return (packet->tcp_flags & rule->tcp_mask) == rule->tcp_value ? INSIDE : OUTSIDE;
	case IPFI_FIELD_LENGTH:
		return in_ranges(&rule->length, packet->length);
	case IPFI_FIELD_DSCP:
		return in_ranges(&rule->dscp, packet->dscp);
	case IPFI_FIELD_USER:
		return packet->has_user ? in_ranges(&rule->user, packet->user) : ABSENT;
	case IPFI_FIELD_MARK:
		return (packet->mark & rule->mark_mask) == rule->mark_value ? INSIDE : OUTSIDE;
	case IPFI_FIELD_LIMIT:
		return env->take_limit(env->context, rule) ? INSIDE : OUTSIDE;
	case IPFI_FIELD_PER_SOURCE:
		states = env->source_states(env->context, rule, tuple);
		return states < rule->per_source ? INSIDE : OUTSIDE;
	case IPFI_FIELD_IPSEC:
		return is_by_ipsec(packet) == rule->ipsec ? INSIDE : OUTSIDE;
	case __IPFI_FIELD_END:
		break;
	}
	return ABSENT;
}

static bool differs(const struct ipfi_rule *rule, const struct ipfi_packet *packet,
		    const struct ipfi_match_env *env, enum ipfi_field field)
{
	const u32 bit = IPFI_FIELD_BIT(field);

	if (unlikely(packet->unknown & bit))
		return rule->verdict != IPFI_VERDICT_ALLOW;
	return ask(rule, packet, env, field) !=
	       (rule->negated & IPFI_FIELDS_NEGATABLE & bit ? OUTSIDE : INSIDE);
}

/* Does the rule speak of ICMP errors, so that one about nothing that is known may pass by it? */
static bool names_errors(const struct ipfi_rule *rule)
{
	return rule->fields & ~rule->negated & IPFI_FIELD_BIT(IPFI_FIELD_ICMP) && !(rule->flags & IPFI_RULE_F_STATEFUL);
}

int ipfi_rule_differs(const struct ipfi_rule *rule, const struct ipfi_packet *packet,
		      const struct ipfi_match_env *env)
{
	const u32 limit = IPFI_FIELD_BIT(IPFI_FIELD_LIMIT);
	u32 left = rule->fields & ~limit;
	int field;

	if (unlikely(packet->unrelated) && rule->verdict == IPFI_VERDICT_ALLOW && !names_errors(rule))
		return IPFI_FIELD_ICMP;
	for (field = 0; left; field++, left >>= 1)
		if (left & 1 && differs(rule, packet, env, field))
			return field;
	/* Out of its place: a source's packet too many must not use up what others may have. */
	if (rule->fields & limit && differs(rule, packet, env, IPFI_FIELD_LIMIT))
		return IPFI_FIELD_LIMIT;
	return -1;
}

u64 ipfi_rule_id(const char *name, size_t length)
{
	u64 hash = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < length; i++) {
		hash ^= (u8)name[i];
		hash *= 0x100000001b3ULL;
	}
	return hash ? hash : 1;
}

/* a * b and a + b, or the most there is where that is too little. */
static u64 multiply(u64 a, u32 b)
{
	u64 product;

	return __builtin_mul_overflow(a, (u64)b, &product) ? ~0ULL : product;
}

static u64 add(u64 a, u64 b)
{
	return a + b < a ? ~0ULL : a + b;
}

bool ipfi_rate_conforms(u64 arrival, u64 now, u64 interval, u32 burst, u64 *next)
{
	/* A burst of n may run ahead of the rate by n - 1 intervals. */
	u64 tolerance = burst ? multiply(interval, burst - 1) : 0;

	if (arrival > add(now, tolerance))
		return false;
	*next = add(arrival > now ? arrival : now, interval);
	return true;
}
