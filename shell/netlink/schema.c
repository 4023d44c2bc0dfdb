// SPDX-License-Identifier: GPL-2.0-or-later
/* schema: the rows. Keep them in the order of include/uapi/linux/ipfi.h. */
#include <string.h>

#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/ipfi.h>

#include "shell/netlink/schema.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Rows. */
#define U8(n)                                \
	{                                    \
		.name = n, .type = SCHEMA_U8 \
	}
#define U16(n)                                \
	{                                     \
		.name = n, .type = SCHEMA_U16 \
	}
#define U32(n)                                \
	{                                     \
		.name = n, .type = SCHEMA_U32 \
	}
#define U64(n)                                \
	{                                     \
		.name = n, .type = SCHEMA_U64 \
	}
#define ENUM8(n, e)                                         \
	{                                                   \
		.name = n, .type = SCHEMA_U8, .names = &(e) \
	}
#define MASK8(n, e)                                        \
	{                                                  \
		.name = n, .type = SCHEMA_U8, .bits = &(e) \
	}
#define MASK32(n, e)                                        \
	{                                                   \
		.name = n, .type = SCHEMA_U32, .bits = &(e) \
	}
#define ADDRESS(n)                                \
	{                                         \
		.name = n, .type = SCHEMA_ADDRESS \
	}
#define STRING(n, m)                                          \
	{                                                     \
		.name = n, .type = SCHEMA_STRING, .most = (m) \
	}
#define STRINGS(n, m)                                                           \
	{                                                                       \
		.name = n, .type = SCHEMA_STRING, .repeated = true, .most = (m) \
	}
#define BINARY(n, m)                                          \
	{                                                     \
		.name = n, .type = SCHEMA_BINARY, .most = (m) \
	}
#define FLAG(n)                                \
	{                                      \
		.name = n, .type = SCHEMA_FLAG \
	}
#define NEST(n, t)                                           \
	{                                                    \
		.name = n, .type = SCHEMA_NEST, .nest = &(t) \
	}
#define NESTS(n, t)                                                            \
	{                                                                      \
		.name = n, .type = SCHEMA_NEST, .repeated = true, .nest = &(t) \
	}
#define PAD                         \
	{                           \
		.type = SCHEMA_NONE \
	}

/* The names of an enum, and a nest: from an array of rows called id##_rows. */
#define NAMES(id, text)                                      \
	const struct schema_names id = { .name = text,       \
					 .names = id##_rows, \
					 .count = ARRAY_SIZE(id##_rows) }
#define TABLE(id, text, how)                                                                     \
	static const struct schema_nest id = {                                                   \
		.name = text, .shape = how, .attrs = id##_rows, .max = ARRAY_SIZE(id##_rows) - 1 \
	}

/* Enums */

static const char *const commands_rows[] = {
	[IPFI_CMD_INFO] = "info",
	[IPFI_CMD_LIMITS_GET] = "limits_get",
	[IPFI_CMD_LIMITS_SET] = "limits_set",
	[IPFI_CMD_RULESET_BEGIN] = "ruleset_begin",
	[IPFI_CMD_RULE_ADD] = "rule_add",
	[IPFI_CMD_RULESET_COMMIT] = "ruleset_commit",
	[IPFI_CMD_RULESET_ABORT] = "ruleset_abort",
	[IPFI_CMD_RULES_DUMP] = "rules_dump",
	[IPFI_CMD_STATES_DUMP] = "states_dump",
	[IPFI_CMD_STATES_COUNT] = "states_count",
	[IPFI_CMD_STATES_DELETE] = "states_delete",
	[IPFI_CMD_STATS] = "stats",
	[IPFI_CMD_EXPECTATIONS_DUMP] = "expectations_dump",
	[IPFI_CMD_SETS_DUMP] = "sets_dump",
	[IPFI_CMD_SET_ADD] = "set_add",
	[IPFI_CMD_SET_DELETE] = "set_delete",
	[IPFI_CMD_RULESET_CONFIRM] = "ruleset_confirm",
	[IPFI_CMD_RULESET_ROLLBACK] = "ruleset_rollback",
	[IPFI_CMD_EXPLAIN] = "explain",
	[IPFI_CMD_DROPS_DUMP] = "drops_dump",
	[IPFI_CMD_RULESET_DRY_RUN] = "ruleset_dry_run",
	[IPFI_CMD_EVENT_STATE] = "event_state",
	[IPFI_CMD_EVENT_FULL] = "event_full",
	[IPFI_CMD_EVENT_NAT_FULL] = "event_nat_full",
	[IPFI_CMD_EVENT_LOG] = "event_log",
	[IPFI_CMD_EVENT_RULESET] = "event_ruleset",
};
static NAMES(commands, "cmd");

static const char *const schema_states_rows[] = { [IPFI_STATE_NONE] = "NONE",
#define X(id) [IPFI_STATE_##id] = #id,
						  IPFI_STATES(X)
#undef X
};
NAMES(schema_states, "state_id");

static const char *const verdicts_rows[] = {
	[IPFI_VERDICT_ALLOW] = "allow",		  [IPFI_VERDICT_DENY] = "deny",
	[IPFI_VERDICT_REJECT] = "reject",	  [IPFI_VERDICT_DNAT] = "dnat",
	[IPFI_VERDICT_REDIRECT] = "redirect",	  [IPFI_VERDICT_SNAT] = "snat",
	[IPFI_VERDICT_MASQUERADE] = "masquerade",
};
static NAMES(verdicts, "verdict");

static const char *const lists_rows[] = {
	[IPFI_LIST_IN] = "in",		 [IPFI_LIST_OUT] = "out",
	[IPFI_LIST_FORWARD] = "forward", [IPFI_LIST_DSTNAT] = "dstnat",
	[IPFI_LIST_SRCNAT] = "srcnat",
};
static NAMES(lists, "list");

static const char *const commit_states_rows[] = {
	[IPFI_COMMIT_RECHECK] = "recheck",
	[IPFI_COMMIT_KEEP] = "keep",
	[IPFI_COMMIT_FLUSH] = "flush",
};
static NAMES(commit_states, "commit_states");

static const char *const fields_rows[] = {
	[IPFI_FIELD_IPSEC] = "ipsec", [IPFI_FIELD_FAMILY] = "family", [IPFI_FIELD_IIF] = "iif",
	[IPFI_FIELD_OIF] = "oif",	[IPFI_FIELD_PROTO] = "proto",
	[IPFI_FIELD_SRC] = "src",	[IPFI_FIELD_DST] = "dst",
	[IPFI_FIELD_SPORT] = "sport",	[IPFI_FIELD_DPORT] = "dport",
	[IPFI_FIELD_ICMP] = "icmp",	[IPFI_FIELD_TCP_FLAGS] = "tcp_flags",
	[IPFI_FIELD_LENGTH] = "length", [IPFI_FIELD_DSCP] = "dscp",
	[IPFI_FIELD_USER] = "user",	[IPFI_FIELD_MARK] = "mark",
	[IPFI_FIELD_LIMIT] = "limit",	[IPFI_FIELD_PER_SOURCE] = "per_source",
};
static NAMES(fields, "field");

static const char *const reasons_rows[] = {
#define X(id, name, accepted, help) [IPFI_REASON_##id] = name,
	IPFI_REASONS(X)
#undef X
};
static NAMES(reasons, "reason");

static const char *const events_rows[] = {
#define X(id, name) [IPFI_EVENT_##id] = name,
	IPFI_EVENTS(X)
#undef X
};
static NAMES(events, "event");

static const char *const changes_rows[] = {
#define X(id, name) [IPFI_CHANGE_##id] = name,
	IPFI_CHANGES(X)
#undef X
};
static NAMES(changes, "change");

static const char *const impacts_rows[] = {
#define X(id, name) [IPFI_IMPACT_##id] = name,
	IPFI_IMPACTS(X)
#undef X
};
static NAMES(impacts, "impact");

static const char *const causes_rows[] = {
#define X(id, name) [IPFI_CAUSE_##id] = name,
	IPFI_CAUSES(X)
#undef X
};
static NAMES(causes, "cause");

static const char *const schema_helpers_rows[] = {
#define X(id, name) [IPFI_HELPER_##id] = name,
	IPFI_HELPERS(X)
#undef X
};
NAMES(schema_helpers, "helper");

/* Flags: a mask is written by the names of its bits. */
#define BIT_OF(flag) __builtin_ctz(flag)

static const char *const rule_flags_rows[] = {
	[BIT_OF(IPFI_RULE_F_STATEFUL)] = "stateful",
	[BIT_OF(IPFI_RULE_F_PERSISTENT)] = "persistent",
	[BIT_OF(IPFI_RULE_F_FTP_FOREIGN)] = "ftp_foreign",
};
static NAMES(rule_flags, "rule_flags");

static const char *const state_flags_rows[] = {
	[BIT_OF(IPFI_STATE_F_MIDSTREAM)] = "midstream",
	[BIT_OF(IPFI_STATE_F_REPLY_SEEN)] = "reply_seen",
	[BIT_OF(IPFI_STATE_F_SRC_NAT)] = "src_nat",
	[BIT_OF(IPFI_STATE_F_DST_NAT)] = "dst_nat",
};
static NAMES(state_flags, "state_flags");

const struct schema_names *const schema_enums[] = {
	&commands, &schema_states, &verdicts,	    &lists,	 &commit_states, &fields, &reasons,
	&events,   &causes,	   &schema_helpers, &rule_flags, &state_flags,	 &changes, &impacts,
	NULL,
};

/* Nests, the inner ones first */

static const struct schema_attr info_rows[] = {
	[IPFI_INFO_A_VERSION] = STRING("version", IPFI_NAME_LEN),
	[IPFI_INFO_A_GENERATION] = U32("generation"),
	[IPFI_INFO_A_ARMED] = U8("armed"),
	[IPFI_INFO_A_NAME] = STRING("name", IPFI_NAME_LEN),
	[IPFI_INFO_A_RULES] = U32("rules"),
	[IPFI_INFO_A_CONFIRM] = U32("confirm"),
	[IPFI_INFO_A_CHANGE] = ENUM8("change", changes),
	[IPFI_INFO_A_NAT_RULES] = U32("nat_rules"),
};
TABLE(info, "info", SCHEMA_STRUCT);

static const struct schema_attr limits_rows[] = {
#define X(id, name, least, most, standard) [IPFI_LIMIT_##id] = U32(#name),
	IPFI_LIMITS(X)
#undef X
};
TABLE(limits, "limits", SCHEMA_STRUCT);

static const struct schema_attr ruleset_rows[] = {
	[IPFI_RULESET_A_NAME] = STRING("name", IPFI_NAME_LEN),
	[IPFI_RULESET_A_DEFAULT_IN] = ENUM8("default_in", verdicts),
	[IPFI_RULESET_A_DEFAULT_OUT] = ENUM8("default_out", verdicts),
	[IPFI_RULESET_A_DEFAULT_FORWARD] = ENUM8("default_forward", verdicts),
	[IPFI_RULESET_A_LIMITS] = NEST("limits", limits),
	[IPFI_RULESET_A_SET] = STRINGS("set", IPFI_SET_NAME_LEN),
};
TABLE(ruleset, "ruleset", SCHEMA_STRUCT);

static const struct schema_attr commit_rows[] = {
	[IPFI_COMMIT_A_EXPECT] = U32("expect"),
	[IPFI_COMMIT_A_STATES] = ENUM8("states", commit_states),
	[IPFI_COMMIT_A_CONFIRM] = U32("confirm"),
};
TABLE(commit, "commit", SCHEMA_STRUCT);

static const struct schema_attr range_rows[] = {
	[IPFI_RANGE_A_FROM] = U32("from"),
	[IPFI_RANGE_A_TO] = U32("to"),
};
TABLE(range, "range", SCHEMA_STRUCT);

static const struct schema_attr ranges_rows[] = {
	[IPFI_RANGES_A_RANGE] = NESTS("range", range),
};
TABLE(ranges, "ranges", SCHEMA_LIST);

static const struct schema_attr addr_range_rows[] = {
	[IPFI_ADDR_RANGE_A_FROM] = ADDRESS("from"),
	[IPFI_ADDR_RANGE_A_TO] = ADDRESS("to"),
};
TABLE(addr_range, "addr_range", SCHEMA_STRUCT);

static const struct schema_attr addrs_rows[] = {
	[IPFI_ADDRS_A_RANGE] = NESTS("ranges", addr_range),
	[IPFI_ADDRS_A_ME] = FLAG("me"),
	[IPFI_ADDRS_A_SET] = STRINGS("set", IPFI_SET_NAME_LEN),
};
TABLE(addrs, "addrs", SCHEMA_STRUCT);

static const struct schema_attr target_rows[] = {
	[IPFI_TARGET_A_ADDRS] = NEST("addrs", addrs),
	[IPFI_TARGET_A_PORT_FROM] = U16("port_from"),
	[IPFI_TARGET_A_PORT_TO] = U16("port_to"),
};
TABLE(target, "target", SCHEMA_STRUCT);

static const struct schema_attr rule_rows[] = {
	[IPFI_RULE_A_NAME] = STRING("name", IPFI_NAME_LEN),
	[IPFI_RULE_A_LISTS] = MASK8("lists", lists),
	[IPFI_RULE_A_VERDICT] = ENUM8("verdict", verdicts),
	[IPFI_RULE_A_FLAGS] = MASK32("flags", rule_flags),
	[IPFI_RULE_A_NEGATED] = MASK32("negated", fields),
	[IPFI_RULE_A_FAMILY] = U8("family"),
	[IPFI_RULE_A_IPSEC] = U8("ipsec"),
	[IPFI_RULE_A_IIF] = STRING("iif", IFNAMSIZ - 1),
	[IPFI_RULE_A_OIF] = STRING("oif", IFNAMSIZ - 1),
	[IPFI_RULE_A_PROTO] = NEST("proto", ranges),
	[IPFI_RULE_A_SRC] = NEST("src", addrs),
	[IPFI_RULE_A_DST] = NEST("dst", addrs),
	[IPFI_RULE_A_SPORT] = NEST("sport", ranges),
	[IPFI_RULE_A_DPORT] = NEST("dport", ranges),
	[IPFI_RULE_A_ICMP] = NEST("icmp", ranges),
	[IPFI_RULE_A_TCP_MASK] = U8("tcp_mask"),
	[IPFI_RULE_A_TCP_VALUE] = U8("tcp_value"),
	[IPFI_RULE_A_LENGTH] = NEST("length", ranges),
	[IPFI_RULE_A_DSCP] = NEST("dscp", ranges),
	[IPFI_RULE_A_USER] = NEST("user", ranges),
	[IPFI_RULE_A_MARK_VALUE] = U32("mark_value"),
	[IPFI_RULE_A_MARK_MASK] = U32("mark_mask"),
	[IPFI_RULE_A_LIMIT_COUNT] = U32("limit_count"),
	[IPFI_RULE_A_LIMIT_PERIOD] = U32("limit_period"),
	[IPFI_RULE_A_LIMIT_BURST] = U32("limit_burst"),
	[IPFI_RULE_A_PER_SOURCE] = U32("per_source"),
	[IPFI_RULE_A_TARGET] = NEST("target", target),
	[IPFI_RULE_A_HELPER] = ENUM8("helper", schema_helpers),
	[IPFI_RULE_A_MSS] = U16("mss"),
	[IPFI_RULE_A_LOG] = STRING("log", IPFI_LOG_LEN),
	[IPFI_RULE_A_COMMENT] = STRING("comment", IPFI_COMMENT_LEN),
	[IPFI_RULE_A_AT] = STRING("at", IPFI_AT_LEN),
	[IPFI_RULE_A_WRITTEN] = BINARY("written", IPFI_WRITTEN_LEN),
	[IPFI_RULE_A_ID] = U64("id"),
	[IPFI_RULE_A_PACKETS] = U64("packets"),
	[IPFI_RULE_A_BYTES] = U64("bytes"),
	[IPFI_RULE_A_PAD] = PAD,
};
TABLE(rule, "rule", SCHEMA_STRUCT);

static const struct schema_attr state_rows[] = {
	[IPFI_STATE_A_FAMILY] = U8("family"),
	[IPFI_STATE_A_PROTO] = U8("proto"),
	[IPFI_STATE_A_STATE] = ENUM8("state", schema_states),
	[IPFI_STATE_A_FLAGS] = MASK32("flags", state_flags),
	[IPFI_STATE_A_SRC] = ADDRESS("src"),
	[IPFI_STATE_A_DST] = ADDRESS("dst"),
	[IPFI_STATE_A_SPORT] = U16("sport"),
	[IPFI_STATE_A_DPORT] = U16("dport"),
	[IPFI_STATE_A_LIST] = ENUM8("list", lists),
	[IPFI_STATE_A_IIF] = U32("iif"),
	[IPFI_STATE_A_OIF] = U32("oif"),
	[IPFI_STATE_A_RULE] = U64("rule"),
	[IPFI_STATE_A_PACKETS] = U64("packets"),
	[IPFI_STATE_A_BYTES] = U64("bytes"),
	[IPFI_STATE_A_REPLY_PACKETS] = U64("reply_packets"),
	[IPFI_STATE_A_REPLY_BYTES] = U64("reply_bytes"),
	[IPFI_STATE_A_TIMEOUT] = U32("timeout"),
	[IPFI_STATE_A_AGE] = U32("age"),
	[IPFI_STATE_A_MARK] = U32("mark"),
	[IPFI_STATE_A_GENERATION] = U32("generation"),
	[IPFI_STATE_A_ID] = U64("id"),
	[IPFI_STATE_A_NAT_SRC] = ADDRESS("nat_src"),
	[IPFI_STATE_A_NAT_SPORT] = U16("nat_sport"),
	[IPFI_STATE_A_NAT_DST] = ADDRESS("nat_dst"),
	[IPFI_STATE_A_NAT_DPORT] = U16("nat_dport"),
	[IPFI_STATE_A_HELPER] = ENUM8("helper", schema_helpers),
	[IPFI_STATE_A_MASTER] = U64("master"),
	[IPFI_STATE_A_VRF] = U32("vrf"),
	[IPFI_STATE_A_DST_VRF] = U32("dst_vrf"),
	[IPFI_STATE_A_PAD] = PAD,
};
TABLE(state, "state", SCHEMA_STRUCT);

static const struct schema_attr prefix_rows[] = {
	[IPFI_PREFIX_A_ADDR] = ADDRESS("addr"),
	[IPFI_PREFIX_A_LENGTH] = U8("length"),
};
TABLE(prefix, "prefix", SCHEMA_STRUCT);

static const struct schema_attr filter_rows[] = {
	[IPFI_FILTER_A_FAMILY] = U8("family"),
	[IPFI_FILTER_A_PROTO] = U8("proto"),
	[IPFI_FILTER_A_STATES] = MASK32("states", schema_states),
	[IPFI_FILTER_A_SRC] = NEST("src", prefix),
	[IPFI_FILTER_A_DST] = NEST("dst", prefix),
	[IPFI_FILTER_A_ADDR] = NEST("addr", prefix),
	[IPFI_FILTER_A_SPORT] = NEST("sport", range),
	[IPFI_FILTER_A_DPORT] = NEST("dport", range),
	[IPFI_FILTER_A_PORT] = NEST("port", range),
	[IPFI_FILTER_A_RULE] = U64("rule"),
	[IPFI_FILTER_A_IIF] = U32("iif"),
	[IPFI_FILTER_A_OIF] = U32("oif"),
	[IPFI_FILTER_A_DEVICE] = U32("device"),
	[IPFI_FILTER_A_MIDSTREAM] = U8("midstream"),
	[IPFI_FILTER_A_MARK] = U32("mark"),
	[IPFI_FILTER_A_ID] = U64("id"),
	[IPFI_FILTER_A_MASTER] = U64("master"),
	[IPFI_FILTER_A_HELPER] = ENUM8("helper", schema_helpers),
	[IPFI_FILTER_A_NAT] = MASK32("nat", state_flags),
	[IPFI_FILTER_A_VRF] = U32("vrf"),
	[IPFI_FILTER_A_PAD] = PAD,
};
TABLE(filter, "filter", SCHEMA_STRUCT);

static const struct schema_attr counter_rows[] = {
	[IPFI_COUNTER_A_REASON] = ENUM8("reason", reasons),
	[IPFI_COUNTER_A_PACKETS] = U64("packets"),
	[IPFI_COUNTER_A_PAD] = PAD,
};
TABLE(counter, "counter", SCHEMA_STRUCT);

static const struct schema_attr counters_rows[] = {
	[IPFI_COUNTERS_A_COUNTER] = NESTS("counter", counter),
};
TABLE(counters, "counters", SCHEMA_LIST);

static const struct schema_attr stats_rows[] = {
	[IPFI_STATS_A_STATES] = U32("states"),
	[IPFI_STATS_A_STATES_PEAK] = U32("states_peak"),
	[IPFI_STATS_A_MAX_STATES] = U32("max_states"),
	[IPFI_STATS_A_STATE_SIZE] = U32("state_size"),
	[IPFI_STATS_A_MEMORY] = U64("memory"),
	[IPFI_STATS_A_MEMORY_AT_LIMIT] = U64("memory_at_limit"),
	[IPFI_STATS_A_GENERATION] = U32("generation"),
	[IPFI_STATS_A_PACKETS] = U64("packets"),
	[IPFI_STATS_A_CREATED] = U64("created"),
	[IPFI_STATS_A_EVICTED] = U64("evicted"),
	[IPFI_STATS_A_EXPIRED] = U64("expired"),
	[IPFI_STATS_A_TRANSLATED] = U32("translated"),
	[IPFI_STATS_A_EXPECTATIONS] = U32("expectations"),
	[IPFI_STATS_A_COUNTERS] = NEST("counters", counters),
	[IPFI_STATS_A_PAD] = PAD,
};
TABLE(stats, "stats", SCHEMA_STRUCT);

static const struct schema_attr event_rows[] = {
	[IPFI_EVENT_A_KIND] = ENUM8("kind", events),
	[IPFI_EVENT_A_CAUSE] = ENUM8("cause", causes),
};
TABLE(event, "event", SCHEMA_STRUCT);

static const struct schema_attr log_rows[] = {
	[IPFI_LOG_A_PREFIX] = STRING("prefix", IPFI_LOG_LEN),
	[IPFI_LOG_A_RULE] = U64("rule"),
	[IPFI_LOG_A_NAME] = STRING("name", IPFI_NAME_LEN),
	[IPFI_LOG_A_VERDICT] = ENUM8("verdict", verdicts),
	[IPFI_LOG_A_REASON] = ENUM8("reason", reasons),
	[IPFI_LOG_A_STATE] = ENUM8("state", schema_states),
	[IPFI_LOG_A_LIST] = ENUM8("list", lists),
	[IPFI_LOG_A_FAMILY] = U8("family"),
	[IPFI_LOG_A_PROTO] = U8("proto"),
	[IPFI_LOG_A_SRC] = ADDRESS("src"),
	[IPFI_LOG_A_DST] = ADDRESS("dst"),
	[IPFI_LOG_A_SPORT] = U16("sport"),
	[IPFI_LOG_A_DPORT] = U16("dport"),
	[IPFI_LOG_A_ICMP] = U16("icmp"),
	[IPFI_LOG_A_IIF] = U32("iif"),
	[IPFI_LOG_A_OIF] = U32("oif"),
	[IPFI_LOG_A_LENGTH] = U32("length"),
	[IPFI_LOG_A_TIME] = U64("time"),
	[IPFI_LOG_A_PAD] = PAD,
};
TABLE(log, "log", SCHEMA_STRUCT);

static const struct schema_attr expectation_rows[] = {
	[IPFI_EXPECTATION_A_FAMILY] = U8("family"),
	[IPFI_EXPECTATION_A_PROTO] = U8("proto"),
	[IPFI_EXPECTATION_A_SRC] = ADDRESS("src"),
	[IPFI_EXPECTATION_A_DST] = ADDRESS("dst"),
	[IPFI_EXPECTATION_A_DPORT] = U16("dport"),
	[IPFI_EXPECTATION_A_NAT_DST] = ADDRESS("nat_dst"),
	[IPFI_EXPECTATION_A_NAT_DPORT] = U16("nat_dport"),
	[IPFI_EXPECTATION_A_HELPER] = ENUM8("helper", schema_helpers),
	[IPFI_EXPECTATION_A_MASTER] = U64("master"),
	[IPFI_EXPECTATION_A_RULE] = U64("rule"),
	[IPFI_EXPECTATION_A_TIMEOUT] = U32("timeout"),
	[IPFI_EXPECTATION_A_PAD] = PAD,
};
TABLE(expectation, "expectation", SCHEMA_STRUCT);

static const struct schema_attr member_rows[] = {
	[IPFI_MEMBER_A_ADDR] = ADDRESS("addr"),
	[IPFI_MEMBER_A_LENGTH] = U8("length"),
	[IPFI_MEMBER_A_TIMEOUT] = U32("timeout"),
};
TABLE(member, "member", SCHEMA_STRUCT);

static const struct schema_attr set_rows[] = {
	[IPFI_SET_A_NAME] = STRING("name", IPFI_SET_NAME_LEN),
	[IPFI_SET_A_MEMBERS] = U32("members"),
	[IPFI_SET_A_MEMBER] = NESTS("member", member),
	[IPFI_SET_A_CHANGED] = U32("changed"),
};
TABLE(set, "set", SCHEMA_STRUCT);

static const struct schema_attr packet_rows[] = {
	[IPFI_PACKET_A_DATA] = BINARY("data", 0),
	[IPFI_PACKET_A_LIST] = ENUM8("list", lists),
	[IPFI_PACKET_A_IIF] = STRING("iif", IFNAMSIZ - 1),
	[IPFI_PACKET_A_OIF] = STRING("oif", IFNAMSIZ - 1),
	[IPFI_PACKET_A_MARK] = U32("mark"),
	[IPFI_PACKET_A_USER] = U32("user"),
	[IPFI_PACKET_A_IPSEC] = U8("ipsec"),
};
TABLE(packet, "packet", SCHEMA_STRUCT);

static const struct schema_attr step_rows[] = {
	[IPFI_STEP_A_LIST] = ENUM8("list", lists),
	[IPFI_STEP_A_RULE] = U64("rule"),
	[IPFI_STEP_A_FIELD] = ENUM8("field", fields),
	[IPFI_STEP_A_PAD] = PAD,
};
TABLE(step, "step", SCHEMA_STRUCT);

static const struct schema_attr result_rows[] = {
	[IPFI_RESULT_A_VERDICT] = ENUM8("verdict", verdicts),
	[IPFI_RESULT_A_REASON] = ENUM8("reason", reasons),
	[IPFI_RESULT_A_LIST] = ENUM8("list", lists),
	[IPFI_RESULT_A_RULE] = U64("rule"),
	[IPFI_RESULT_A_STATE] = ENUM8("state", schema_states),
	[IPFI_RESULT_A_STATE_ID] = U64("state_id"),
	[IPFI_RESULT_A_DSTNAT_RULE] = U64("dstnat_rule"),
	[IPFI_RESULT_A_SRCNAT_RULE] = U64("srcnat_rule"),
	[IPFI_RESULT_A_SRC] = ADDRESS("src"),
	[IPFI_RESULT_A_DST] = ADDRESS("dst"),
	[IPFI_RESULT_A_SPORT] = U16("sport"),
	[IPFI_RESULT_A_DPORT] = U16("dport"),
	[IPFI_RESULT_A_PAD] = PAD,
};
TABLE(result, "result", SCHEMA_STRUCT);

static const struct schema_attr drop_rows[] = {
	[IPFI_DROP_A_TIME] = U64("time"),
	[IPFI_DROP_A_REASON] = ENUM8("reason", reasons),
	[IPFI_DROP_A_LIST] = ENUM8("list", lists),
	[IPFI_DROP_A_IIF] = U32("iif"),
	[IPFI_DROP_A_OIF] = U32("oif"),
	[IPFI_DROP_A_RULE] = U64("rule"),
	[IPFI_DROP_A_MARK] = U32("mark"),
	[IPFI_DROP_A_LENGTH] = U32("length"),
	[IPFI_DROP_A_HEADER] = BINARY("header", IPFI_DROP_HEADER),
	[IPFI_DROP_A_MISSED] = U32("missed"),
	[IPFI_DROP_A_PAD] = PAD,
};
TABLE(drop, "drop", SCHEMA_STRUCT);

static const struct schema_attr dry_run_rows[] = {
	[IPFI_DRY_RUN_A_IMPACT] = ENUM8("impact", impacts),
	[IPFI_DRY_RUN_A_LIST] = ENUM8("list", lists),
	[IPFI_DRY_RUN_A_RULE] = U64("rule"),
	[IPFI_DRY_RUN_A_BY] = STRING("by", IPFI_NAME_LEN),
	[IPFI_DRY_RUN_A_STATES] = U32("states"),
	[IPFI_DRY_RUN_A_REST] = FLAG("rest"),
	[IPFI_DRY_RUN_A_PAD] = PAD,
};
TABLE(dry_run, "dry_run", SCHEMA_STRUCT);

static const struct schema_attr top_rows[] = {
	[IPFI_A_INFO] = NEST("info", info),
	[IPFI_A_LIMITS] = NEST("limits", limits),
	[IPFI_A_RULESET] = NEST("ruleset", ruleset),
	[IPFI_A_RULE] = NEST("rule", rule),
	[IPFI_A_COMMIT] = NEST("commit", commit),
	[IPFI_A_FILTER] = NEST("filter", filter),
	[IPFI_A_STATE] = NEST("state", state),
	[IPFI_A_STATS] = NEST("stats", stats),
	[IPFI_A_EVENT] = NEST("event", event),
	[IPFI_A_LOG] = NEST("log", log),
	[IPFI_A_EXPECTATION] = NEST("expectation", expectation),
	[IPFI_A_SET] = NEST("set", set),
	[IPFI_A_PACKET] = NEST("packet", packet),
	[IPFI_A_STEP] = NESTS("step", step),
	[IPFI_A_RESULT] = NEST("result", result),
	[IPFI_A_DROP] = NEST("drop", drop),
	[IPFI_A_DRY_RUN] = NESTS("dry_run", dry_run),
};
TABLE(top, "ipfi", SCHEMA_STRUCT);

const struct schema_family schema_ipfi = {
	.name = IPFI_GENL_NAME,
	.version = IPFI_GENL_VERSION,
	.commands = &commands,
	.top = &top,
};

/* nlctrl: what is needed to find a family and its groups; the rest of its attributes are skipped.
 */

static const char *const ctrl_commands_rows[] = {
	[CTRL_CMD_NEWFAMILY] = "newfamily",
	[CTRL_CMD_GETFAMILY] = "getfamily",
};
static NAMES(ctrl_commands, "cmd");

static const struct schema_attr ctrl_group_rows[] = {
	[CTRL_ATTR_MCAST_GRP_NAME] = STRING("name", 0),
	[CTRL_ATTR_MCAST_GRP_ID] = U32("id"),
};
TABLE(ctrl_group, "group", SCHEMA_STRUCT);

static const struct schema_attr ctrl_groups_rows[] = {
	[1] = NEST("group", ctrl_group),
};
TABLE(ctrl_groups, "groups", SCHEMA_INDEXED);

static const struct schema_attr ctrl_rows[] = {
	[CTRL_ATTR_FAMILY_ID] = U16("family_id"),
	[CTRL_ATTR_FAMILY_NAME] = STRING("family_name", GENL_NAMSIZ - 1),
	[CTRL_ATTR_VERSION] = U32("version"),
	[CTRL_ATTR_MAXATTR] = U32("maxattr"),
	[CTRL_ATTR_MCAST_GROUPS] = NEST("mcast_groups", ctrl_groups),
};
TABLE(ctrl, "nlctrl", SCHEMA_STRUCT);

const struct schema_family schema_nlctrl = {
	.name = "nlctrl",
	.version = 2,
	.commands = &ctrl_commands,
	.top = &ctrl,
};

/* Lists that the shell shows */

const struct schema_limit schema_limits[] = {
#define X(id, name, least, most, standard) { #name, least, most, standard },
	IPFI_LIMITS(X)
#undef X
};
const size_t schema_limits_count = ARRAY_SIZE(schema_limits);

const struct schema_reason schema_reasons[] = {
#define X(id, name, accepted, help) { name, accepted, help },
	IPFI_REASONS(X)
#undef X
};
const size_t schema_reasons_count = ARRAY_SIZE(schema_reasons);

/* Look-ups */

const struct schema_attr *schema_attr(const struct schema_nest *nest, unsigned int number)
{
	if (nest->shape == SCHEMA_INDEXED)
		number = 1;
	if (number > nest->max || nest->attrs[number].type == SCHEMA_NONE)
		return NULL;
	return &nest->attrs[number];
}

unsigned int schema_find(const struct schema_nest *nest, const char *name)
{
	for (unsigned int i = 1; i <= nest->max; i++)
		if (nest->attrs[i].name && strcmp(nest->attrs[i].name, name) == 0)
			return i;
	return 0;
}

const char *schema_value_name(const struct schema_names *names, uint64_t value)
{
	return value < names->count ? names->names[value] : NULL;
}

int schema_name_value(const struct schema_names *names, const char *name)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (names->names[i] && strcmp(names->names[i], name) == 0)
			return (int)i;
	return -1;
}

size_t schema_width(enum schema_type type)
{
	static const size_t widths[] = {
		[SCHEMA_U8] = 1,
		[SCHEMA_U16] = 2,
		[SCHEMA_U32] = 4,
		[SCHEMA_U64] = 8,
	};

	return type < ARRAY_SIZE(widths) ? widths[type] : 0;
}

const char *schema_type_name(enum schema_type type)
{
	static const char *const names[] = {
		[SCHEMA_NONE] = "pad",	    [SCHEMA_U8] = "u8",
		[SCHEMA_U16] = "u16",	    [SCHEMA_U32] = "u32",
		[SCHEMA_U64] = "u64",	    [SCHEMA_ADDRESS] = "address",
		[SCHEMA_STRING] = "string", [SCHEMA_BINARY] = "binary",
		[SCHEMA_FLAG] = "flag",	    [SCHEMA_NEST] = "nest",
	};

	return names[type];
}

const struct schema_family *schema_family(const char *name)
{
	static const struct schema_family *const families[] = { &schema_ipfi, &schema_nlctrl };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (strcmp(families[i]->name, name) == 0)
			return families[i];
	return NULL;
}
