/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judgements: the number by which a live state tells when it was last judged.
 *
 * A rule set gets the next number when it is published, and the next again whenever a dynamic set that its rules
 * ask gains or loses a member: a state that was judged before is judged again at its next packet. So who is
 * added to "bans" is cut off as by a commit. A change costs a store for each member that came or went, whatever the
 * number of states; a state whose addresses it was not about takes the new number without asking the rules
 * (changes.h).
 *
 * States that a commit with "keep" left to older rules stay as they are, changed sets or not. Generations, which
 * people see, count rule sets only: ipfi_generation_of_ruleset() finds the one that a number belongs to.
 */
#ifndef IPFI_GENERATION_H
#define IPFI_GENERATION_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include "module/core/platform.h"

struct ipfi_net;

/*
 * Rule sets whose numbers follow each other as their generations do, because no set changed meanwhile. So many
 * such runs are remembered; of a state that was last judged before them the oldest generation known is told.
 */
#define IPFI_GENERATION_RUNS 16

struct ipfi_generations {
	u32 newest;     /* of what is judged now; what is older is judged again, except for: */
	u32 valid_from; /* from this number on, to before the first, states are kept */
	u32 first;      /* when the rule set was published */
	u32 runs;
	struct {
		u32 number, generation; /* of the first rule set of the run */
	} run[IPFI_GENERATION_RUNS]; /* the latest first */
};

/*
 * Starts the numbers of the rule set of @generation, which takes the place of the one with @old (NULL: there was
 * none). @keep: what was valid stays so. Holds in->mutex.
 */
void ipfi_generations_begin(struct ipfi_net *in, struct ipfi_generations *generations,
			   const struct ipfi_generations *old, u32 generation, bool keep);

/* The number of a judgement that begins now: read before any set is asked. */
static inline u32 ipfi_generation_now(const struct ipfi_generations *generations)
{
	return smp_load_acquire(&generations->newest);
}

/* Does a judgement of this number still hold? */
static inline bool ipfi_generation_holds(const struct ipfi_generations *generations, u32 number)
{
	if (likely((s32)(number - READ_ONCE(generations->newest)) >= 0))
		return true;
	return (s32)(number - generations->valid_from) >= 0 && (s32)(number - generations->first) < 0;
}

#endif /* IPFI_GENERATION_H */
