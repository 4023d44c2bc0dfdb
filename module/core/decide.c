// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/decide.h"

/*
 * IPv6 stays alive without rules of its own: what its neighbours must say to each other passes by the lists'
 * defaults, and by a rule that only puts a default into words. To stop it a rule must speak of it: select by
 * something of the packet itself, not by a device or a rate alone.
 */
static bool passes_as_neighbour(const struct ipfi_packet *packet, const struct ipfi_rule *rule)
{
	const u32 of_no_packet = IPFI_FIELD_BIT(IPFI_FIELD_IIF) | IPFI_FIELD_BIT(IPFI_FIELD_OIF) |
				 IPFI_FIELD_BIT(IPFI_FIELD_LIMIT) | IPFI_FIELD_BIT(IPFI_FIELD_PER_SOURCE);

	if (rule && (rule->verdict == IPFI_VERDICT_ALLOW || rule->fields & ~of_no_packet))
		return false;
	return packet->list != IPFI_LIST_FORWARD && ipfi_packet_is_neighbour(packet);
}

const struct ipfi_rule *ipfi_decide_rule(const struct ipfi_match_ctx *ctx, const struct ipfi_packet *packet)
{
	struct ipfi_trace *trace = ctx->trace;
	struct ipfi_steps *steps;

	if (likely(!trace))
		return ipfi_classify(ctx->classifier, packet, ctx->env);
	steps = packet->list == IPFI_LIST_DSTNAT ? &trace->dstnat :
		packet->list == IPFI_LIST_SRCNAT ? &trace->srcnat :
						   &trace->filter;
	return ipfi_classify_trace(ctx->classifier, packet, ctx->env, steps);
}

void ipfi_decide_first(const struct ipfi_match_ctx *ctx, const struct ipfi_packet *packet,
		       struct ipfi_decision *decision)
{
	static const u8 rule_reason[] = {
		[IPFI_VERDICT_ALLOW] = IPFI_REASON_RULE_ALLOW,
		[IPFI_VERDICT_DENY] = IPFI_REASON_RULE_DENY,
		[IPFI_VERDICT_REJECT] = IPFI_REASON_RULE_REJECT,
	};
	const struct ipfi_rule *rule = ipfi_decide_rule(ctx, packet);

	decision->rule = rule;
	decision->stateful = false;
	if (unlikely(packet->icmp_kind == IPFI_ICMP_SIGNAL) && passes_as_neighbour(packet, rule)) {
		decision->rule = NULL;
		decision->verdict = IPFI_VERDICT_ALLOW;
		decision->reason = IPFI_REASON_NEIGHBOUR;
	} else if (rule) {
		decision->verdict = rule->verdict;
		decision->reason = rule_reason[rule->verdict];
		/* Errors and signals open nothing: a stateful rule lets signals pass as a stateless one would. */
		decision->stateful = rule->verdict == IPFI_VERDICT_ALLOW &&
				     rule->flags & IPFI_RULE_F_STATEFUL &&
				     packet->icmp_kind != IPFI_ICMP_ERROR &&
				     packet->icmp_kind != IPFI_ICMP_SIGNAL;
	} else if (unlikely(packet->unrelated)) {
		/* No default speaks of it. */
		decision->verdict = IPFI_VERDICT_DENY;
		decision->reason = IPFI_REASON_ICMP_UNASKED;
	} else {
		decision->verdict = ctx->classifier->standard[packet->list];
		decision->reason = decision->verdict == IPFI_VERDICT_ALLOW ? IPFI_REASON_DEFAULT_ALLOW :
									     IPFI_REASON_DEFAULT_DENY;
	}
}

void ipfi_decide_recall(const struct ipfi_flow *flow, const struct ipfi_via *via,
			const struct ipfi_device_names *names, struct ipfi_packet *first)
{
	memset(first, 0, sizeof(*first));
	ipfi_flow_tuple(flow, &first->tuple);
	first->list = via->list;
	first->loopback = via->loopback;
	first->mark = flow->mark;
	first->oif = via->interfaces.oif;
	first->iif_name = names->iif;
	first->oif_name = names->oif;
	first->iif_vrf = names->iif_vrf;
	first->oif_vrf = names->oif_vrf;
	if (via->list == IPFI_LIST_OUT) {
		first->has_user = via->interfaces.user != ~0U;
		first->user = via->interfaces.user;
	} else {
		first->iif = via->interfaces.iif;
	}
	if (first->loopback) {
		if (!first->iif_name) {
			first->iif_name = first->oif_name;
			first->iif_vrf = first->oif_vrf;
		} else if (!first->oif_name) {
			first->oif_name = first->iif_name;
			first->oif_vrf = first->iif_vrf;
		}
	}
	switch (first->tuple.proto) {
	case IPFI_PROTO_TCP:
		first->tcp_flags = flow->flags & IPFI_STATE_F_MIDSTREAM ? IPFI_TCP_ACK : IPFI_TCP_SYN;
		fallthrough;
	case IPFI_PROTO_UDP:
	case IPFI_PROTO_UDPLITE:
	case IPFI_PROTO_SCTP:
	case IPFI_PROTO_DCCP:
		first->has_ports = 1;
		break;
	default:
		if (flow->state == IPFI_STATE_ICMP) {
			first->icmp = first->tuple.dport << 8;
			first->icmp_kind = IPFI_ICMP_QUERY;
		}
	}
	first->unknown = IPFI_FIELDS_FORGOTTEN;
}

bool ipfi_decide_again(const struct ipfi_match_ctx *ctx, struct ipfi_flow *flow, const struct ipfi_via *via,
		       const struct ipfi_device_names *names, struct ipfi_decision *decision)
{
	struct ipfi_packet first;

	ipfi_decide_recall(flow, via, names, &first);
	ipfi_decide_first(ctx, &first, decision);
	if (decision->verdict == IPFI_VERDICT_ALLOW) {
		flow->generation = ctx->generation;
		flow->rule = decision->rule ? decision->rule->id : 0;
		return true;
	}
	decision->reason = IPFI_REASON_REJUDGED;
	return false;
}

bool ipfi_decide_related(const struct ipfi_flow *flow, const struct ipfi_packet *packet)
{
	struct ipfi_key key;
	bool higher;

	if (!ipfi_addr_equal(&packet->tuple.dst, &packet->inner.src))
		return false;
	if (packet->inner.proto != IPFI_PROTO_TCP)
		return true;
	higher = ipfi_key_from_tuple(&key, &packet->inner);
	return ipfi_tcp_has_sent(&flow->tcp, higher != !!(flow->flags & IPFI_FLOW_F_HIGHER),
				 packet->inner_seq);
}
