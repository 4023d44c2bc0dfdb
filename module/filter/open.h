/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a connection that has been allowed, with all that its rule wants of it. */
#ifndef IPFI_OPEN_H
#define IPFI_OPEN_H

#include "module/core/rule.h"
#include "module/nat/source.h"
#include "module/packet/context.h"
#include "module/table/expect.h"
#include "module/table/state.h"

/* By what it was allowed. */
struct ipfi_establishing {
	const struct ipfi_rule *rule;                /* NULL for a default or a master */
	const struct ipfi_expectation *expectation;  /* that it met, NULL for none */
	const struct ipfi_rule *source_rule; /* set: what translated its source, NULL for none */
	u8 reason; /* set: enum ipfi_reason, why not, after all */
	u8 heard;  /* set: what the packet counts as for what it announces, 0 */
};

/*
 * Makes and adds the state of the connection that @p opens, its source to be translated as @source says. Returns
 * it locked; or ERR_PTR(-EEXIST) when another CPU was faster (look it up again); else NULL with
 * permission->reason set.
 */
struct ipfi_state *ipfi_establish(struct ipfi_pkt *p, struct ipfi_establishing *permission,
			     struct ipfi_nat_source *source);

/*
 * Makes @wide, locked and unjudged, the state of the connection that @p opens. Returns false with
 * permission->reason set: it must be removed.
 */
bool ipfi_establish_unconfirmed(struct ipfi_pkt *p, struct ipfi_state_ext *ext, struct ipfi_establishing *permission);

#endif /* IPFI_OPEN_H */
