/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_rules: the rules of a transaction's messages, as the core has them. */
#ifndef IPFI_SHELL_LINT_RULES_H
#define IPFI_SHELL_LINT_RULES_H

#include "module/core/rule.h"
#include "shell/lint/arena.h"
#include "shell/netlink/wire.h"

/* A dynamic set that rules ask; these are what ipfi_addrs.sets points to. */
struct lint_dynamic {
	const char *name;
	u32 number; /* from 0, in the order in which rules ask them first */
};

struct lint_rules {
	struct ipfi_rule *at;
	u32 count;
	const struct lint_dynamic **sets; /* by number */
	u32 set_count;
};

/*
 * Reads the rules that @bytes add, in their order. False and why in @error when these are no
 * messages. What a rule does (target, helper, log) is left out: only what it matches is read. All
 * of it lives in @arena.
 */
bool lint_rules_read(struct lint_arena *arena, const void *bytes, size_t len,
		     struct lint_rules *rules, struct wire_error *error);

#endif
