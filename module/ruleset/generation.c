// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/net.h"
#include "module/ruleset/generation.h"

void ipfi_generations_begin(struct ipfi_net *in, struct ipfi_generations *generations,
			   const struct ipfi_generations *old, u32 generation, bool keep)
{
	u32 number = ++in->evaluation, runs = 0;

	lockdep_assert_held(&in->mutex);
	generations->newest = number;
	generations->first = number;
	generations->valid_from = keep && old ? old->valid_from : number;
	/* A new run, unless number and generation both are one more than those of the rule set before. */
	if (!old || number - old->run[0].number != generation - old->run[0].generation) {
		generations->run[0].number = number;
		generations->run[0].generation = generation;
		runs = 1;
	}
	if (old) {
		u32 more = min_t(u32, old->runs, IPFI_GENERATION_RUNS - runs);

		memcpy(generations->run + runs, old->run, more * sizeof(*old->run));
		runs += more;
	}
	generations->runs = runs;
}
