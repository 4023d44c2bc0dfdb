// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/net.h"
#include "module/ruleset/generation.h"

void ipfi_judgements_begin(struct ipfi_net *in, struct ipfi_judgements *judgements,
			   const struct ipfi_judgements *old, u32 generation, bool keep)
{
	u32 number = ++in->judgement, runs = 0;

	lockdep_assert_held(&in->mutex);
	judgements->newest = number;
	judgements->first = number;
	judgements->valid_from = keep && old ? old->valid_from : number;
	/* A new run, unless number and generation both are one more than those of the rule set before. */
	if (!old || number - old->run[0].number != generation - old->run[0].generation) {
		judgements->run[0].number = number;
		judgements->run[0].generation = generation;
		runs = 1;
	}
	if (old) {
		u32 more = min_t(u32, old->runs, IPFI_JUDGEMENT_RUNS - runs);

		memcpy(judgements->run + runs, old->run, more * sizeof(*old->run));
		runs += more;
	}
	judgements->runs = runs;
}
