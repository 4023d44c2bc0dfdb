/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_findings: which rules of a rule set are of no use.
 *
 * A rule is dead when no packet has what it asks for, shadowed when rules before it take all that
 * it matches, redundant when the packets that it decides would be treated the same without it. All
 * that are found can be taken away together: a redundant rule is one that is so without those that
 * have been found before, which is looked for from the last one to the first.
 *
 * Nothing is said of a rule where the proof takes too many steps, and nothing where the core's own
 * rule search does not agree about the witness.
 */
#ifndef IPFI_SHELL_LINT_FINDINGS_H
#define IPFI_SHELL_LINT_FINDINGS_H

#include "shell/lint/witness.h"

enum lint_finding_kind {
	LINT_DEAD,
	LINT_SHADOWED,
	LINT_REDUNDANT,
};

struct lint_finding {
	enum lint_finding_kind kind;
	u32 rule;
	u32 *by; /* the rules that take its packets: before it, or without it */
	u32 by_count;
	bool by_default;	       /* redundant: so does the default of a list */
	u32 fields;		       /* dead: IPFI_FIELD_BIT()s that no packet has together */
	struct lint_packet packet;     /* a witness, but for dead ones: one that the rule matches */
	const struct ipfi_rule *meets; /* the rule that the packet meets first */
};

/* What became of a rule. */
enum lint_fate {
	LINT_FATE_NONE, /* no packet has what it asks for */
	LINT_FATE_SHADOWED,
	LINT_FATE_MET,
	LINT_FATE_UNKNOWN,
};

struct lint_inquiry {
	/* Asked. */
	struct lint_arena *arena;   /* where the answer lives */
	struct lint_arena *scratch; /* for the proofs */
	const struct lint_world *world;
	const u32 *effects;	       /* [rule] two rules do the same when these are equal */
	u32 defaults[__IPFI_LIST_END]; /* the same for the lists' defaults */
	u64 rule_steps,
		all_steps;  /* comparisons that proofs about one rule, and all of it, may take */
	bool (*stop)(void); /* see lint_proof */

	/* Answered. */
	bool stopped;
	u64 steps;
	u8 *fates;		       /* [rule] enum lint_fate */
	struct lint_packet *reaches;   /* [rule] of LINT_FATE_MET: a packet that gets to it */
	struct lint_finding *findings; /* in the rules' order */
	u32 count;
	u32 refuted; /* findings left out because the core did not agree */
};

void lint_inquire(struct lint_inquiry *inquiry);

#endif
