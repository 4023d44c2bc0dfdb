/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of no live state: the rules are asked, and what they allow gets its state. */
#ifndef IPFI_FIRST_H
#define IPFI_FIRST_H

#include "passage.h"

/*
 * The packet of no live state. @may_open: it may open a connection. Returns the verdict, or IPFI_LOOK_AGAIN when
 * another CPU has made the state.
 */
unsigned int ipfi_judge_first(struct ipfi_passage *p, bool may_open);

/*
 * The first packet of a connection whose destination has been translated as it arrived. Its state is locked and
 * comes back unlocked.
 */
unsigned int ipfi_judge_unjudged(struct ipfi_passage *p, struct ipfi_state *state);

#endif /* IPFI_FIRST_H */
