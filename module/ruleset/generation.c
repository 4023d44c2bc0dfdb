// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/net.h"
#include "module/ruleset/set.h"

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

void ipfi_judgements_renew(struct ipfi_net *in, const struct ipfi_set *set)
{
	struct ipfi_ruleset *rs = rcu_dereference_protected(in->ruleset, lockdep_is_held(&in->mutex));

	/* After the change of the members: who reads the number meets them as they are now. */
	if (rs && ipfi_ruleset_asks(rs, set))
		smp_store_release(&rs->judgements.newest, ++in->judgement);
}

void ipfi_judgements_renew_all(struct ipfi_net *in)
{
	struct ipfi_ruleset *rs = rcu_dereference_protected(in->ruleset, lockdep_is_held(&in->mutex));

	if (!rs)
		return;
	ipfi_changes_note_all(in);
	smp_store_release(&rs->judgements.newest, ++in->judgement);
}

u32 ipfi_judgement_generation(struct ipfi_net *in, u32 number)
{
	const struct ipfi_judgements *judgements;
	const struct ipfi_ruleset *rs;
	u32 i, last, generation = 0;

	rcu_read_lock();
	rs = rcu_dereference(in->ruleset);
	if (rs) {
		judgements = &rs->judgements;
		last = rs->generation;
		for (i = 0; i < judgements->runs; i++) {
			generation = judgements->run[i].generation;
			if ((s32)(number - judgements->run[i].number) >= 0)
				break;
			last = generation - 1;
		}
		/* Behind the run's last rule set the numbers are those of changed sets: they are its own. */
		if (i < judgements->runs)
			generation += min(number - judgements->run[i].number, last - generation);
	}
	rcu_read_unlock();
	return generation;
}
