/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule, and whether a packet matches it. */
#ifndef IPFI_CORE_RULE_H
#define IPFI_CORE_RULE_H

#include "module/core/packet.h"

#define IPFI_DEVICE_LEN 16 /* IFNAMSIZ */

struct ipfi_range {
	u32 from, to; /* both included */
};

struct ipfi_ranges {
	const struct ipfi_range *at;
	u32 count;
};

struct ipfi_addr_range {
	struct ipfi_addr from, to; /* both included */
};

/* IPv4 and IPv6 ranges stand apart: an address meets only those of its own family. */
struct ipfi_addrs {
	const struct ipfi_addr_range *v4;
	const struct ipfi_addr_range *v6;
	u32 v4_count;
	u32 v6_count;
	u32 set_count;
	const void *const *sets; /* dynamic sets, which the core does not look into */
	bool me; /* also the machine's own addresses */
};

/* What a NAT rule translates to: any of these addresses; ports 0 to 0 leave the port as it is where that is
 * free. */
struct ipfi_nat_target {
	struct ipfi_addrs addrs; /* ranges only; none for MASQUERADE and REDIRECT */
	u16 port_from, port_to;
};

struct ipfi_rule {
	u64 id;       /* ipfi_rule_id() of the name */
	u32 index;    /* place in the rule set, from 0 */
	u32 fields;   /* IPFI_FIELD_BIT()s that are present */
	u32 negated;  /* a subset of fields */
	u32 flags;    /* IPFI_RULE_F_* */
	u8 lists;     /* mask of 1 << enum ipfi_list */
	u8 verdict;   /* enum ipfi_verdict */
	u8 family;    /* 4 or 6 */
	u8 tcp_mask, tcp_value;
	u8 ipsec;     /* 1: by IPsec only, 0: without */
	char iif[IPFI_DEVICE_LEN]; /* a trailing '*' matches any rest */
	char oif[IPFI_DEVICE_LEN];
	struct ipfi_addrs src, dst;
	struct ipfi_ranges proto, sport, dport, icmp, length, dscp, user;
	u32 mark_value, mark_mask;
	u64 limit_interval; /* nanoseconds between two packets at the limit's rate */
	u32 limit_burst;
	u32 per_source;
	struct ipfi_nat_target target; /* NAT rules */
	u16 mss;            /* largest segment size a SYN may announce, IPFI_MSS_PMTU, 0 for any */
	u8 helper;          /* enum ipfi_helper */
	const char *name;   /* never NULL */
	const char *log;    /* prefix, NULL for no log */
};

/*
 * What a match must ask of its surroundings. All of these are called from the rule search only, never for
 * a packet of a live state that needs no new judgement.
 */
struct ipfi_match_env {
	/* Is @addr one of this machine's own addresses? */
	bool (*is_me)(void *context, u8 family, const struct ipfi_addr *addr);
	/* Take one packet from @rule's limit; false when it is used up. Called when all other fields match. */
	bool (*take_limit)(void *context, const struct ipfi_rule *rule);
	/* Live states that @rule allowed from the source of @tuple. */
	u32 (*source_states)(void *context, const struct ipfi_rule *rule, const struct ipfi_tuple *tuple);
	/* Is @addr a member of the dynamic set @set, one of ipfi_addrs.sets? */
	bool (*in_set)(void *context, const void *set, u8 family, const struct ipfi_addr *addr);
	void *context;
};

/*
 * Does @packet match @rule? (List membership is the caller's business.)
 * A field in packet->unknown counts as matching when the rule allows and as different when it does not: a
 * live state is ended only on facts that are remembered.
 * Returns -1 for a match, or the enum ipfi_field that first differs, in the enum's order; TCP or UDP port,
 * ICMP and flags fields never match a packet that has no such thing, negated or not.
 */
int ipfi_rule_differs(const struct ipfi_rule *rule, const struct ipfi_packet *packet,
		      const struct ipfi_match_env *env);

/* The id of a rule: FNV-1a of its name (64 bits, isthe.com/chongo/tech/comp/fnv), never 0. It stays the
 * same over commits, so that states can name their rule. */
u64 ipfi_rule_id(const char *name, size_t length);

/*
 * Generic cell rate algorithm (ITU-T I.371): may one more packet pass at @now? @arrival is the theoretical
 * arrival time, 0 at first; if true *next is its new value, else it is left alone. Times in nanoseconds.
 */
bool ipfi_rate_conforms(u64 arrival, u64 now, u64 interval, u32 burst, u64 *next);

#endif /* IPFI_CORE_RULE_H */
