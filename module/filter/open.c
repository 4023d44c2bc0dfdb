// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/filter/open.h"
#include "module/helper/ftp.h"
#include "module/nat/source.h"
#include "module/packet/context.h"
#include "module/packet/effects.h"
#include "module/table/expect.h"
#include "module/table/state.h"
#include "module/table/table.h"

static void describe(const struct ipfi_pkt *p, const struct ipfi_establishing *permission,
		     const struct ipfi_master *master, struct ipfi_opening *opening)
{
	const struct ipfi_rule *rule = permission->rule;

	opening->rule = rule ? rule->id : master ? READ_ONCE(master->first.rule) : 0;
	opening->per_source = rule ? rule->per_source : 0;
	/* What was announced is as old as the judgement of who announced it, and judged again with that. */
	opening->generation = master ? READ_ONCE(master->first.generation) : p->generation;
	opening->ext = true;
}

/* What the rule wants beside a state. */
static bool apply_rule(struct ipfi_pkt *p, struct ipfi_state_ext *ext, struct ipfi_establishing *permission)
{
	const struct ipfi_rule *rule = permission->rule;

	if (rule)
		ext->mss = rule->mss;
	permission->heard = 0;
	if (rule && rule->helper && p->packet.tuple.proto == IPFI_PROTO_TCP) {
		permission->heard = ipfi_control_attach(p, ext, rule) ? IPFI_REASON_NO_MEMORY :
									 ipfi_control_opened(p, ext);
		if (permission->heard == IPFI_REASON_NO_MEMORY) {
			ipfi_control_end(p->in, ext->control);
			permission->reason = IPFI_REASON_NO_MEMORY;
			return false;
		}
	}
	/* Translated it may live longer. */
	ipfi_table_renew(p->in, &ext->state);
	return true;
}

static struct ipfi_state *open_plain(struct ipfi_pkt *p, struct ipfi_establishing *permission)
{
	struct ipfi_opening opening;
	struct ipfi_state *state;
	int err;

	describe(p, permission, NULL, &opening);
	opening.ext = false;
	state = ipfi_pkt_prepare(p, &opening, &permission->reason);
	if (!state)
		return NULL;
	err = ipfi_pkt_insert(p, state, IPFI_TABLE_FOUND);
	if (likely(!err))
		return state;
	ipfi_pkt_discard(p, state);
	permission->reason = IPFI_REASON_NO_MEMORY;
	return err == -ENOMEM ? NULL : ERR_PTR(err);
}

/* Lets the original direction be found, as it arrives and where it is judged. */
static int insert_arriving(struct ipfi_pkt *p, struct ipfi_state_ext *ext)
{
	int err;

	if (likely(!ipfi_tuple_crosses(&p->packet.tuple)))
		return ipfi_pkt_insert(p, &ext->state, IPFI_TABLE_REAL | ipfi_table_arrives(p->higher));
	/* Where it arrives nobody knows yet that it goes to another VRF. */
	err = ipfi_pkt_insert(p, &ext->state, IPFI_TABLE_REAL);
	if (err)
		return err;
	err = ipfi_pkt_insert_nat_key(p, ext, &ext->arrives, &ext->arriving);
	return err == -EEXIST ? -EADDRINUSE : err;
}

/* As ipfi_table_insert(), for a state that is not yet translated but may become so. */
static int insert_wide(struct ipfi_pkt *p, struct ipfi_state_ext *ext, struct ipfi_establishing *permission,
		       const struct ipfi_nat_source *source)
{
	int err;

	if (!source->wanted)
		return ipfi_pkt_insert(p, &ext->state, IPFI_TABLE_FOUND);
	err = insert_arriving(p, ext);
	if (err == -EADDRINUSE) {
		/* What it looks like arrived as another connection's a moment ago. */
		permission->reason = IPFI_REASON_NAT_FULL;
		return -ENOMEM;
	}
	if (err)
		return err;
	permission->reason = ipfi_nat_translate_source(p, ext, source);
	return permission->reason ? -ENOMEM : 0;
}

static struct ipfi_state *open_wide(struct ipfi_pkt *p, struct ipfi_establishing *permission,
				    const struct ipfi_nat_source *source)
{
	const struct ipfi_expectation *expectation = permission->expectation;
	struct ipfi_master *master = expectation ? ipfi_master_get_live(expectation->master) : NULL;
	struct ipfi_state_ext *ext;
	struct ipfi_opening opening;
	struct ipfi_state *state;
	int err;

	if (expectation && !master)
		return ERR_PTR(-EEXIST);
	describe(p, permission, master, &opening);
	state = ipfi_pkt_prepare(p, &opening, &permission->reason);
	if (!state) {
		ipfi_master_put(master);
		return NULL;
	}
	ext = ipfi_state_extended(state);
	ext->arriving = p->packet.tuple;
	ext->arriving.dst_vrf = ext->arriving.src_vrf;
	ext->leaving = p->packet.tuple;
	ext->leaving.src_vrf = ext->leaving.dst_vrf;
	ext->master = master;
	permission->reason = IPFI_REASON_NO_MEMORY;
	err = insert_wide(p, ext, permission, source);
	if (expectation)
		ext->masqueraded = expectation->masqueraded;
	/* The last step: what has no state in the end leaves the expectation to others. */
	if (!err && apply_rule(p, ext, permission) && (!expectation || ipfi_pkt_take_expectation(p, expectation)))
		return state;
	if (!err && expectation)
		err = -EEXIST;
	ipfi_pkt_discard(p, state);
	return err == -EEXIST || err == -EADDRINUSE ? ERR_PTR(err) : NULL;
}

/* Its source keeps its address where no rule wants another, but counts as translated, if need be to another port. */
static void leave_as_it_is(const struct ipfi_pkt *p, struct ipfi_nat_source *source)
{
	source->wanted = true;
	if (source->rule)
		return;
	source->one_addr = true;
	source->addr = p->packet.tuple.src;
}

struct ipfi_state *ipfi_establish(struct ipfi_pkt *p, struct ipfi_establishing *permission,
			     struct ipfi_nat_source *source)
{
	const struct ipfi_rule *rule = permission->rule;
	struct ipfi_state *state;
	bool ext;

	ipfi_pkt_key(p);
	/* Its own address and a port that is free: the usual case of a gateway's own connections. */
	if (source->wanted && !permission->expectation && ipfi_nat_source_is_same(p, source))
		source->wanted = false;
	permission->source_rule = source->wanted ? source->rule : NULL;
	if (unlikely(p->dry_run))
		p->dry_run->srcnat_rule = permission->source_rule ? permission->source_rule->id : 0;
	/* What arrives from either VRF is to be found: that takes a node for each. */
	if (unlikely(ipfi_tuple_crosses(&p->packet.tuple)) && !source->wanted)
		leave_as_it_is(p, source);
	ext = source->wanted || permission->expectation || (rule && (rule->helper || rule->mss));
	state = ext ? open_wide(p, permission, source) : open_plain(p, permission);
	if (likely(state != ERR_PTR(-EADDRINUSE)))
		return state;
	/* Its replies would be taken for those of a translated connection: it leaves by another port. */
	leave_as_it_is(p, source);
	return open_wide(p, permission, source);
}

bool ipfi_establish_unconfirmed(struct ipfi_pkt *p, struct ipfi_state_ext *ext, struct ipfi_establishing *permission)
{
	const struct ipfi_addr given = ext->leaving.src;
	struct ipfi_nat_source source;
	struct ipfi_opening opening;

	permission->reason = ipfi_nat_find_source(p, ext->source_given ? &given : NULL, &source);
	if (permission->reason)
		return false;
	/* Behind a control connection everything goes as that goes. */
	if (ext->master && !ext->source_given)
		source.wanted = false;
	if (unlikely(p->dry_run))
		p->dry_run->srcnat_rule = source.rule ? source.rule->id : 0;
	describe(p, permission, ext->master, &opening);
	if (ipfi_pkt_confirm(p, &ext->state, &opening, &permission->reason))
		return false;
	permission->reason = ipfi_nat_translate_source(p, ext, &source);
	if (permission->reason || !apply_rule(p, ext, permission))
		return false;
	if (ext->master && likely(!p->dry_run) &&
	    !ipfi_expect_take_translated(p->in, &ext->arriving, ext->master)) {
		permission->reason = IPFI_REASON_NAT_FAILED;
		return false;
	}
	ext->state.flow.flags &= ~IPFI_FLOW_F_UNCONFIRMED;
	permission->source_rule = source.rule;
	return true;
}
