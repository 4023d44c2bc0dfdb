/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_proof: is there anything left of a box when others are taken out of it?
 *
 * The question is that of satisfiability and answered in that way: what must be taken out without a
 * choice is taken out at once, as long as there is such; then the box is cut in two along the
 * border of another one, and each part is asked. Before each cut a few points are tried: where much
 * is left, one of them mostly is of it. So the proof that nothing is left goes only where boxes
 * overlap. It counts its steps and gives up when they are too many; then it says that it does not
 * know.
 */
#ifndef IPFI_SHELL_LINT_PROOF_H
#define IPFI_SHELL_LINT_PROOF_H

#include "shell/lint/space.h"

/* Cuts in two within each other: a proof that needs more is none that the stack should carry. */
#define LINT_DEPTH_MOST 2000

#define LINT_BORDERS_MOST (__LINT_FIELDS + 64 * LINT_FACT_WORDS)

enum lint_answer {
	LINT_COVERED, /* nothing is left */
	LINT_LEFT,    /* something is */
	LINT_UNKNOWN, /* too many steps */
};

struct lint_proof {
	struct lint_arena *arena;
	const struct lint_world *world;
	const struct lint_scene *scene;
	u64 steps, most;    /* comparisons of two boxes that were made, and that may be made */
	bool (*stop)(void); /* asked from time to time: is the answer still wanted? */
	bool stopped;
	u32 depth;  /* of cuts in two */
	u64 random; /* for the points that are tried */
	u32 *used;  /* [rule] turn of each that took something out; NULL where nobody asks */
	u32 turn;
	struct lint_box *left; /* with LINT_LEFT: part of what is left, in the arena */
};

/* The rules that a question is about: a list of boxes of the scene, by number. */
struct lint_boxes {
	u32 *at;
	u32 count;
};

/* A copy of @box whose sets may be changed, in the arena. */
struct lint_box *lint_box_copy(struct lint_proof *proof, const struct lint_box *box);

/*
 * How two boxes lie to each other: -1 when they have nothing in common, else the number of borders
 * of
 * @b that cut @a, 0 when @b has all of it. *border is one of them.
 */
int lint_box_relate(const struct lint_box *a, const struct lint_box *b, u32 *border);

/* Takes out of @a what lies behind that border of @b. */
void lint_box_cut(struct lint_proof *proof, struct lint_box *a, const struct lint_box *b,
		  u32 border);

/* Leaves of @a what lies inside that border of @b. */
void lint_box_keep(struct lint_proof *proof, struct lint_box *a, const struct lint_box *b,
		   u32 border);

/* The borders of @b that cut @a; how many there are. */
u32 lint_box_borders(const struct lint_box *a, const struct lint_box *b,
		     u32 borders[LINT_BORDERS_MOST]);

/* Counts a step; false when there may be no more. */
bool lint_may_go_on(struct lint_proof *proof);

/*
 * Is there a point of @box in none of @others? @box is changed, and @others is put in another order
 * and made shorter; both are the caller's to throw away.
 */
enum lint_answer lint_prove(struct lint_proof *proof, struct lint_box *box,
			    struct lint_boxes *others);

#endif
