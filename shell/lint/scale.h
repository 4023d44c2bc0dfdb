/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_scale: what is too wide for a number, IPv6 addresses and names of devices, as numbers. The
 * rules' own bounds cut all values, in their order, into steps between which no rule makes a
 * difference; a step's number stands for all that is in it.
 */
#ifndef IPFI_SHELL_LINT_SCALE_H
#define IPFI_SHELL_LINT_SCALE_H

#include "module/core/rule.h"
#include "shell/lint/arena.h"

/* Of IPv6 addresses: step i begins at at[i]; the first is ::. */
struct lint_addr_scale {
	struct ipfi_addr *at;
	u32 count;
};

/* Of names. A bound is text and may end in a NUL: that is the place right behind the name. */
struct lint_bound {
	char text[IPFI_DEVICE_LEN + 1];
	u8 length;
};

struct lint_name_scale {
	struct lint_bound *at;
	char (*names)[IPFI_DEVICE_LEN]; /* a device's name in each step, "" where none was found */
	u32 count;
};

/* Over all ranges of IPv6 addresses, and all devices, that @rules name. */
void lint_addr_scale(struct lint_arena *arena, struct lint_addr_scale *scale,
		     const struct ipfi_rule *rules, u32 count);
void lint_name_scale(struct lint_arena *arena, struct lint_name_scale *scale,
		     const struct ipfi_rule *rules, u32 count);

/* The steps that @range, one of the rules', is made of. */
struct ipfi_range lint_addr_steps(const struct lint_addr_scale *scale,
				  const struct ipfi_addr_range *range);

/* The step that an address is in. */
u32 lint_addr_step(const struct lint_addr_scale *scale, const struct ipfi_addr *addr);

/* The steps of the names that @pattern, one of the rules', matches. */
struct ipfi_range lint_name_steps(const struct lint_name_scale *scale,
				  const char pattern[IPFI_DEVICE_LEN]);

/* The step that a name is in. */
u32 lint_name_step(const struct lint_name_scale *scale, const char *name);

#endif
