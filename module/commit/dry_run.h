/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trial: what a rule set that is not in force would do to the live states. Each is judged as its next packet would
 * have it judged after a commit, but on a copy: the states, the rules' limits and counters stay as they are.
 */
#ifndef IPFI_TRIAL_H
#define IPFI_TRIAL_H

#include "module/core/rule.h"
#include "module/net.h"
#include "module/ruleset/ruleset.h"

/* Live states of one rule that have one fate for one reason. */
struct ipfi_impact_row {
	u64 rule;                  /* id of the rule that allowed them */
	const struct ipfi_rule *by; /* of the rule set on trial, NULL for none */
	u8 fate;                   /* enum ipfi_impact */
	u8 list;                   /* enum ipfi_list */
	u32 states;
};

struct ipfi_impacts {
	u32 states; /* all that were judged */
	u32 count;
	struct ipfi_impact_row row[IPFI_DRY_RUN_ROWS_MAX];
	u32 rest[IPFI_IMPACT_MAX + 1]; /* that found no row, by fate */
};

/*
 * Tries @rs, which is compiled and which nobody else has. 0, -EAGAIN when the table was resized again and again
 * meanwhile, -EINTR when a signal came. Sleeps.
 */
int ipfi_dry_run_ruleset(struct ipfi_impacts *trial, struct ipfi_net *in, const struct ipfi_ruleset *rs);

#endif /* IPFI_TRIAL_H */
