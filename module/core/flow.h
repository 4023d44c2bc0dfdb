/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flow: what the core knows of a live connection. The state table's entry wraps it. */
#ifndef IPFI_CORE_FLOW_H
#define IPFI_CORE_FLOW_H

#include "packet.h"
#include "tcp.h"

/* The two directions of a flow. */
enum ipfi_direction {
	IPFI_ORIGINAL, /* as its first packet */
	IPFI_REPLY,
};

/* Private flags, beside the public IPFI_STATE_F_*. */
#define IPFI_FLOW_F_WIDE (1 << 4)     /* the table's entry is one with a translation, a helper or a master */
#define IPFI_FLOW_F_UNJUDGED (1 << 5) /* translated as it arrived, and not yet judged by the filter */
#define IPFI_FLOW_F_HIGHER (1 << 6)   /* the original source is the key's higher end point */
#define IPFI_FLOW_F_LOOPBACK (1 << 7) /* its first packet was on a loopback device */

/*
 * Laid out by use: what every packet reads or writes first (with the 16 bytes that the table puts before
 * it, one cache line), then counters, then what the protocol needs, then what is seldom looked at.
 */
struct ipfi_flow {
	struct ipfi_key key;
	u32 generation; /* of its last judgement: a number that the caller gave */
	u8 state;       /* enum ipfi_state_id */
	u8 list;        /* enum ipfi_list of its first packet */
	u8 flags;       /* IPFI_STATE_F_*, IPFI_FLOW_F_* */
	u8 table;       /* the table's own flags */
	u64 packets[2]; /* by enum ipfi_direction */
	u64 bytes[2];
	struct ipfi_tcp tcp;
	u64 rule; /* id of the rule that allowed it */
	union {
		u32 iif;  /* device index of the first packet; lists in and forward */
		u32 user; /* owner of the socket; list out (~0 for none) */
	};
	u32 oif;     /* device index; lists out and forward */
	u32 mark;    /* of the first packet */
	u32 created; /* seconds on the caller's clock */
};

static_assert(sizeof(struct ipfi_flow) == 136, "ipfi_flow keeps to its share of 192 bytes");

/* Limits in force, by enum ipfi_limit; X-macro IPFI_LIMITS has names, ranges and defaults. */
struct ipfi_limits {
	u32 value[IPFI_LIMIT_MAX + 1];
};

/* Sets every limit to its default, max_states to the least of those that memory may give. */
void ipfi_limits_init(struct ipfi_limits *limits);

/* The least and the most that limit @id may be. */
void ipfi_limit_range(unsigned int id, u32 *least, u32 *most);

/* The direction of a packet with the flow's key; @higher as ipfi_key_from_tuple() said of it. */
static inline enum ipfi_direction ipfi_flow_direction(const struct ipfi_flow *flow, bool higher)
{
	return higher == !!(flow->flags & IPFI_FLOW_F_HIGHER) ? IPFI_ORIGINAL : IPFI_REPLY;
}

/* The tuple of the flow's first packet. */
static inline void ipfi_flow_tuple(const struct ipfi_flow *flow, struct ipfi_tuple *tuple)
{
	ipfi_key_to_tuple(&flow->key, flow->flags & IPFI_FLOW_F_HIGHER, tuple);
}

/* The least that the mapping of a translated ICMP query lives without traffic, seconds (RFC 5508 REQ-2). */
#define IPFI_NAT_ICMP_LEAST 60

/* Seconds without traffic after which the flow ends. */
static inline u32 ipfi_flow_timeout(const struct ipfi_flow *flow, const struct ipfi_limits *limits)
{
	if (unlikely(flow->flags & (IPFI_STATE_F_SRC_NAT | IPFI_STATE_F_DST_NAT))) {
		/* A mapping lives as long with traffic one way alone (RFC 4787 REQ-5 and REQ-6). */
		if (flow->state == IPFI_STATE_UDP_NEW)
			return limits->value[IPFI_LIMIT_UDP_ESTABLISHED];
		if (flow->state == IPFI_STATE_ICMP && limits->value[IPFI_LIMIT_ICMP] < IPFI_NAT_ICMP_LEAST)
			return IPFI_NAT_ICMP_LEAST;
	}
	if (unlikely((flow->flags & (IPFI_STATE_F_GUESSED | IPFI_STATE_F_REPLY_SEEN)) == IPFI_STATE_F_GUESSED &&
		     flow->state == IPFI_STATE_ESTABLISHED))
		return limits->value[IPFI_LIMIT_TCP_GUESSED];
	return limits->value[IPFI_LIMIT_TCP_SYN_SENT + flow->state - IPFI_STATE_SYN_SENT];
}

/* May the flow make room for another when the table is full? Embryonic: no reply seen. Closing: TCP past
 * its first FIN or reset. */
bool ipfi_flow_evictable(const struct ipfi_flow *flow);

/*
 * Makes *flow the state of a connection whose first packet is @packet, allowed by rule @rule.
 * Returns 0 or -(enum ipfi_reason) when such a packet opens nothing: TCP_NOT_SYN, TCP_STATE, ICMP_UNASKED.
 */
int ipfi_flow_open(struct ipfi_flow *flow, const struct ipfi_packet *packet, u64 rule, u32 generation,
		   u32 now, const struct ipfi_limits *limits);

/* What ipfi_flow_advance() asks for. */
enum ipfi_advance {
	IPFI_ADVANCE_PASS,   /* the packet belongs to the flow, which took note of it */
	IPFI_ADVANCE_IGNORE, /* it passes (reason CHALLENGE), but the flow took no note and is not renewed */
	IPFI_ADVANCE_DROP,
	IPFI_ADVANCE_REOPEN, /* it opens a new connection where this one has ended: remove the flow and
			      * judge the packet as a first one */
};

/*
 * Lets @packet go by: protocol state, flags and counters move on. @reason is set for IGNORE and DROP.
 * When the state changed, flow->state says so to who compares.
 */
enum ipfi_advance ipfi_flow_advance(struct ipfi_flow *flow, const struct ipfi_packet *packet,
				    enum ipfi_direction direction, u8 *reason);

#endif /* IPFI_CORE_FLOW_H */
