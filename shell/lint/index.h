/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_index: which boxes of a scene may meet one, without a look at each of them. Boxes are put
 * into buckets by where they begin and end in a column; those that do not lie in one bucket are met
 * by all.
 */
#ifndef IPFI_SHELL_LINT_INDEX_H
#define IPFI_SHELL_LINT_INDEX_H

#include "shell/lint/space.h"

struct lint_index {
	u32 column;
	u32 count;  /* of buckets */
	u32 *begin; /* [bucket] the least value in it */
	u32 *first; /* [bucket] its first box in boxes; [count] is behind the last one */
	u32 *boxes; /* by bucket, in order; behind them, in order, those of no bucket */
	u32 wide;   /* how many of these there are */
};

/* Makes the scene's indexes, of its addresses, where it has so many boxes that they pay. */
void lint_index_make(struct lint_arena *arena, struct lint_scene *scene);

/*
 * The boxes from @from up to @to that may meet @box, in order, in the arena; NULL for all of them.
 * How many there are in *count.
 */
const u32 *lint_index_find(struct lint_arena *arena, const struct lint_scene *scene,
			   const struct lint_box *box, u32 from, u32 to, u32 *count);

#endif
