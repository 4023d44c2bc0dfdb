/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * ipfi: the one contract of kernel and user space.
 *
 * Generic netlink family "ipfi", version 1. Integers are in host byte order, addresses are 4 (IPv4) or
 * 16 (IPv6) bytes as on the wire, strings end in NUL. Every message carries one or more of the top-level
 * attributes IPFI_A_*; unknown attributes, flags and values are refused with an extended acknowledgement
 * that names the attribute. Everything concerns the network namespace of the socket.
 *
 * "admin" below: CAP_NET_ADMIN in the user namespace that owns the network namespace.
 *
 *   IPFI_CMD_INFO            ->  -
 *                            <-  INFO { VERSION, GENERATION, ARMED, NAME, RULES, CONFIRM?, CHANGE? }
 *   IPFI_CMD_LIMITS_GET      ->  -
 *                            <-  LIMITS { one u32 for each of IPFI_LIMITS }
 *   IPFI_CMD_LIMITS_SET      ->  LIMITS { any of IPFI_LIMITS }                                     admin
 *                            -ERANGE for MAX_STATES above that of the machine's first network namespace, here and in
 *                            RULESET_BEGIN; nothing changes then
 *   IPFI_CMD_RULESET_BEGIN   ->  RULESET { NAME?, DEFAULT_IN?, DEFAULT_OUT?, DEFAULT_FORWARD?,
 *                                          LIMITS?, SET* }                                         admin
 *                            opens the transaction of this socket; it dies with the socket
 *   IPFI_CMD_RULE_ADD        ->  RULE { see enum ipfi_rule_attr }                                  admin
 *                            appends a filter rule or a NAT rule, by its LISTS; many of these may share one sendmsg(2). After the first
 *                            refused rule the transaction is broken and commit answers -ECANCELED
 *   IPFI_CMD_RULESET_COMMIT  ->  COMMIT { EXPECT?, STATES?, CONFIRM? }                             admin
 *                            <-  INFO { GENERATION, RULES, CONFIRM? }
 *                            -ESTALE when EXPECT is not the running generation, -EBUSY while another commit
 *                            waits to be confirmed; nothing changes then. With CONFIRM the rule set and the
 *                            limits that were in force come back by themselves, as a new generation that live
 *                            states are judged by again, unless it is confirmed in time
 *   IPFI_CMD_RULESET_CONFIRM ->  COMMIT { EXPECT? }                                                admin
 *                            <-  INFO { GENERATION, RULES }: the running rule set stays.
 *                            -ENOENT when none waits, -ESTALE when EXPECT is not its generation
 *   IPFI_CMD_RULESET_ROLLBACK -> COMMIT { EXPECT? }                                                admin
 *                            <-  INFO { GENERATION, RULES } of what came back; errors as above
 *   IPFI_CMD_RULESET_ABORT   ->  -                                                                 admin
 *   IPFI_CMD_RULESET_DRY_RUN     ->  -                                                                 admin
 *                            <-  STATS { STATES }, TRIAL { see enum ipfi_dry_run_attr } ...
 *                            what a commit would do to the live states, of which there are STATES: each is judged by
 *                            the rules of this socket's transaction, which ends; nothing else changes
 *   IPFI_CMD_RULES_DUMP      ->  (dump)                                                            admin
 *                            <-  INFO { GENERATION, NAME, RULES, CONFIRM? }, RULESET { DEFAULT_*, SET* } once, first;
 *                                then RULE { ..., ID, PACKETS, BYTES } for each rule, in order
 *   IPFI_CMD_STATES_DUMP     ->  (dump) FILTER?                                                    admin
 *                            <-  STATE { see enum ipfi_state_attr } for each
 *   IPFI_CMD_STATES_COUNT    ->  FILTER?                                                           admin
 *                            <-  STATS { STATES }
 *   IPFI_CMD_STATES_DELETE   ->  FILTER?                                                           admin
 *                            <-  STATS { STATES } the number deleted
 *   IPFI_CMD_STATS           ->  -
 *                            <-  STATS { ..., COUNTERS { COUNTER { REASON, PACKETS } ... } }
 *
 *   IPFI_CMD_EXPECTATIONS_DUMP ->  (dump)                                                          admin
 *                            <-  EXPECTATION { see enum ipfi_expectation_attr } for each
 *   IPFI_CMD_SETS_DUMP       ->  (dump) SET { NAME, MEMBER { ADDR, LENGTH? }? }?                   admin
 *                            <-  SET { NAME, MEMBERS } for each; with a NAME given only that one, followed by
 *                                SET { NAME, MEMBER { ADDR, LENGTH, TIMEOUT? } ... } until all are told; with a
 *                                MEMBER given only those that contain it, the longest prefix first
 *   IPFI_CMD_SET_ADD         ->  SET { NAME, MEMBER { ADDR, LENGTH?, TIMEOUT? } ... }; none: asks  admin
 *                            <-  SET { NAME, MEMBERS, CHANGED }; a member that is there gets the new time-out.
 *                            -ENOSPC for more than IPFI_SET_MEMBERS_MAX; nothing changes then
 *   IPFI_CMD_SET_DELETE      ->  SET { NAME, MEMBER { ADDR, LENGTH? } ... }; none: all members     admin
 *                            <-  SET { NAME, MEMBERS, CHANGED }; -ENOENT for a set that no rule set declares,
 *                            here, for SET_ADD and for SETS_DUMP with a NAME
 *   IPFI_CMD_EXPLAIN         ->  (dump) PACKET { DATA, LIST, IIF?, OIF?, MARK?, USER? }            admin
 *                            <-  STEP { ... } for each rule that was asked, in order, several a message; then
 *                                JUDGEMENT { ... }, once, last. What would happen to the packet now: nothing is
 *                                counted, logged, renewed, made or used up
 *   IPFI_CMD_DROPS_DUMP      ->  (dump)                                                            admin
 *                            <-  DROP { see enum ipfi_drop_attr } for each of the last IPFI_DROPS_KEPT packets
 *                                that were dropped, the oldest first
 *
 * Multicast:
 *   group "state":    IPFI_CMD_EVENT_STATE    EVENT { KIND, CAUSE? }, STATE { ... }
 *                     IPFI_CMD_EVENT_FULL     STATS { STATES, MAX_STATES }
 *                     IPFI_CMD_EVENT_NAT_FULL LOG { RULE, NAME, LIST, FAMILY, PROTO, SRC, DST, SPORT, DPORT, TIME }:
 *                                             no translation left for a connection; at most one a second
 *   group "log":      IPFI_CMD_EVENT_LOG      LOG { see enum ipfi_log_attr }
 *   group "ruleset":  IPFI_CMD_EVENT_RULESET  INFO { GENERATION, NAME, RULES, CHANGE, CONFIRM? }
 */
#ifndef _UAPI_LINUX_IPFI_H
#define _UAPI_LINUX_IPFI_H

#define IPFI_VERSION "0.1.0" /* of the program and the module that are built with this header */
#define IPFI_GENL_NAME "ipfi"
#define IPFI_GENL_VERSION 1
#define IPFI_GROUP_STATE "state"
#define IPFI_GROUP_LOG "log"
#define IPFI_GROUP_RULESET "ruleset"

/* Longest strings, without the NUL. */
#define IPFI_NAME_LEN 63     /* rule and policy names */
#define IPFI_LOG_LEN 63      /* log prefix */
#define IPFI_COMMENT_LEN 255 /* comment */
#define IPFI_AT_LEN 255      /* "file:line" */
#define IPFI_WRITTEN_LEN 8192 /* the fields as written */
#define IPFI_RULES_MAX 1000000 /* rules in a rule set */
#define IPFI_SET_NAME_LEN 31 /* name of a dynamic set */
#define IPFI_SETS_MAX 1024   /* dynamic sets in a rule set */
#define IPFI_SET_MEMBERS_MAX 1000000 /* members of a dynamic set */

enum ipfi_cmd {
	IPFI_CMD_UNSPEC,
	IPFI_CMD_INFO,
	IPFI_CMD_LIMITS_GET,
	IPFI_CMD_LIMITS_SET,
	IPFI_CMD_RULESET_BEGIN,
	IPFI_CMD_RULE_ADD,
	IPFI_CMD_RULESET_COMMIT,
	IPFI_CMD_RULESET_ABORT,
	IPFI_CMD_RULES_DUMP,
	IPFI_CMD_STATES_DUMP,
	IPFI_CMD_STATES_COUNT,
	IPFI_CMD_STATES_DELETE,
	IPFI_CMD_STATS,
	IPFI_CMD_EXPECTATIONS_DUMP,
	IPFI_CMD_SETS_DUMP,
	IPFI_CMD_SET_ADD,
	IPFI_CMD_SET_DELETE,
	IPFI_CMD_RULESET_CONFIRM,
	IPFI_CMD_RULESET_ROLLBACK,
	IPFI_CMD_EXPLAIN,
	IPFI_CMD_DROPS_DUMP,
	IPFI_CMD_RULESET_DRY_RUN,
	IPFI_CMD_EVENT_STATE,
	IPFI_CMD_EVENT_FULL,
	IPFI_CMD_EVENT_NAT_FULL,
	IPFI_CMD_EVENT_LOG,
	IPFI_CMD_EVENT_RULESET,
	__IPFI_CMD_END,
};
#define IPFI_CMD_MAX (__IPFI_CMD_END - 1)

/* Top level. */
enum ipfi_attr {
	IPFI_A_UNSPEC,
	IPFI_A_INFO,    /* nest, enum ipfi_info_attr */
	IPFI_A_LIMITS,  /* nest, enum ipfi_limit (attribute type is the limit's number) */
	IPFI_A_RULESET, /* nest, enum ipfi_ruleset_attr */
	IPFI_A_RULE,    /* nest, enum ipfi_rule_attr */
	IPFI_A_COMMIT,  /* nest, enum ipfi_commit_attr */
	IPFI_A_FILTER,  /* nest, enum ipfi_filter_attr */
	IPFI_A_STATE,   /* nest, enum ipfi_state_attr */
	IPFI_A_STATS,   /* nest, enum ipfi_stats_attr */
	IPFI_A_EVENT,   /* nest, enum ipfi_event_attr */
	IPFI_A_LOG,     /* nest, enum ipfi_log_attr */
	IPFI_A_EXPECTATION, /* nest, enum ipfi_expectation_attr */
	IPFI_A_SET,     /* nest, enum ipfi_set_attr */
	IPFI_A_PACKET,  /* nest, enum ipfi_packet_attr */
	IPFI_A_STEP,    /* nest, enum ipfi_step_attr; repeated */
	IPFI_A_RESULT, /* nest, enum ipfi_result_attr */
	IPFI_A_DROP,    /* nest, enum ipfi_drop_attr */
	IPFI_A_DRY_RUN,   /* nest, enum ipfi_dry_run_attr; repeated */
	__IPFI_A_END,
};
#define IPFI_A_MAX (__IPFI_A_END - 1)

enum ipfi_info_attr {
	IPFI_INFO_A_UNSPEC,
	IPFI_INFO_A_VERSION,    /* string: the module's version */
	IPFI_INFO_A_GENERATION, /* u32: the running rule set's; 0 before the first commit */
	IPFI_INFO_A_ARMED,      /* u8: 1 when packets are judged */
	IPFI_INFO_A_NAME,       /* string: the running policy's name */
	IPFI_INFO_A_RULES,      /* u32: number of rules, NAT rules too */
	IPFI_INFO_A_CONFIRM,    /* u32: milliseconds until the rule set before comes back; absent when it is to stay */
	IPFI_INFO_A_CHANGE,     /* u8, enum ipfi_change: what happened last */
	IPFI_INFO_A_NAT_RULES,  /* u32: how many of them are NAT rules; absent for none */
	__IPFI_INFO_A_END,
};
#define IPFI_INFO_A_MAX (__IPFI_INFO_A_END - 1)

/* What happened to the running rule set: X(ENUM, name). */
#define IPFI_CHANGES(X)            \
	X(COMMITTED, "committed")      \
	X(CONFIRMED, "confirmed")      \
	X(ROLLED_BACK, "rolled-back")  \
	X(TIMED_OUT, "timed-out")

enum ipfi_change {
	IPFI_CHANGE_UNSPEC,
#define X(id, name) IPFI_CHANGE_##id,
	IPFI_CHANGES(X)
#undef X
	__IPFI_CHANGE_END,
};
#define IPFI_CHANGE_MAX (__IPFI_CHANGE_END - 1)

/*
 * Limits: X(ENUM, name in Lua, least, most, default). Times are in seconds, each renewed by traffic.
 * The time-outs stand in the order of enum ipfi_state_id, so that the limit of a state is
 * IPFI_LIMIT_TCP_SYN_SENT + (state - IPFI_STATE_SYN_SENT) (ORDER STATE); IPFI_LIMIT_TCP_MIDSTREAM comes last.
 * The default of max_states, 0 here, depends on memory and is at least IPFI_MAX_STATES_LEAST;
 * max_states_per_source 0 means no limit.
 */
#define IPFI_TIMEOUT_MAX 604800 /* a week */
#define IPFI_MAX_STATES_LEAST 65536
#define IPFI_LIMITS(X)                                                           \
	X(MAX_STATES, max_states, 1, 0x7fffffff, 0)                              \
	X(MAX_STATES_PER_SOURCE, max_states_per_source, 0, 0x7fffffff, 0)        \
	X(TCP_LOOSE, tcp_loose, 0, 1, 1)                                         \
	X(TCP_SYN_SENT, tcp_syn_sent, 1, IPFI_TIMEOUT_MAX, 120)                 \
	X(TCP_SYN_RECV, tcp_syn_recv, 1, IPFI_TIMEOUT_MAX, 60)                  \
	X(TCP_ESTABLISHED, tcp_established, 1, IPFI_TIMEOUT_MAX, 3600)          \
	X(TCP_FIN_WAIT, tcp_fin_wait, 1, IPFI_TIMEOUT_MAX, 120)                 \
	X(TCP_CLOSE_WAIT, tcp_close_wait, 1, IPFI_TIMEOUT_MAX, 60)              \
	X(TCP_LAST_ACK, tcp_last_ack, 1, IPFI_TIMEOUT_MAX, 30)                  \
	X(TCP_TIME_WAIT, tcp_time_wait, 1, IPFI_TIMEOUT_MAX, 120)               \
	X(TCP_CLOSED, tcp_closed, 1, IPFI_TIMEOUT_MAX, 10)                      \
	X(UDP_NEW, udp_new, 1, IPFI_TIMEOUT_MAX, 30)                            \
	X(UDP_ESTABLISHED, udp_established, 1, IPFI_TIMEOUT_MAX, 120)           \
	X(ICMP, icmp, 1, IPFI_TIMEOUT_MAX, 30)                                  \
	X(OTHER, other, 1, IPFI_TIMEOUT_MAX, 180)                               \
	X(TCP_MIDSTREAM, tcp_midstream, 1, IPFI_TIMEOUT_MAX, 300)

enum ipfi_limit {
	IPFI_LIMIT_UNSPEC,
#define X(id, name, least, most, standard) IPFI_LIMIT_##id,
	IPFI_LIMITS(X)
#undef X
	__IPFI_LIMIT_END,
};
#define IPFI_LIMIT_MAX (__IPFI_LIMIT_END - 1)

/* States: X(ENUM = name shown). ORDER STATE: as the time-outs in IPFI_LIMITS. */
#define IPFI_STATES(X)     \
	X(SYN_SENT)        \
	X(SYN_RECV)        \
	X(ESTABLISHED)     \
	X(FIN_WAIT)        \
	X(CLOSE_WAIT)      \
	X(LAST_ACK)        \
	X(TIME_WAIT)       \
	X(CLOSED)          \
	X(UDP_NEW)         \
	X(UDP_ESTABLISHED) \
	X(ICMP)            \
	X(OTHER)

enum ipfi_state_id {
	IPFI_STATE_NONE, /* no state: the packet's connection is unknown */
#define X(id) IPFI_STATE_##id,
	IPFI_STATES(X)
#undef X
	__IPFI_STATE_END,
};
#define IPFI_STATE_MAX (__IPFI_STATE_END - 1)

/*
 * Why a packet passed or was dropped: X(ENUM, name, accepted, help). Each is a counter.
 */
#define IPFI_REASONS(X)                                                                              \
	X(STATE, "state", 1, "belongs to a live state")                                              \
	X(RELATED, "related", 1, "ICMP error about a live state")                                    \
	X(CHALLENGE, "challenge", 1, "TCP segment without effect on its live state: RST or SYN in the window, one that is only old, one behind a reset; left to its receiver (RFC 5961)") \
	X(RULE_ALLOW, "rule-allow", 1, "allowed by a rule")                                          \
	X(DEFAULT_ALLOW, "default-allow", 1, "no rule matched and the list's default allows")        \
	X(NEIGHBOUR, "neighbour", 1, "IPv6 neighbour discovery or multicast listener message")       \
	X(EXPECTED, "expected", 1, "opens a data connection that its control connection announced")  \
	X(FTP_FOREIGN, "ftp-foreign", 1, "passed, but it announced an address that is not its sender's: not believed") \
	X(FTP_PORT, "ftp-port", 1, "passed, but it announced a port below 1024: not believed")       \
	X(FTP_SYNTAX, "ftp-syntax", 1, "passed, but it announced no valid address and port: not believed") \
	X(FTP_UNASKED, "ftp-unasked", 1, "passed, but it announced a data connection without being asked, or from the wrong side: not believed") \
	X(FTP_FULL, "ftp-full", 1, "passed, but its control connection has as many expected data connections as it may") \
	X(OWN_REJECT, "own-reject", 1, "the firewall's own TCP reset or ICMP error")                 \
	X(RULE_DENY, "rule-deny", 0, "denied by a rule")                                             \
	X(RULE_REJECT, "rule-reject", 0, "rejected by a rule")                                       \
	X(DEFAULT_DENY, "default-deny", 0, "no rule matched and the list's default denies")          \
	X(REJUDGED, "rejudged", 0, "its state was denied by a new rule set")                         \
	X(KILLED, "killed", 0, "its state was deleted; a TCP connection is answered with a reset")   \
	X(TRUNCATED, "truncated", 0, "shorter than its headers say")                                 \
	X(BAD_HEADER, "bad-header", 0, "a header contradicts itself or the standard")                \
	X(BAD_CHECKSUM, "bad-checksum", 0, "wrong transport checksum on a packet that would change a state") \
	X(FRAGMENT, "fragment", 0, "a fragment that could not be put together")                      \
	X(TCP_FLAGS, "tcp-flags", 0, "a nonsensical combination of TCP flags")                       \
	X(TCP_WINDOW, "tcp-window", 0, "TCP segment outside the window")                             \
	X(TCP_RST, "tcp-rst", 0, "TCP reset outside the window")                                     \
	X(TCP_STATE, "tcp-state", 0, "TCP segment impossible in the connection's state")             \
	X(TCP_NOT_SYN, "tcp-not-syn", 0, "TCP connection met in the middle while tcp_loose is off")  \
	X(ICMP_UNASKED, "icmp-unasked", 0, "ICMP reply that nobody asked for, or ICMP error about nothing that is known, which no rule without state names")                       \
	X(TABLE_FULL, "table-full", 0, "the state table is full")                                    \
	X(SOURCE_FULL, "source-full", 0, "its source has as many states as max_states_per_source")   \
	X(FTP_ORDER, "ftp-order", 0, "out of order on a control connection whose lines are read: its sender sends it again") \
	X(NAT_FULL, "nat-full", 0, "no free address and port for its translation")                   \
	X(NAT_FAILED, "nat-failed", 0, "could not be translated: no address on the device, its headers cannot be written, or it came in by a loopback device without what had been written there") \
	X(NAT_GONE, "nat-gone", 0, "allowed to leave translated, but its state was gone before it did") \
	X(NAT_MOVED, "nat-moved", 0, "leaves by another interface than its source was translated for: its next packet begins anew") \
	X(NO_MEMORY, "no-memory", 0, "no memory for a new state")                                    \
	X(LOOKUP_FAILED, "lookup-failed", 0, "its state was neither found nor could be created, time and again: a fault of the firewall, see the kernel's log") \
	X(UNKNOWN_DEVICE, "unknown-device", 0, "a hook was called without the device it needs") \
	X(VRF_FULL, "vrf-full", 0, "more VRFs in use than there are numbers for") \
	X(IPSEC_POLICY, "ipsec-policy", 0, "a policy of IPsec refuses it with the addresses that it has outside of this machine")

enum ipfi_reason {
	IPFI_REASON_NONE,
#define X(id, name, accepted, help) IPFI_REASON_##id,
	IPFI_REASONS(X)
#undef X
	__IPFI_REASON_END,
};
#define IPFI_REASON_MAX (__IPFI_REASON_END - 1)

enum ipfi_verdict {
	IPFI_VERDICT_ALLOW = 1,
	IPFI_VERDICT_DENY,   /* dropped in silence */
	IPFI_VERDICT_REJECT, /* dropped, with a TCP reset or ICMP "administratively prohibited" */
	/* Of NAT rules: whose address and port are changed, and to what. */
	IPFI_VERDICT_DNAT,       /* the destination's, to TARGET */
	IPFI_VERDICT_REDIRECT,   /* the destination's, to this machine's own address */
	IPFI_VERDICT_SNAT,       /* the source's, to TARGET */
	IPFI_VERDICT_MASQUERADE, /* the source's, to that of the device it leaves by */
	__IPFI_VERDICT_END,
};
#define IPFI_VERDICT_MAX (__IPFI_VERDICT_END - 1)
#define IPFI_VERDICT_FILTER_MAX IPFI_VERDICT_REJECT

/* The three lists of filter rules, and the two of NAT rules. */
enum ipfi_list {
	IPFI_LIST_IN,
	IPFI_LIST_OUT,
	IPFI_LIST_FORWARD,
	__IPFI_LIST_FILTER_END,
	IPFI_LIST_DSTNAT = __IPFI_LIST_FILTER_END, /* asked when a connection enters or is made here */
	IPFI_LIST_SRCNAT, /* asked when it leaves, after the filter has allowed it */
	__IPFI_LIST_END,
};
#define IPFI_LISTS_FILTER ((1 << __IPFI_LIST_FILTER_END) - 1)
#define IPFI_LISTS_ALL ((1 << __IPFI_LIST_END) - 1)

enum ipfi_ruleset_attr {
	IPFI_RULESET_A_UNSPEC,
	IPFI_RULESET_A_NAME,            /* string: the policy's name */
	IPFI_RULESET_A_DEFAULT_IN,      /* u8, enum ipfi_verdict; deny when absent (all three) */
	IPFI_RULESET_A_DEFAULT_OUT,
	IPFI_RULESET_A_DEFAULT_FORWARD,
	IPFI_RULESET_A_LIMITS,          /* nest, enum ipfi_limit: set with the commit */
	IPFI_RULESET_A_SET,             /* string, repeated: a dynamic set that the rule set has. It is made empty
	                                 * unless it is there already, and goes with the last rule set that has it */
	__IPFI_RULESET_A_END,
};
#define IPFI_RULESET_A_MAX (__IPFI_RULESET_A_END - 1)

/* What a commit does with the live states. */
enum ipfi_commit_states {
	IPFI_COMMIT_RECHECK, /* each is judged again at its next packet */
	IPFI_COMMIT_KEEP,    /* they stay as they are */
	IPFI_COMMIT_FLUSH,   /* the table is emptied */
	__IPFI_COMMIT_END,
};

enum ipfi_commit_attr {
	IPFI_COMMIT_A_UNSPEC,
	IPFI_COMMIT_A_EXPECT, /* u32: the generation this commit replaces */
	IPFI_COMMIT_A_STATES, /* u8, enum ipfi_commit_states */
	IPFI_COMMIT_A_CONFIRM, /* u32: seconds to confirm, 1 to IPFI_CONFIRM_MAX */
	__IPFI_COMMIT_A_END,
};
#define IPFI_COMMIT_A_MAX (__IPFI_COMMIT_A_END - 1)

#define IPFI_CONFIRM_MAX 86400 /* a day */

/*
 * A rule. All attributes but NAME, LISTS and VERDICT are optional; a field that is absent matches anything.
 * "ranges" is a nest of IPFI_RANGES_A_RANGE, each { FROM, TO? } of u32; any of them may match.
 * "addresses" is a nest of IPFI_ADDRS_A_RANGE, each { FROM, TO? } of 4 or 16 bytes, and/or IPFI_ADDRS_A_ME,
 * and/or IPFI_ADDRS_A_SET.
 *
 * A filter rule has LISTS of IPFI_LISTS_FILTER only and a filter verdict. A NAT rule stands in one list:
 * DNAT and REDIRECT in DSTNAT, SNAT and MASQUERADE in SRCNAT. It has no FLAGS but PERSISTENT, no USER, PER_SOURCE,
 * HELPER, MSS or TCP_MASK; OIF only in SRCNAT. SNAT and DNAT need TARGET addresses, and match only the families that those
 * have; REDIRECT and MASQUERADE have none. A rule with HELPER allows, is stateful, and matches TCP only; one
 * with MSS allows and matches TCP only. What would say nothing in its rule, because the other attributes leave it
 * nothing to choose from or nothing to do, is refused.
 */
enum ipfi_rule_attr {
	IPFI_RULE_A_UNSPEC,
	IPFI_RULE_A_NAME,       /* string, unique in the rule set */
	IPFI_RULE_A_LISTS,      /* u8: mask of 1 << enum ipfi_list */
	IPFI_RULE_A_VERDICT,    /* u8, enum ipfi_verdict */
	IPFI_RULE_A_FLAGS,      /* u32, IPFI_RULE_F_* */
	IPFI_RULE_A_NEGATED,    /* u32: mask of 1 << enum ipfi_field: the field matches when its value does not */
	IPFI_RULE_A_FAMILY,     /* u8: 4 or 6 */
	IPFI_RULE_A_IIF,        /* string: device name; a trailing '*' matches any rest */
	IPFI_RULE_A_OIF,        /* string */
	IPFI_RULE_A_PROTO,      /* ranges: IP protocol */
	IPFI_RULE_A_SRC,        /* addresses */
	IPFI_RULE_A_DST,        /* addresses */
	IPFI_RULE_A_SPORT,      /* ranges: TCP or UDP port (SCTP, DCCP, UDP-Lite when PROTO names them) */
	IPFI_RULE_A_DPORT,      /* ranges */
	IPFI_RULE_A_ICMP,       /* ranges: type << 8 | code, + IPFI_ICMP6 for ICMPv6 */
	IPFI_RULE_A_TCP_MASK,   /* u8: the TCP flags looked at (bits as in the header, FIN = 1) */
	IPFI_RULE_A_TCP_VALUE,  /* u8: those that must be set; a subset of TCP_MASK */
	IPFI_RULE_A_LENGTH,     /* ranges: length of the whole IP packet in bytes */
	IPFI_RULE_A_DSCP,       /* ranges: 0 to 63 */
	IPFI_RULE_A_USER,       /* ranges: user id of the socket's owner; list out only */
	IPFI_RULE_A_MARK_VALUE, /* u32: skb mark & MARK_MASK must equal it */
	IPFI_RULE_A_MARK_MASK,  /* u32: all ones when absent */
	IPFI_RULE_A_LIMIT_COUNT,  /* u32: at most COUNT packets matched in PERIOD ... */
	IPFI_RULE_A_LIMIT_PERIOD, /* u32: ... milliseconds ... */
	IPFI_RULE_A_LIMIT_BURST,  /* u32: ... after a burst of so many (COUNT when absent) */
	IPFI_RULE_A_PER_SOURCE, /* u32: matches while the rule has fewer live states from the packet's source */
	IPFI_RULE_A_IPSEC,      /* u8, 0 or 1: it came by IPsec (lists in, forward, DSTNAT), or will leave by it (out, SRCNAT) */
	IPFI_RULE_A_TARGET,     /* nest, enum ipfi_target_attr: NAT rules */
	IPFI_RULE_A_HELPER,     /* u8, enum ipfi_helper: what its connections announce is let in */
	IPFI_RULE_A_MSS,        /* u16: no SYN passes with a larger maximum segment size; IPFI_MSS_PMTU for the path's */
	IPFI_RULE_A_LOG,        /* string: log prefix */
	IPFI_RULE_A_COMMENT,    /* string */
	IPFI_RULE_A_AT,         /* string: "file:line" where it stands */
	IPFI_RULE_A_WRITTEN,    /* binary: the fields as written, kept for the shell */
	IPFI_RULE_A_ID,         /* u64, from the kernel: ipfi_rule_id() of the name */
	IPFI_RULE_A_PACKETS,    /* u64, from the kernel: packets that this rule decided */
	IPFI_RULE_A_BYTES,      /* u64, from the kernel */
	IPFI_RULE_A_PAD,
	__IPFI_RULE_A_END,
};
#define IPFI_RULE_A_MAX (__IPFI_RULE_A_END - 1)

#define IPFI_RULE_F_STATEFUL (1 << 0) /* an allowed first packet makes a state */
#define IPFI_RULE_F_PERSISTENT (1 << 1)  /* NAT: the same source end gets the same translation for all destinations
					  * (endpoint-independent mapping, RFC 4787) */
#define IPFI_RULE_F_FTP_FOREIGN (1 << 2) /* helper FTP: an address that is not the sender's is believed */
#define IPFI_RULE_F_ALL (IPFI_RULE_F_STATEFUL | IPFI_RULE_F_PERSISTENT | IPFI_RULE_F_FTP_FOREIGN)

#define IPFI_MSS_PMTU 0xffff

/* Helpers: X(ENUM, name). */
#define IPFI_HELPERS(X) X(FTP, "ftp")

enum ipfi_helper {
	IPFI_HELPER_NONE,
#define X(id, name) IPFI_HELPER_##id,
	IPFI_HELPERS(X)
#undef X
	__IPFI_HELPER_END,
};
#define IPFI_HELPER_MAX (__IPFI_HELPER_END - 1)

/* What a NAT rule translates to. A port range only where its rule names protocols, all of which have ports. */
enum ipfi_target_attr {
	IPFI_TARGET_A_UNSPEC,
	IPFI_TARGET_A_ADDRS,     /* addresses (ranges only) */
	IPFI_TARGET_A_PORT_FROM, /* u16; as it is, where free, when absent */
	IPFI_TARGET_A_PORT_TO,   /* u16, PORT_FROM when absent */
	__IPFI_TARGET_A_END,
};
#define IPFI_TARGET_A_MAX (__IPFI_TARGET_A_END - 1)

#define IPFI_ICMP6 (1 << 16) /* added to type << 8 | code for ICMPv6 */

/* The fields of a rule that can be absent or negated. */
enum ipfi_field {
	IPFI_FIELD_FAMILY,
	IPFI_FIELD_IIF,
	IPFI_FIELD_OIF,
	IPFI_FIELD_PROTO,
	IPFI_FIELD_SRC,
	IPFI_FIELD_DST,
	IPFI_FIELD_SPORT,
	IPFI_FIELD_DPORT,
	IPFI_FIELD_ICMP,
	IPFI_FIELD_TCP_FLAGS,
	IPFI_FIELD_LENGTH,
	IPFI_FIELD_DSCP,
	IPFI_FIELD_USER,
	IPFI_FIELD_MARK,
	IPFI_FIELD_LIMIT,
	IPFI_FIELD_PER_SOURCE,
	IPFI_FIELD_IPSEC,
	__IPFI_FIELD_END,
};
#define IPFI_FIELD_BIT(field) (1U << (field))
/* Those whose negation has a meaning. */
#define IPFI_FIELDS_NEGATABLE                                                                        \
	(IPFI_FIELD_BIT(IPFI_FIELD_IIF) | IPFI_FIELD_BIT(IPFI_FIELD_OIF) |                           \
	 IPFI_FIELD_BIT(IPFI_FIELD_PROTO) | IPFI_FIELD_BIT(IPFI_FIELD_SRC) |                         \
	 IPFI_FIELD_BIT(IPFI_FIELD_DST) | IPFI_FIELD_BIT(IPFI_FIELD_SPORT) |                         \
	 IPFI_FIELD_BIT(IPFI_FIELD_DPORT) | IPFI_FIELD_BIT(IPFI_FIELD_ICMP) |                        \
	 IPFI_FIELD_BIT(IPFI_FIELD_LENGTH) | IPFI_FIELD_BIT(IPFI_FIELD_DSCP) |                       \
	 IPFI_FIELD_BIT(IPFI_FIELD_USER) | IPFI_FIELD_BIT(IPFI_FIELD_MARK))

enum ipfi_ranges_attr {
	IPFI_RANGES_A_UNSPEC,
	IPFI_RANGES_A_RANGE, /* nest, enum ipfi_range_attr; repeated */
	__IPFI_RANGES_A_END,
};
#define IPFI_RANGES_A_MAX (__IPFI_RANGES_A_END - 1)

enum ipfi_range_attr {
	IPFI_RANGE_A_UNSPEC,
	IPFI_RANGE_A_FROM, /* u32 */
	IPFI_RANGE_A_TO,   /* u32, FROM when absent */
	__IPFI_RANGE_A_END,
};
#define IPFI_RANGE_A_MAX (__IPFI_RANGE_A_END - 1)

enum ipfi_addrs_attr {
	IPFI_ADDRS_A_UNSPEC,
	IPFI_ADDRS_A_RANGE, /* nest, enum ipfi_addr_range_attr; repeated */
	IPFI_ADDRS_A_ME,    /* flag: the machine's own addresses */
	IPFI_ADDRS_A_SET,   /* string, repeated: the members of a dynamic set that the rule set has */
	__IPFI_ADDRS_A_END,
};
#define IPFI_ADDRS_A_MAX (__IPFI_ADDRS_A_END - 1)

enum ipfi_addr_range_attr {
	IPFI_ADDR_RANGE_A_UNSPEC,
	IPFI_ADDR_RANGE_A_FROM, /* 4 or 16 bytes */
	IPFI_ADDR_RANGE_A_TO,   /* as many bytes, FROM when absent */
	__IPFI_ADDR_RANGE_A_END,
};
#define IPFI_ADDR_RANGE_A_MAX (__IPFI_ADDR_RANGE_A_END - 1)

/* A live state. Of an ICMP query SPORT is the identifier and DPORT the type. */
enum ipfi_state_attr {
	IPFI_STATE_A_UNSPEC,
	IPFI_STATE_A_FAMILY,  /* u8: 4 or 6 */
	IPFI_STATE_A_PROTO,   /* u8 */
	IPFI_STATE_A_STATE,   /* u8, enum ipfi_state_id */
	IPFI_STATE_A_FLAGS,   /* u32, IPFI_STATE_F_* */
	IPFI_STATE_A_SRC,     /* 4 or 16 bytes: who opened the connection */
	IPFI_STATE_A_DST,
	IPFI_STATE_A_SPORT,   /* u16 */
	IPFI_STATE_A_DPORT,   /* u16 */
	IPFI_STATE_A_LIST,    /* u8, enum ipfi_list: that of its first packet */
	IPFI_STATE_A_IIF,     /* u32: interface index of its last packet of the original direction, 0 for none */
	IPFI_STATE_A_OIF,     /* u32 */
	IPFI_STATE_A_RULE,    /* u64: id of the rule that allowed it */
	IPFI_STATE_A_PACKETS, /* u64: from who opened it */
	IPFI_STATE_A_BYTES,   /* u64 */
	IPFI_STATE_A_REPLY_PACKETS, /* u64 */
	IPFI_STATE_A_REPLY_BYTES,   /* u64 */
	IPFI_STATE_A_TIMEOUT, /* u32: milliseconds left */
	IPFI_STATE_A_AGE,     /* u32: seconds since its first packet */
	IPFI_STATE_A_MARK,    /* u32 */
	IPFI_STATE_A_GENERATION, /* u32: the rule set that last judged it */
	IPFI_STATE_A_ID,      /* u64: of this state, for its life; below 2^53 */
	IPFI_STATE_A_NAT_SRC, /* 4 or 16 bytes: what SRC is after translation; absent where it is not translated */
	IPFI_STATE_A_NAT_SPORT, /* u16: with NAT_SRC */
	IPFI_STATE_A_NAT_DST, /* 4 or 16 bytes: what DST is after translation */
	IPFI_STATE_A_NAT_DPORT, /* u16: with NAT_DST */
	IPFI_STATE_A_HELPER,  /* u8, enum ipfi_helper: that watches it or has let it in; absent for none */
	IPFI_STATE_A_MASTER,  /* u64: id of the state that announced it; absent for none */
	IPFI_STATE_A_VRF,     /* u32: index of the VRF that SRC is in; absent for none */
	IPFI_STATE_A_DST_VRF, /* u32: of that which DST is in, if it is another; 0 for none */
	IPFI_STATE_A_PAD,
	__IPFI_STATE_A_END,
};
#define IPFI_STATE_A_MAX (__IPFI_STATE_A_END - 1)

#define IPFI_STATE_F_MIDSTREAM (1 << 0)    /* first seen in the middle */
#define IPFI_STATE_F_REPLY_SEEN (1 << 1) /* both sides seen */
#define IPFI_STATE_F_SRC_NAT (1 << 2)    /* its source is translated */
#define IPFI_STATE_F_DST_NAT (1 << 3)    /* its destination is translated */
#define IPFI_STATE_F_ALL \
	(IPFI_STATE_F_MIDSTREAM | IPFI_STATE_F_REPLY_SEEN | IPFI_STATE_F_SRC_NAT | IPFI_STATE_F_DST_NAT)

/*
 * A filter: all that is present must hold. Evaluated in the kernel. SRC, DST, SPORT and DPORT are as the connection
 * was opened; ADDR and PORT also meet what these are translated to.
 */
enum ipfi_filter_attr {
	IPFI_FILTER_A_UNSPEC,
	IPFI_FILTER_A_FAMILY,  /* u8: 4 or 6 */
	IPFI_FILTER_A_PROTO,   /* u8 */
	IPFI_FILTER_A_STATES,  /* u32: mask of 1 << enum ipfi_state_id */
	IPFI_FILTER_A_SRC,     /* nest, enum ipfi_prefix_attr */
	IPFI_FILTER_A_DST,     /* nest */
	IPFI_FILTER_A_ADDR,    /* nest: either side */
	IPFI_FILTER_A_SPORT,   /* nest, enum ipfi_range_attr */
	IPFI_FILTER_A_DPORT,   /* nest */
	IPFI_FILTER_A_PORT,    /* nest: either side */
	IPFI_FILTER_A_RULE,    /* u64 */
	IPFI_FILTER_A_IIF,     /* u32: device index */
	IPFI_FILTER_A_OIF,     /* u32 */
	IPFI_FILTER_A_DEVICE,  /* u32: either */
	IPFI_FILTER_A_MIDSTREAM, /* u8: 0 or 1 */
	IPFI_FILTER_A_MARK,    /* u32 */
	IPFI_FILTER_A_ID,      /* u64 */
	IPFI_FILTER_A_MASTER,  /* u64 */
	IPFI_FILTER_A_HELPER,  /* u8, enum ipfi_helper: it, and what it announced */
	IPFI_FILTER_A_NAT,     /* u32: any of IPFI_STATE_F_SRC_NAT, IPFI_STATE_F_DST_NAT; 0 for untranslated ones */
	IPFI_FILTER_A_VRF,     /* u32: index of a VRF that either side is in; 0 for those of none */
	IPFI_FILTER_A_PAD,
	__IPFI_FILTER_A_END,
};
#define IPFI_FILTER_A_MAX (__IPFI_FILTER_A_END - 1)

enum ipfi_prefix_attr {
	IPFI_PREFIX_A_UNSPEC,
	IPFI_PREFIX_A_ADDR,   /* 4 or 16 bytes */
	IPFI_PREFIX_A_LENGTH, /* u8: bits, all of the address when absent */
	__IPFI_PREFIX_A_END,
};
#define IPFI_PREFIX_A_MAX (__IPFI_PREFIX_A_END - 1)

enum ipfi_stats_attr {
	IPFI_STATS_A_UNSPEC,
	IPFI_STATS_A_STATES,          /* u32: live states */
	IPFI_STATS_A_STATES_PEAK,     /* u32: most there ever were */
	IPFI_STATS_A_MAX_STATES,      /* u32: in force; never more than the first network namespace's */
	IPFI_STATS_A_STATE_SIZE,      /* u32: MEMORY_AT_LIMIT by MAX_STATES, rounded up */
	IPFI_STATS_A_MEMORY,          /* u64: bytes that the states take now, those that were deleted or are not yet
	                               * freed too, with all they have beside them, and their table */
	IPFI_STATS_A_MEMORY_AT_LIMIT, /* u64: bytes that MAX_STATES states would take, of the kinds that are there now in
	                               * the same shares; plain ones when there are none */
	IPFI_STATS_A_GENERATION,      /* u32 */
	IPFI_STATS_A_PACKETS,         /* u64: packets judged */
	IPFI_STATS_A_CREATED,         /* u64: states ever made */
	IPFI_STATS_A_EVICTED,         /* u64: states evicted to make room */
	IPFI_STATS_A_EXPIRED,         /* u64: states that reached their deadline */
	IPFI_STATS_A_TRANSLATED,      /* u32: live states with a translation */
	IPFI_STATS_A_EXPECTATIONS,    /* u32: data connections that are expected now */
	IPFI_STATS_A_COUNTERS,        /* nest of IPFI_COUNTERS_A_COUNTER, one for each of IPFI_REASONS */
	IPFI_STATS_A_PAD,
	__IPFI_STATS_A_END,
};
#define IPFI_STATS_A_MAX (__IPFI_STATS_A_END - 1)

enum ipfi_counters_attr {
	IPFI_COUNTERS_A_UNSPEC,
	IPFI_COUNTERS_A_COUNTER, /* nest, enum ipfi_counter_attr; repeated */
	__IPFI_COUNTERS_A_END,
};
#define IPFI_COUNTERS_A_MAX (__IPFI_COUNTERS_A_END - 1)

enum ipfi_counter_attr {
	IPFI_COUNTER_A_UNSPEC,
	IPFI_COUNTER_A_REASON,  /* u8, enum ipfi_reason */
	IPFI_COUNTER_A_PACKETS, /* u64 */
	IPFI_COUNTER_A_PAD,
	__IPFI_COUNTER_A_END,
};
#define IPFI_COUNTER_A_MAX (__IPFI_COUNTER_A_END - 1)

/* What happened to a state, and for one destroyed, why: X(ENUM, name). */
#define IPFI_EVENTS(X)  \
	X(NEW, "new") \
	X(CHANGED, "changed") \
	X(DESTROYED, "destroyed")

#define IPFI_CAUSES(X)       \
	X(EXPIRED, "expired") \
	X(DELETED, "deleted") \
	X(EVICTED, "evicted") \
	X(REPLACED, "replaced") \
	X(DENIED, "denied")  \
	X(FLUSHED, "flushed") \
	X(ADDRESS_GONE, "address-gone")

enum ipfi_event {
	IPFI_EVENT_UNSPEC,
#define X(id, name) IPFI_EVENT_##id,
	IPFI_EVENTS(X)
#undef X
	__IPFI_EVENT_END,
};

enum ipfi_cause {
	IPFI_CAUSE_UNSPEC,
#define X(id, name) IPFI_CAUSE_##id,
	IPFI_CAUSES(X)
#undef X
	__IPFI_CAUSE_END,
};

enum ipfi_event_attr {
	IPFI_EVENT_A_UNSPEC,
	IPFI_EVENT_A_KIND,  /* u8, enum ipfi_event */
	IPFI_EVENT_A_CAUSE, /* u8, enum ipfi_cause; of a destroyed state */
	__IPFI_EVENT_A_END,
};
#define IPFI_EVENT_A_MAX (__IPFI_EVENT_A_END - 1)

/* A packet that met a rule with "log". */
enum ipfi_log_attr {
	IPFI_LOG_A_UNSPEC,
	IPFI_LOG_A_PREFIX,  /* string */
	IPFI_LOG_A_RULE,    /* u64: rule id */
	IPFI_LOG_A_NAME,    /* string: rule name */
	IPFI_LOG_A_VERDICT, /* u8, enum ipfi_verdict */
	IPFI_LOG_A_REASON,  /* u8, enum ipfi_reason */
	IPFI_LOG_A_STATE,   /* u8, enum ipfi_state_id: of the state it made, NONE without */
	IPFI_LOG_A_LIST,    /* u8, enum ipfi_list */
	IPFI_LOG_A_FAMILY,  /* u8: 4 or 6 */
	IPFI_LOG_A_PROTO,   /* u8 */
	IPFI_LOG_A_SRC,     /* 4 or 16 bytes */
	IPFI_LOG_A_DST,
	IPFI_LOG_A_SPORT,   /* u16 */
	IPFI_LOG_A_DPORT,   /* u16 */
	IPFI_LOG_A_ICMP,    /* u16: type << 8 | code */
	IPFI_LOG_A_IIF,     /* u32: device index, 0 for none */
	IPFI_LOG_A_OIF,     /* u32 */
	IPFI_LOG_A_LENGTH,  /* u32: bytes of the IP packet */
	IPFI_LOG_A_TIME,    /* u64: nanoseconds since the epoch */
	IPFI_LOG_A_PAD,
	__IPFI_LOG_A_END,
};
#define IPFI_LOG_A_MAX (__IPFI_LOG_A_END - 1)

/* A connection that a helper lets in when it comes: exactly this, once. */
enum ipfi_expectation_attr {
	IPFI_EXPECTATION_A_UNSPEC,
	IPFI_EXPECTATION_A_FAMILY,    /* u8: 4 or 6 */
	IPFI_EXPECTATION_A_PROTO,     /* u8 */
	IPFI_EXPECTATION_A_SRC,       /* 4 or 16 bytes: who will open it, from any port */
	IPFI_EXPECTATION_A_DST,       /* 4 or 16 bytes: as the opener addresses it */
	IPFI_EXPECTATION_A_DPORT,     /* u16 */
	IPFI_EXPECTATION_A_NAT_DST,   /* 4 or 16 bytes: where it is translated to; absent for no translation */
	IPFI_EXPECTATION_A_NAT_DPORT, /* u16: with NAT_DST */
	IPFI_EXPECTATION_A_HELPER,    /* u8, enum ipfi_helper */
	IPFI_EXPECTATION_A_MASTER,    /* u64: id of the state that announced it */
	IPFI_EXPECTATION_A_RULE,      /* u64: id of the master's rule */
	IPFI_EXPECTATION_A_TIMEOUT,   /* u32: milliseconds left */
	IPFI_EXPECTATION_A_PAD,
	__IPFI_EXPECTATION_A_END,
};
#define IPFI_EXPECTATION_A_MAX (__IPFI_EXPECTATION_A_END - 1)

/* A dynamic set of addresses and networks. */
enum ipfi_set_attr {
	IPFI_SET_A_UNSPEC,
	IPFI_SET_A_NAME,    /* string */
	IPFI_SET_A_MEMBERS, /* u32, from the kernel: how many it has */
	IPFI_SET_A_MEMBER,  /* nest, enum ipfi_member_attr; repeated */
	IPFI_SET_A_CHANGED, /* u32, from the kernel: how many came or went by this request */
	__IPFI_SET_A_END,
};
#define IPFI_SET_A_MAX (__IPFI_SET_A_END - 1)

enum ipfi_member_attr {
	IPFI_MEMBER_A_UNSPEC,
	IPFI_MEMBER_A_ADDR,    /* 4 or 16 bytes */
	IPFI_MEMBER_A_LENGTH,  /* u8: bits of the network's prefix; all of the address when absent */
	IPFI_MEMBER_A_TIMEOUT, /* u32: milliseconds (left) that it stays; absent for ever */
	__IPFI_MEMBER_A_END,
};
#define IPFI_MEMBER_A_MAX (__IPFI_MEMBER_A_END - 1)

/* A packet to be explained. */
enum ipfi_packet_attr {
	IPFI_PACKET_A_UNSPEC,
	IPFI_PACKET_A_DATA, /* binary: from the IP header on, as it arrives (list out: as it is sent) */
	IPFI_PACKET_A_LIST, /* u8, enum ipfi_list: of the filter's, where it will be judged */
	IPFI_PACKET_A_IIF,  /* string: name of the device that it enters by */
	IPFI_PACKET_A_OIF,  /* string: of that which it leaves by */
	IPFI_PACKET_A_MARK, /* u32 */
	IPFI_PACKET_A_USER, /* u32: owner of the socket; list out only */
	IPFI_PACKET_A_IPSEC, /* u8: 1 when it came by IPsec, or, list out, will leave by it */
	__IPFI_PACKET_A_END,
};
#define IPFI_PACKET_A_MAX (__IPFI_PACKET_A_END - 1)

/* A rule that was asked about a packet. */
enum ipfi_step_attr {
	IPFI_STEP_A_UNSPEC,
	IPFI_STEP_A_LIST,  /* u8, enum ipfi_list: asked in */
	IPFI_STEP_A_RULE,  /* u64: id */
	IPFI_STEP_A_FIELD, /* u8, enum ipfi_field: the first field that does not match; absent: the rule matches */
	IPFI_STEP_A_PAD,
	__IPFI_STEP_A_END,
};
#define IPFI_STEP_A_MAX (__IPFI_STEP_A_END - 1)

/* What would happen to a packet. */
enum ipfi_result_attr {
	IPFI_RESULT_A_UNSPEC,
	IPFI_RESULT_A_VERDICT,     /* u8, enum ipfi_verdict: of the filter's */
	IPFI_RESULT_A_REASON,      /* u8, enum ipfi_reason */
	IPFI_RESULT_A_LIST,        /* u8, enum ipfi_list */
	IPFI_RESULT_A_RULE,        /* u64: id of the rule that decides, or that the state belongs to; absent for none */
	IPFI_RESULT_A_STATE,       /* u8, enum ipfi_state_id: of the connection after the packet; absent without one */
	IPFI_RESULT_A_STATE_ID,    /* u64: of the live state that was found; absent when there is none yet */
	IPFI_RESULT_A_DSTNAT_RULE, /* u64: id of the rule that translates its destination */
	IPFI_RESULT_A_SRCNAT_RULE, /* u64: id of the rule that translates its source */
	IPFI_RESULT_A_SRC,         /* 4 or 16 bytes: SRC to DPORT as it leaves, or denied, as it was judged; all four
	                               * absent when it is not translated */
	IPFI_RESULT_A_DST,
	IPFI_RESULT_A_SPORT,       /* u16; of an ICMP query, and of its reply, the identifier */
	IPFI_RESULT_A_DPORT,       /* u16 */
	IPFI_RESULT_A_PAD,
	__IPFI_RESULT_A_END,
};
#define IPFI_RESULT_A_MAX (__IPFI_RESULT_A_END - 1)

#define IPFI_DROPS_KEPT 1024  /* dropped packets that are remembered in a namespace */
#define IPFI_DROPS_RATE 1000  /* remembered a second at most; the rest are only counted */
#define IPFI_DROP_HEADER 96   /* bytes kept of each */

/* A packet that was dropped. */
enum ipfi_drop_attr {
	IPFI_DROP_A_UNSPEC,
	IPFI_DROP_A_TIME,   /* u64: nanoseconds since the epoch */
	IPFI_DROP_A_REASON, /* u8, enum ipfi_reason */
	IPFI_DROP_A_LIST,   /* u8, enum ipfi_list */
	IPFI_DROP_A_IIF,    /* u32: device index, 0 for none */
	IPFI_DROP_A_OIF,    /* u32 */
	IPFI_DROP_A_RULE,   /* u64: id of the rule that decided; absent for none */
	IPFI_DROP_A_MARK,   /* u32 */
	IPFI_DROP_A_LENGTH, /* u32: bytes of the IP packet */
	IPFI_DROP_A_HEADER, /* binary: its first bytes, IPFI_DROP_HEADER at most */
	IPFI_DROP_A_MISSED, /* u32: dropped since the one before and only counted */
	IPFI_DROP_A_PAD,
	__IPFI_DROP_A_END,
};
#define IPFI_DROP_A_MAX (__IPFI_DROP_A_END - 1)

/* What a commit would do to a live state: X(ENUM, name). */
#define IPFI_IMPACTS(X)      \
	X(DENIED, "denied") \
	X(RETRANSLATED, "retranslated")

enum ipfi_impact {
	IPFI_IMPACT_UNSPEC,
#define X(id, name) IPFI_IMPACT_##id,
	IPFI_IMPACTS(X)
#undef X
	__IPFI_IMPACT_END,
};
#define IPFI_IMPACT_MAX (__IPFI_IMPACT_END - 1)

#define IPFI_DRY_RUN_ROWS_MAX 256 /* rows of a trial, beside one with REST for each fate */

/*
 * Live states of one rule that one rule of the new ones would deny, or translate otherwise if they began anew:
 * they keep the translation that they have until they end.
 */
enum ipfi_dry_run_attr {
	IPFI_DRY_RUN_A_UNSPEC,
	IPFI_DRY_RUN_A_IMPACT,   /* u8, enum ipfi_impact */
	IPFI_DRY_RUN_A_LIST,   /* u8, enum ipfi_list: whose rules or default decide so */
	IPFI_DRY_RUN_A_RULE,   /* u64: id of the running rule that allowed them; 0 for none */
	IPFI_DRY_RUN_A_BY,     /* string: name of the new rule; absent: none, the list's default or no translation */
	IPFI_DRY_RUN_A_STATES, /* u32: how many */
	IPFI_DRY_RUN_A_REST,   /* flag: those of all rules that found no row; LIST, RULE and BY are absent then */
	IPFI_DRY_RUN_A_PAD,
	__IPFI_DRY_RUN_A_END,
};
#define IPFI_DRY_RUN_A_MAX (__IPFI_DRY_RUN_A_END - 1)

#endif /* _UAPI_LINUX_IPFI_H */
