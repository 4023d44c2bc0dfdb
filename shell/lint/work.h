/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_work: what the parts of an inquiry share. See lint_findings.h. */
#ifndef IPFI_SHELL_LINT_WORK_H
#define IPFI_SHELL_LINT_WORK_H

#include "shell/lint/findings.h"

/* A list of rules that grows. */
struct lint_list {
	u32 *at;
	u32 count, room;
};

struct lint_work {
	struct lint_inquiry *inquiry;
	const struct lint_world *world;
	struct lint_proof proof;
	struct ipfi_classifier classifier;
	u32 *used;			   /* [rule] see lint_proof: those of this turn count */
	u8 *removed;			   /* [rule] found to be of no use */
	struct lint_list *takers;	   /* [rule] what takes its packets */
	bool *by_default;		   /* [rule] redundant: so does a default */
	struct lint_box **left;		   /* [rule] part of what a rule decides that is met ... */
	const struct lint_scene **left_in; /* ... and the scene that this is of */
};

/* Adds the rules that are used in this turn, in order. Those that @list has stay once. */
void lint_list_used(struct lint_work *w, struct lint_list *list);

/*
 * A new turn of questions about one rule, which share the rule's budget. False when all steps are
 * used up.
 */
bool lint_begin_rule(struct lint_work *w);

/*
 * The boxes from @from up to @to that meet @box, in order, without those of removed rules; with
 * @sure only those that match for sure. In the memory of the proof.
 */
struct lint_boxes lint_gather(struct lint_work *w, const struct lint_box *box, u32 from, u32 to,
			      bool sure);

/* Finds which rules are met, which are shadowed, and by whom. */
void lint_find_shadowed(struct lint_work *w);

/* Finds which of the rules that are met could go, and who would do the same, and removes them. */
void lint_find_redundant(struct lint_work *w);

#endif
