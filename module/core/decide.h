/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision about a packet, told in the order it is made; the caller keeps the table of flows. */
#ifndef IPFI_CORE_DECIDE_H
#define IPFI_CORE_DECIDE_H

#include "module/core/classify.h"
#include "module/core/via.h"

/* The steps of a judgement: those of the list that translates destinations, of the filter's, of sources. */
struct ipfi_trace {
	struct ipfi_steps dstnat, filter, srcnat;
};

/* What a packet is judged by. */
struct ipfi_match_ctx {
	const struct ipfi_classifier *classifier;
	const struct ipfi_limits *limits;
	const struct ipfi_match_env *env;
	u32 generation; /* what a flow that is judged now is marked with */
	struct ipfi_trace *trace; /* NULL, as for every packet that is no question */
};

struct ipfi_decision {
	u8 verdict;  /* enum ipfi_verdict */
	u8 reason;   /* enum ipfi_reason */
	bool stateful; /* allowed by a stateful rule, and the packet can open a state */
	const struct ipfi_rule *rule; /* that decided, NULL for none */
};

/* The first rule of packet->list that matches, or NULL. When its list is searched again, the last time is told. */
const struct ipfi_rule *ipfi_decide_rule(const struct ipfi_match_ctx *ctx, const struct ipfi_packet *packet);

/* A packet that belongs to no live flow: the rule search, the list's default, IPv6's exception. */
void ipfi_decide_first(const struct ipfi_match_ctx *ctx, const struct ipfi_packet *packet,
		       struct ipfi_decision *decision);

/* What a flow's interfaces are called, NULL for one that is gone or that it does not have. */
struct ipfi_device_names {
	const char *iif, *oif;         /* NULL for none */
	const char *iif_vrf, *oif_vrf; /* of the VRFs that they belong to; likewise */
};

/* Of a flow's first packet these are not remembered, or not to be asked twice. */
#define IPFI_FIELDS_FORGOTTEN                                                           \
	(IPFI_FIELD_BIT(IPFI_FIELD_LENGTH) | IPFI_FIELD_BIT(IPFI_FIELD_DSCP) |          \
	 IPFI_FIELD_BIT(IPFI_FIELD_LIMIT) | IPFI_FIELD_BIT(IPFI_FIELD_PER_SOURCE) |     \
	 IPFI_FIELD_BIT(IPFI_FIELD_IPSEC))

/* The first packet of @flow, as far as it is remembered, as if it went by @via, whose interfaces have these names. */
void ipfi_decide_recall(const struct ipfi_flow *flow, const struct ipfi_via *via,
			const struct ipfi_device_names *names, struct ipfi_packet *first);

/*
 * Is @flow, evaluated by an older rule set or by other interfaces, still allowed if it goes by @via? Decided by its
 * first packet's tuple, mark and user, and by @via. When it is, flow->generation and flow->rule are brought up to date
 * and true is returned.
 */
bool ipfi_decide_again(const struct ipfi_match_ctx *ctx, struct ipfi_flow *flow, const struct ipfi_via *via,
		       const struct ipfi_device_names *names, struct ipfi_decision *decision);

/*
 * Does the ICMP error @packet speak about @flow? The key of packet->inner must be the flow's. The error must
 * be addressed to who sent the inner packet (RFC 5508 section 7), and an inner TCP sequence number must be one
 * that this end can have sent (RFC 5927 section 4.1).
 */
bool ipfi_decide_related(const struct ipfi_flow *flow, const struct ipfi_packet *packet);

#endif /* IPFI_CORE_DECIDE_H */
