// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/netdevice.h>
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/core/via.h"
#include "module/filter/rejudge.h"
#include "module/helper/ftp.h"
#include "module/nat/source.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/packet/verdict.h"
#include "module/packet/vrf.h"
#include "module/ruleset/changes.h"
#include "module/ruleset/generation.h"
#include "module/table/expect.h"
#include "module/table/state.h"

static const char *device_name(struct net *net, u32 index, const char **vrf)
{
	const struct net_device *device = index ? dev_get_by_index_rcu(net, index) : NULL;

	*vrf = unlikely(ipfi_vrf_has(device)) ? ipfi_vrf_name(device) : NULL;
	return device ? device->name : NULL;
}

void ipfi_reevaluate_names(struct net *net, const struct ipfi_via *via, struct ipfi_device_names *names)
{
	names->iif = device_name(net, via->list == IPFI_LIST_OUT ? 0 : via->interfaces.iif, &names->iif_vrf);
	names->oif = device_name(net, via->interfaces.oif, &names->oif_vrf);
}

static bool decide(struct net *net, const struct ipfi_match_ctx *ctx, struct ipfi_flow *flow, const struct ipfi_via *via,
		   struct ipfi_decision *decision)
{
	struct ipfi_device_names names;

	ipfi_reevaluate_names(net, via, &names);
	return ipfi_decide_again(ctx, flow, via, &names, decision);
}

/*
 * How @control would go if it went as a data connection of its goes by @via. In active mode that comes from where the
 * control connection goes to.
 */
static void via_of_control(const struct ipfi_flow *control, const struct ipfi_tuple *data, const struct ipfi_via *via,
			   struct ipfi_via *as)
{
	const u32 iif = via->list == IPFI_LIST_OUT ? 0 : via->interfaces.iif, oif = via->interfaces.oif;
	struct ipfi_tuple tuple;
	bool turned;

	ipfi_flow_tuple(control, &tuple);
	turned = ipfi_addr_equal(&data->src, &tuple.dst) || ipfi_addr_equal(&data->dst, &tuple.src);
	as->list = control->list;
	as->loopback = via->loopback;
	as->interfaces.iif = turned ? oif : iif;
	as->interfaces.oif = turned ? iif : oif;
	if (as->list == IPFI_LIST_OUT)
		as->interfaces.user = control->traffic[IPFI_ORIGINAL].last.user;
}

/* By the rules that @judge has. True: @control is brought up to date. */
static bool decide_control(struct net *net, const struct ipfi_match_ctx *ctx, struct ipfi_flow *control,
			   const struct ipfi_via *via, struct ipfi_decision *decision)
{
	return decide(net, ctx, control, via, decision) && decision->rule &&
	       decision->rule->helper == IPFI_HELPER_FTP;
}

/* The same by its control connection's first flow, as if that went by @via. */
static bool allows_master(struct net *net, const struct ipfi_match_ctx *ctx, struct ipfi_flow *flow,
			    const struct ipfi_flow *first, const struct ipfi_via *via)
{
	struct ipfi_flow control = *first;
	struct ipfi_decision decision;
	struct ipfi_tuple data;
	struct ipfi_via as;

	ipfi_flow_tuple(flow, &data);
	via_of_control(first, &data, via, &as);
	if (!decide_control(net, ctx, &control, &as, &decision))
		return false;
	flow->generation = control.generation;
	flow->rule = control.rule;
	return true;
}

/* The decision about a packet whose connection is not to blame. */
static void deny_packet(struct ipfi_decision *decision)
{
	decision->reason = !decision->rule ? IPFI_REASON_DEFAULT_DENY :
			   decision->verdict == IPFI_VERDICT_REJECT ? IPFI_REASON_RULE_REJECT :
								      IPFI_REASON_RULE_DENY;
}

bool ipfi_reevaluate_announced(struct ipfi_pkt *p, const struct ipfi_flow *first, struct ipfi_decision *decision)
{
	struct ipfi_via via = {
		.interfaces = { .iif = p->packet.iif, .oif = p->packet.oif },
		.list = p->packet.list,
		.loopback = p->packet.loopback,
	};
	struct ipfi_flow control = *first;
	struct ipfi_match_env env;
	struct ipfi_match_ctx ctx;
	struct ipfi_via as;

	via_of_control(first, &p->packet.tuple, &via, &as);
	if (ipfi_interfaces_equal(&as.interfaces, &first->traffic[IPFI_ORIGINAL].last))
		return true;
	ipfi_pkt_match_ctx(p, &ctx, &env);
	if (decide_control(p->in->net, &ctx, &control, &as, decision))
		return true;
	/* Allowed, but without a helper: then nothing has been announced there. */
	if (decision->verdict == IPFI_VERDICT_ALLOW) {
		decision->verdict = IPFI_VERDICT_DENY;
		decision->rule = NULL;
	}
	deny_packet(decision);
	return false;
}

bool ipfi_reevaluate_allows(struct ipfi_pkt *p, const struct ipfi_match_ctx *ctx, struct ipfi_flow *flow,
			 const struct ipfi_flow *first, const struct ipfi_via *via, struct ipfi_reevaluation *out)
{
	if (first && allows_master(p->in->net, ctx, flow, first, via)) {
		out->renewed = false;
		return true;
	}
	if (!decide(p->in->net, ctx, flow, via, &out->denied))
		return false;
	out->rule = out->denied.rule;
	out->renewed = true;
	return true;
}

/*
 * A reply by other interfaces than its connection's is no packet of a connection that goes so from the start, and some
 * rules speak of packets as they are: what may not leave by an interface (a kill switch), and whose packets may not come
 * in by one (spoofed addresses). Is the first rule that the packet itself matches one of these, about an interface that
 * is new to the connection?
 */
static bool is_barred(struct ipfi_pkt *p, const struct ipfi_match_ctx *ctx, const struct ipfi_flow *flow,
		      const struct ipfi_via *via, struct ipfi_decision *decision)
{
	const u32 by_source = IPFI_FIELD_BIT(IPFI_FIELD_IIF) | IPFI_FIELD_BIT(IPFI_FIELD_SRC);
	const struct ipfi_interfaces *own = &flow->traffic[IPFI_ORIGINAL].last;
	u32 fields;

	p->packet.unknown = IPFI_FIELDS_FORGOTTEN;
	ipfi_decide_first(ctx, &p->packet, decision);
	p->packet.unknown = 0;
	if (decision->verdict == IPFI_VERDICT_ALLOW || !decision->rule)
		return false;
	fields = decision->rule->fields;
	return (via->interfaces.iif != own->iif && fields & IPFI_FIELD_BIT(IPFI_FIELD_OIF)) ||
	       (via->interfaces.oif != own->oif && (fields & by_source) == by_source);
}

/*
 * By interfaces that the rules in force have not been asked about. The flow belongs to the rule that allows its own
 * direction as it goes now; replies change nothing of it.
 */
static bool goes(struct ipfi_pkt *p, const struct ipfi_match_ctx *ctx, struct ipfi_flow *flow,
		 const struct ipfi_flow *first, enum ipfi_direction direction, const struct ipfi_via *via,
		 struct ipfi_reevaluation *out)
{
	struct ipfi_reevaluation other = *out;
	struct ipfi_flow copy;

	ipfi_flow_copy(&copy, flow);
	if ((direction == IPFI_REPLY && is_barred(p, ctx, flow, via, &other.denied)) ||
	    !ipfi_reevaluate_allows(p, ctx, &copy, first, via, &other)) {
		out->denied = other.denied;
		deny_packet(&out->denied);
		return false;
	}
	if (direction == IPFI_ORIGINAL && ipfi_via_fits(flow, via)) {
		flow->generation = copy.generation;
		flow->rule = copy.rule;
		*out = other;
		out->moved = true;
	}
	return true;
}

/* Have changes since @since been about an address of @flow's ends? */
static bool are_touched(struct ipfi_pkt *p, const struct ipfi_flow *flow, u32 since)
{
	struct ipfi_tuple ends;

	ipfi_flow_tuple(flow, &ends);
	return ipfi_changes_touch(p->in, ends.family, &ends.src, since) ||
	       ipfi_changes_touch(p->in, ends.family, &ends.dst, since);
}

/*
 * Were all changes since @flow's last evaluation of members of sets, and about other addresses than those that the rules
 * are asked about? Then nothing that they said is different, and it is as new as if they had been asked.
 */
static bool is_untouched(struct ipfi_pkt *p, struct ipfi_flow *flow, const struct ipfi_flow *first)
{
	const struct ipfi_generations *generations = &p->rs->generations;
	const u32 now = ipfi_generation_now(generations), since = flow->generation;

	if ((s32)(since - generations->first) < 0 || are_touched(p, flow, since) || (first && are_touched(p, first, since)))
		return false;
	flow->generation = now;
	return true;
}

/*
 * By newer rules. A packet of the original direction says how the connection goes now. When the rules do not want that,
 * or it is a reply, they are asked about how it went: the connection ends if they do not want that either.
 */
static enum ipfi_reevaluated renew(struct ipfi_pkt *p, const struct ipfi_match_ctx *ctx, struct ipfi_flow *flow,
				const struct ipfi_flow *first, enum ipfi_direction direction,
				const struct ipfi_via *via, struct ipfi_reevaluation *out)
{
	struct ipfi_via mine;

	ipfi_via_of_flow(flow, &mine);
	if (direction == IPFI_ORIGINAL && ipfi_via_fits(flow, via) &&
	    !ipfi_interfaces_equal(&via->interfaces, &mine.interfaces) && ipfi_reevaluate_allows(p, ctx, flow, first, via, out)) {
		out->moved = true;
		mine = *via;
	} else if (!ipfi_reevaluate_allows(p, ctx, flow, first, &mine, out)) {
		return IPFI_REEVALUATED_FLOW;
	}
	ipfi_via_forget(flow, &mine);
	return IPFI_REEVALUATED_HOLDS;
}

/* Do rules that are newer than @flow's last evaluation deny it, for a packet of @direction by @via? Begins *out. */
static bool is_denied(struct ipfi_pkt *p, const struct ipfi_match_ctx *ctx, struct ipfi_flow *flow,
		      const struct ipfi_flow *first, enum ipfi_direction direction, const struct ipfi_via *via,
		      struct ipfi_reevaluation *out)
{
	out->renewed = false;
	out->moved = false;
	return ipfi_pkt_is_newer(p, flow) && !is_untouched(p, flow, first) &&
	       renew(p, ctx, flow, first, direction, via, out) == IPFI_REEVALUATED_FLOW;
}

enum ipfi_reevaluated ipfi_reevaluate(struct ipfi_pkt *p, struct ipfi_flow *flow, const struct ipfi_flow *first,
				enum ipfi_direction direction, struct ipfi_reevaluation *out)
{
	const bool one_way = READ_ONCE(p->in->nat.active);
	struct ipfi_match_env env;
	struct ipfi_match_ctx ctx;
	struct ipfi_via via;

	ipfi_pkt_match_ctx(p, &ctx, &env);
	ipfi_via_of_packet(flow, &p->packet, direction, &via);
	if (is_denied(p, &ctx, flow, first, direction, &via, out))
		return IPFI_REEVALUATED_FLOW;
	if (!ipfi_via_known(flow, direction, &via, one_way) &&
	    !goes(p, &ctx, flow, first, direction, &via, out))
		return IPFI_REEVALUATED_PACKET;
	ipfi_via_remember(flow, direction, &via, one_way);
	return IPFI_REEVALUATED_HOLDS;
}

enum ipfi_reevaluated ipfi_reevaluate_related(struct ipfi_pkt *p, struct ipfi_flow *flow, const struct ipfi_flow *first,
					enum ipfi_direction direction, struct ipfi_reevaluation *out)
{
	struct ipfi_match_env env;
	struct ipfi_match_ctx ctx;
	struct ipfi_via via;

	ipfi_pkt_match_ctx(p, &ctx, &env);
	ipfi_via_of_packet(flow, &p->packet, direction, &via);
	if (is_denied(p, &ctx, flow, first, IPFI_REPLY, &via, out))
		return IPFI_REEVALUATED_FLOW;
	/* An error made here about what is forwarded, or the other way round, goes a way of its own. */
	if (via.list != flow->list || ipfi_via_known(flow, direction, &via, false) ||
	    goes(p, &ctx, flow, first, IPFI_REPLY, &via, out))
		return IPFI_REEVALUATED_HOLDS;
	return IPFI_REEVALUATED_PACKET;
}

bool ipfi_reevaluate_resync(struct ipfi_pkt *p, struct ipfi_flow *flow, const struct ipfi_flow *first,
			 struct ipfi_reevaluation *out)
{
	struct ipfi_match_env env;
	struct ipfi_match_ctx ctx;
	struct ipfi_via mine;

	out->renewed = false;
	out->moved = false;
	ipfi_pkt_match_ctx(p, &ctx, &env);
	ipfi_via_of_flow(flow, &mine);
	return ipfi_reevaluate_allows(p, &ctx, flow, first, &mine, out);
}

void ipfi_reevaluate_take_rule(struct ipfi_pkt *p, struct ipfi_state *state, u64 old_rule,
		      const struct ipfi_reevaluation *out)
{
	struct ipfi_state_ext *ext = ipfi_state_extended(state);

	if (!out->renewed)
		return;
	ipfi_pkt_reassign(p, state, old_rule, out->rule);
	if (ext && ext->control)
		ipfi_control_reevaluated(p->in, ext->control, out->rule);
}

const struct ipfi_flow *ipfi_reevaluate_master(struct ipfi_state *state)
{
	const struct ipfi_state_ext *ext = ipfi_state_extended(state);

	return ext && ext->master ? &ext->master->first : NULL;
}

/* Is @state's source translated to what it would not be where the packet leaves? */
static bool has_moved(struct ipfi_pkt *p, struct ipfi_state *state)
{
	const struct ipfi_state_ext *ext = ipfi_state_translated(state);

	return ipfi_nat_has_moved(p, ext ? &ext->leaving.src : &p->packet.tuple.src, ext && ext->masqueraded);
}

noinline unsigned int ipfi_reevaluate_state(struct ipfi_pkt *p, struct ipfi_state *state, enum ipfi_direction direction)
{
	const u64 old_rule = state->flow.rule;
	const u8 state_id = state->flow.state;
	struct ipfi_reevaluation out;
	enum ipfi_reevaluated judged = ipfi_reevaluate(p, &state->flow, ipfi_reevaluate_master(state), direction, &out);

	if (judged == IPFI_REEVALUATED_FLOW) {
		ipfi_pkt_remove(p, state, IPFI_CAUSE_DENIED);
		return ipfi_pkt_carry_out(p, &out.denied, state_id);
	}
	ipfi_reevaluate_take_rule(p, state, old_rule, &out);
	if (judged == IPFI_REEVALUATED_PACKET) {
		spin_unlock(&state->lock);
		return ipfi_pkt_carry_out(p, &out.denied, state_id);
	}
	if (out.moved && has_moved(p, state)) {
		ipfi_pkt_remove(p, state, IPFI_CAUSE_ADDRESS_GONE);
		return ipfi_pkt_count(p, IPFI_REASON_NAT_MOVED, NF_DROP);
	}
	return NF_ACCEPT;
}
