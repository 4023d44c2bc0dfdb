/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_pick: one value out of a set, for a packet that people look at. */
#ifndef IPFI_SHELL_LINT_PICK_H
#define IPFI_SHELL_LINT_PICK_H

#include "shell/lint/space.h"

/* Source and destination of IPv6 where they are free. */
extern const struct ipfi_addr lint_from_v6, lint_to_v6;

/* The value of a field, out of @set, which is not empty: an ordinary packet's where it has one. */
u32 lint_pick(const struct lint_world *world, const struct lint_scene *scene, enum lint_field field,
	      const struct lint_set *set);

/* The name of an ordinary packet's device. */
const char *lint_pick_device(const struct lint_scene *scene, enum lint_field field);

/* The facts, word 0, that hold of most packets of the scene: what arrives is for this machine, and
 * the like. */
u64 lint_pick_facts(const struct lint_scene *scene);

#endif
