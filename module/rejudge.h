/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judging live connections by rules that are newer than their last judgement: what the core does not know. */
#ifndef IPFI_REJUDGE_H
#define IPFI_REJUDGE_H

#include "core/decide.h"

struct net;

/* What the devices of @flow are called now. Under RCU, as long as which the names are there. */
void ipfi_rejudge_names(struct net *net, const struct ipfi_flow *flow, struct ipfi_device_names *names);

/*
 * A data connection is still allowed while its control connection would be, with the helper. @first: what that was when
 * it announced this one. True: @flow->generation and @flow->rule are brought up to date; else @flow is to be judged for
 * itself. Under RCU.
 */
bool ipfi_rejudge_by_master(struct net *net, const struct ipfi_judge *judge, struct ipfi_flow *flow,
			    const struct ipfi_flow *first);

#endif /* IPFI_REJUDGE_H */
