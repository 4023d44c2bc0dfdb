/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flow: what the core knows of a live connection. The state table's entry wraps it. */
#ifndef IPFI_CORE_FLOW_H
#define IPFI_CORE_FLOW_H

#include "module/core/packet.h"
#include "module/core/tcp.h"

/* The two directions of a flow. */
enum ipfi_direction {
	IPFI_ORIGINAL, /* as its first packet */
	IPFI_REPLY,
};

/* Those of its packets, as of the original direction: via.h. */
struct ipfi_interfaces {
	union {
		u32 iif;  /* interface index; flows of lists in and forward */
		u32 user; /* owner of the socket; flows of list out (~0 for none), the same in each pair */
	};
	u32 oif;          /* interface index; lists out and forward */
};

/* What went in one direction. */
struct ipfi_traffic {
	struct ipfi_interfaces last; /* of the last packet: via.h */
	u64 packets;
	u64 bytes;
};

/* Private flags, beside the public IPFI_STATE_F_*. */
#define IPFI_FLOW_F_EXT (1 << 4)     /* the table's entry is one with a translation, a helper or a master */
#define IPFI_FLOW_F_UNCONFIRMED (1 << 5) /* translated as it arrived, and not yet judged by the filter */
#define IPFI_FLOW_F_HIGHER (1 << 6)   /* the original source is the key's higher end point */
#define IPFI_FLOW_F_LOOPBACK (1 << 7) /* its first packet was on a loopback device */

/*
 * Laid out by use: what every packet reads or writes, then what the protocol needs, then what is seldom looked at. Where
 * the table keeps one of IPv4 it ends before the rest of the addresses: it has no such thing.
 */
struct ipfi_flow {
	struct ipfi_key_head key;
	u32 generation; /* of its last judgement: a number that the caller gave */
	u8 state;       /* enum ipfi_state_id */
	u8 list;        /* enum ipfi_list of its first packet */
	u8 flags;       /* IPFI_STATE_F_*, IPFI_FLOW_F_* */
	u8 table;       /* the table's own flags */
	struct ipfi_traffic traffic[2]; /* by enum ipfi_direction */
	struct ipfi_interfaces other;   /* another pair that the rules have allowed: via.h */
	struct ipfi_tcp tcp;
	u64 rule; /* id of the rule that allowed it */
	u32 mark;    /* of the first packet */
	u32 created; /* seconds on the caller's clock */
	struct ipfi_key_rest rest; /* the key's; of IPv6 alone */
};

/* Bytes of one of IPv4 there. */
#define IPFI_FLOW_SIZE_IPV4 offsetof(struct ipfi_flow, rest)

static_assert(IPFI_FLOW_SIZE_IPV4 <= 136 && sizeof(struct ipfi_flow) == IPFI_FLOW_SIZE_IPV4 + sizeof(struct ipfi_key_rest),
	      "ipfi_flow keeps to its share of 192 bytes");

/* Copies a flow, of which the table may have made no more than its family needs. */
static inline void ipfi_flow_copy(struct ipfi_flow *to, const struct ipfi_flow *from)
{
	__builtin_memcpy(to, from, IPFI_FLOW_SIZE_IPV4);
	if (from->key.family != 4)
		to->rest = from->rest;
}

/* Its key, of the real end points. */
static inline void ipfi_flow_key(const struct ipfi_flow *flow, struct ipfi_key *key)
{
	ipfi_key_get(key, &flow->key, &flow->rest);
}

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
	ipfi_key_to_tuple(&flow->key, &flow->rest, flow->flags & IPFI_FLOW_F_HIGHER, tuple);
}

/* Its first packet's tuple is @tuple, of the family that it is made for. */
static inline void ipfi_flow_set_tuple(struct ipfi_flow *flow, const struct ipfi_tuple *tuple)
{
	struct ipfi_key key;

	flow->flags &= ~IPFI_FLOW_F_HIGHER;
	if (ipfi_key_from_tuple(&key, tuple))
		flow->flags |= IPFI_FLOW_F_HIGHER;
	ipfi_key_put(&flow->key, &flow->rest, &key);
}

/* The least that the mapping of a translated ICMP query lives without traffic, seconds (RFC 5508 REQ-2). */
#define IPFI_NAT_ICMP_LEAST 60

/* Is it a guess that only one side has spoken of? Anybody can make those with single forged
 * segments. */
static inline bool ipfi_flow_is_tentative(const struct ipfi_flow *flow)
{
	return (flow->flags & (IPFI_STATE_F_MIDSTREAM | IPFI_STATE_F_REPLY_SEEN)) ==
	       IPFI_STATE_F_MIDSTREAM;
}

/* The most that an unconfirmed guess lives without traffic, seconds. */
#define IPFI_UNCONFIRMED_MAX 30

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
	if (unlikely(ipfi_flow_is_tentative(flow))) {
		u32 timeout = limits->value[flow->state == IPFI_STATE_ESTABLISHED
						    ? IPFI_LIMIT_TCP_MIDSTREAM
						    : IPFI_LIMIT_TCP_SYN_SENT + flow->state -
							      IPFI_STATE_SYN_SENT];

		return timeout < IPFI_UNCONFIRMED_MAX ? timeout : IPFI_UNCONFIRMED_MAX;
	}
	return limits->value[IPFI_LIMIT_TCP_SYN_SENT + flow->state - IPFI_STATE_SYN_SENT];
}

/* May the flow make room for another when the table is full? Embryonic: no reply seen. Closing: TCP
 * past its first FIN or reset. Unconfirmed guesses should go before all others. */
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
	IPFI_ADVANCE_IGNORE, /* it passes (reason CHALLENGE), but the flow took no note and is not
				renewed */
	IPFI_ADVANCE_DROP,
	IPFI_ADVANCE_REOPEN, /* it opens a new connection where this one has ended: remove the flow
			      * and judge the packet as a first one */
	IPFI_ADVANCE_RESYNC, /* it answers a SYN that had passed without effect: the rules decide
			      * whether the connection is that of this SYN now (tcp_resync.h) */
};

/*
 * Lets @packet go by: protocol state, flags and counters move on. @reason is set for IGNORE and DROP.
 * When the state changed, flow->state says so to who compares.
 */
enum ipfi_advance ipfi_flow_advance(struct ipfi_flow *flow, const struct ipfi_packet *packet,
				    enum ipfi_direction direction, u8 *reason);

#endif /* IPFI_CORE_FLOW_H */
