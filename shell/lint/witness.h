/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_packet: a packet out of a box, as a witness, and what the core's own rule search says of it.
 */
#ifndef IPFI_SHELL_LINT_PACKET_H
#define IPFI_SHELL_LINT_PACKET_H

#include "module/core/classify.h"
#include "shell/lint/proof.h"

struct lint_packet {
	const struct lint_scene *scene;
	struct ipfi_packet core;
	u64 facts; /* word 0 of lint_facts: each of them is told */
};

/* Whose limits still let packets match. */
enum lint_limits {
	LINT_LIMITS_ALL,
	LINT_LIMITS_ONE, /* only one rule's */
};

/* The smallest box that is in @box: one of its points, of those that a reader may expect. */
struct lint_box *lint_point(struct lint_proof *proof, const struct lint_box *box);

/* The packet at a point. False when its device has no name. */
bool lint_packet_make(const struct lint_world *world, const struct lint_scene *scene,
		      const struct lint_box *point, struct lint_packet *packet);

/* Does @rule match the packet? */
bool lint_packet_matches(const struct lint_packet *packet, const struct ipfi_rule *rule);

/*
 * The rule of its list that the packet meets first, by the core's own search; NULL for none. With
 * LINT_LIMITS_ONE all limits but @one's are used up.
 */
const struct ipfi_rule *lint_packet_meets(const struct lint_packet *packet,
					  const struct ipfi_classifier *classifier,
					  enum lint_limits limits, const struct ipfi_rule *one);

#endif
