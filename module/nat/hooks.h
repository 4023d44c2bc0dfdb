/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The netfilter hooks for what arrives and leaves: they are there while the rule set has NAT rules or a translated state
 * lives.
 */
#ifndef IPFI_NAT_HOOKS_H
#define IPFI_NAT_HOOKS_H

#include "module/net.h"
#include "module/packet/context.h"
#include "module/ruleset/ruleset.h"

int ipfi_nat_init(struct ipfi_net *in);
void ipfi_nat_exit(struct ipfi_net *in);

/* Starts to translate, if @rs asks for it. 0 or -errno. Holds in->mutex. Sleeps. */
int ipfi_nat_start(struct ipfi_net *in, const struct ipfi_ruleset *rs);

/* Are packets translated here? */
static inline bool ipfi_nat_is_active(const struct ipfi_net *in)
{
	return READ_ONCE(in->nat.active);
}

/* Stops in any case. */
void ipfi_nat_unregister(struct ipfi_net *in);

/* The filter has accepted @p as one of a translated connection: it does not leave without its state. */
void ipfi_nat_mark(struct ipfi_pkt *p);

#endif /* IPFI_NAT_HOOKS_H */
