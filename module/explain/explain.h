/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What would happen to a packet now: nothing is counted, logged, renewed, made or used up.
 *
 * The question gets a buffer of its own and goes the path of packets with it, through the same functions: from the hook
 * for what arrives to that for what leaves. States are copies there (table/copies.h), and what is to be done is noted.
 */
#ifndef IPFI_EXPLAIN_H
#define IPFI_EXPLAIN_H

#include "module/core/tuple.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/ruleset/ruleset.h"

/* A packet as it arrives or, list out, is sent. */
struct ipfi_query {
	const u8 *data; /* from its IP header on; at least its headers are there */
	u32 length;
	u8 list;         /* enum ipfi_list, of the filter's */
	const char *iif; /* NULL for none */
	const char *oif; /* NULL: found by its destination, where it has one */
	u32 mark;
	bool ipsec; /* it came by IPsec, or, list out, will leave by it */
	bool has_user;
	u32 user;
};

struct ipfi_explanation {
	struct ipfi_ruleset *rs; /* that was asked, held; NULL before the first commit, when every packet passes */
	struct ipfi_dry_run dry_run; /* with the steps */
	u8 verdict; /* enum ipfi_verdict */
	u8 reason;  /* enum ipfi_reason; NONE before the first commit */
	u8 list;    /* where it is judged: another one than was asked for when its destination is translated */
	u8 state;   /* enum ipfi_state_id of its connection after the packet, NONE without */
	u64 rule;   /* that decides, or that the state belongs to; 0 for none */
	u64 state_id; /* of the live state that was found, 0 for none */
	bool translated;
	struct ipfi_tuple leaving; /* as it leaves, or, denied, as it was judged; if translated */
};

/*
 * Answers @question in *x, which is to be given up by ipfi_explanation_end() whatever is returned. Sleeps.
 * -ENODEV: there is no such device as iif, -ENXIO: as oif; -ENODATA: the packet's headers are not all there;
 * -ENOMEM.
 */
int ipfi_explain(struct ipfi_net *in, const struct ipfi_query *query, struct ipfi_explanation *x);
void ipfi_explanation_end(struct ipfi_explanation *x);

#endif /* IPFI_EXPLAIN_H */
