// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shell's schema against the uapi header: every attribute and every value of an enum has a row,
 * and the rows make sense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/ipfi.h>

#include "shell/netlink/schema.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The nest at a path of attribute names from the top. */
static const struct schema_nest *nest_at(const char *path)
{
	const struct schema_nest *nest = schema_ipfi.top;
	char name[32];

	while (*path) {
		size_t len = strcspn(path, ".");
		unsigned int number;

		assert_true(len < sizeof(name));
		memcpy(name, path, len);
		name[len] = '\0';
		number = schema_find(nest, name);
		assert_int_not_equal(number, 0);
		nest = schema_attr(nest, number)->nest;
		assert_non_null(nest);
		path += len + (path[len] == '.');
	}
	return nest;
}

/* One row for each enum of attributes in the header: where it is used, its last number, its
 * padding. */
static const struct {
	const char *path;
	unsigned int max, pad;
} nests[] = {
	{ "", IPFI_A_MAX, 0 },
	{ "info", IPFI_INFO_A_MAX, 0 },
	{ "limits", IPFI_LIMIT_MAX, 0 },
	{ "ruleset", IPFI_RULESET_A_MAX, 0 },
	{ "ruleset.limits", IPFI_LIMIT_MAX, 0 },
	{ "commit", IPFI_COMMIT_A_MAX, 0 },
	{ "rule", IPFI_RULE_A_MAX, IPFI_RULE_A_PAD },
	{ "rule.proto", IPFI_RANGES_A_MAX, 0 },
	{ "rule.sport", IPFI_RANGES_A_MAX, 0 },
	{ "rule.dport", IPFI_RANGES_A_MAX, 0 },
	{ "rule.icmp", IPFI_RANGES_A_MAX, 0 },
	{ "rule.length", IPFI_RANGES_A_MAX, 0 },
	{ "rule.dscp", IPFI_RANGES_A_MAX, 0 },
	{ "rule.user", IPFI_RANGES_A_MAX, 0 },
	{ "rule.dport.range", IPFI_RANGE_A_MAX, 0 },
	{ "rule.src", IPFI_ADDRS_A_MAX, 0 },
	{ "rule.dst", IPFI_ADDRS_A_MAX, 0 },
	{ "rule.src.ranges", IPFI_ADDR_RANGE_A_MAX, 0 },
	{ "rule.target", IPFI_TARGET_A_MAX, 0 },
	{ "rule.target.addrs", IPFI_ADDRS_A_MAX, 0 },
	{ "state", IPFI_STATE_A_MAX, IPFI_STATE_A_PAD },
	{ "filter", IPFI_FILTER_A_MAX, IPFI_FILTER_A_PAD },
	{ "filter.src", IPFI_PREFIX_A_MAX, 0 },
	{ "filter.dst", IPFI_PREFIX_A_MAX, 0 },
	{ "filter.addr", IPFI_PREFIX_A_MAX, 0 },
	{ "filter.sport", IPFI_RANGE_A_MAX, 0 },
	{ "filter.dport", IPFI_RANGE_A_MAX, 0 },
	{ "filter.port", IPFI_RANGE_A_MAX, 0 },
	{ "stats", IPFI_STATS_A_MAX, IPFI_STATS_A_PAD },
	{ "stats.counters", IPFI_COUNTERS_A_MAX, 0 },
	{ "stats.counters.counter", IPFI_COUNTER_A_MAX, IPFI_COUNTER_A_PAD },
	{ "event", IPFI_EVENT_A_MAX, 0 },
	{ "log", IPFI_LOG_A_MAX, IPFI_LOG_A_PAD },
	{ "expectation", IPFI_EXPECTATION_A_MAX, IPFI_EXPECTATION_A_PAD },
	{ "set", IPFI_SET_A_MAX, 0 },
	{ "set.member", IPFI_MEMBER_A_MAX, 0 },
	{ "packet", IPFI_PACKET_A_MAX, 0 },
	{ "step", IPFI_STEP_A_MAX, IPFI_STEP_A_PAD },
	{ "result", IPFI_RESULT_A_MAX, IPFI_RESULT_A_PAD },
	{ "drop", IPFI_DROP_A_MAX, IPFI_DROP_A_PAD },
	{ "dry_run", IPFI_DRY_RUN_A_MAX, IPFI_DRY_RUN_A_PAD },
};

static void test_every_attribute_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(nests); i++) {
		const struct schema_nest *nest = nest_at(nests[i].path);

		assert_int_equal(nest->max, nests[i].max);
		assert_null(schema_attr(nest, 0));
		assert_null(schema_attr(nest, nest->max + 1));
		for (unsigned int number = 1; number <= nest->max; number++) {
			if (schema_attr(nest, number))
				assert_int_not_equal(number, nests[i].pad);
			else
				assert_int_equal(number, nests[i].pad);
		}
	}
}

static void check_nest(const struct schema_nest *nest, unsigned int depth)
{
	assert_true(depth <= SCHEMA_DEPTH);
	if (nest->shape == SCHEMA_LIST)
		assert_true(nest->max == 1 && nest->attrs[1].repeated);
	for (unsigned int number = 1; number <= nest->max; number++) {
		const struct schema_attr *attr = schema_attr(nest, number);

		if (!attr)
			continue;
		assert_non_null(attr->name);
		/* The name leads back to it, so no other row has it. */
		assert_int_equal(schema_find(nest, attr->name), number);
		assert_true((attr->type == SCHEMA_NEST) == (attr->nest != NULL));
		assert_false(attr->names && attr->bits);
		if (attr->names || attr->bits)
			assert_true(schema_width(attr->type) > 0);
		if (attr->bits)
			assert_true(attr->bits->count <= 8 * schema_width(attr->type));
		if (attr->names)
			assert_true(attr->names->count <= 1U << 8 * schema_width(attr->type));
		if (attr->nest)
			check_nest(attr->nest, depth + 1);
	}
}

static void test_rows_make_sense(void **state)
{
	(void)state;
	check_nest(schema_ipfi.top, 1);
	check_nest(schema_nlctrl.top, 1);
}

/* One row for each enum of values in the header. */
static const struct {
	const char *name;
	unsigned int first, last;
} enums[] = {
	{ "cmd", IPFI_CMD_INFO, IPFI_CMD_MAX },
	{ "state_id", IPFI_STATE_NONE, IPFI_STATE_MAX },
	{ "verdict", IPFI_VERDICT_ALLOW, IPFI_VERDICT_MAX },
	{ "list", IPFI_LIST_IN, __IPFI_LIST_END - 1 },
	{ "commit_states", IPFI_COMMIT_RECHECK, __IPFI_COMMIT_END - 1 },
	{ "field", IPFI_FIELD_FAMILY, __IPFI_FIELD_END - 1 },
	{ "reason", IPFI_REASON_NONE + 1, IPFI_REASON_MAX },
	{ "event", IPFI_EVENT_UNSPEC + 1, __IPFI_EVENT_END - 1 },
	{ "change", IPFI_CHANGE_UNSPEC + 1, IPFI_CHANGE_MAX },
	{ "impact", IPFI_IMPACT_UNSPEC + 1, IPFI_IMPACT_MAX },
	{ "cause", IPFI_CAUSE_UNSPEC + 1, __IPFI_CAUSE_END - 1 },
	{ "rule_flags", 0, __builtin_popcount(IPFI_RULE_F_ALL) - 1 },
	{ "helper", IPFI_HELPER_NONE + 1, IPFI_HELPER_MAX },
	{ "state_flags", 0, __builtin_popcount(IPFI_STATE_F_ALL) - 1 },
};

static const struct schema_names *enum_called(const char *name)
{
	for (const struct schema_names *const *names = schema_enums; *names; names++)
		if (strcmp((*names)->name, name) == 0)
			return *names;
	return NULL;
}

static void test_every_value_has_a_name(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(enums); i++) {
		const struct schema_names *names = enum_called(enums[i].name);

		assert_non_null(names);
		assert_int_equal(names->count, enums[i].last + 1);
		for (unsigned int value = 0; value < names->count; value++) {
			const char *name = schema_value_name(names, value);

			assert_true((name != NULL) == (value >= enums[i].first));
			if (name)
				assert_int_equal(schema_name_value(names, name), value);
		}
		assert_null(schema_value_name(names, names->count));
		assert_null(schema_value_name(names, UINT64_MAX));
		assert_int_equal(schema_name_value(names, "no such name"), -1);
	}
	while (schema_enums[count])
		count++;
	assert_int_equal(count, COUNT(enums));
}

static void test_limits_and_reasons(void **state)
{
	const struct schema_nest *limits = nest_at("limits");

	(void)state;
	assert_int_equal(schema_limits_count, IPFI_LIMIT_MAX);
	for (size_t i = 0; i < schema_limits_count; i++) {
		const struct schema_limit *limit = &schema_limits[i];

		assert_string_equal(limit->name, schema_attr(limits, (unsigned int)i + 1)->name);
		assert_true(limit->least <= limit->most && limit->standard <= limit->most);
		/* That of max_states, 0, depends on memory. */
		assert_true(limit->least <= limit->standard || i == IPFI_LIMIT_MAX_STATES - 1);
	}
	assert_int_equal(schema_reasons_count, IPFI_REASON_MAX);
	for (size_t i = 0; i < schema_reasons_count; i++) {
		const struct schema_reason *reason = &schema_reasons[i];

		assert_string_equal(reason->name, schema_value_name(enum_called("reason"), i + 1));
		assert_true(reason->help && *reason->help);
	}
	assert_true(schema_reasons[IPFI_REASON_RULE_ALLOW - 1].accepted);
	assert_false(schema_reasons[IPFI_REASON_RULE_DENY - 1].accepted);
}

/* Samples that a shift by one row would break. */
static void test_rows_are_in_place(void **state)
{
	const struct schema_nest *rule = nest_at("rule"), *states = nest_at("state");
	const struct {
		const struct schema_nest *nest;
		unsigned int number;
		const char *name;
		enum schema_type type;
	} samples[] = {
		{ rule, IPFI_RULE_A_NAME, "name", SCHEMA_STRING },
		{ rule, IPFI_RULE_A_LISTS, "lists", SCHEMA_U8 },
		{ rule, IPFI_RULE_A_TCP_MASK, "tcp_mask", SCHEMA_U8 },
		{ rule, IPFI_RULE_A_MARK_MASK, "mark_mask", SCHEMA_U32 },
		{ rule, IPFI_RULE_A_TARGET, "target", SCHEMA_NEST },
		{ rule, IPFI_RULE_A_MSS, "mss", SCHEMA_U16 },
		{ rule, IPFI_RULE_A_WRITTEN, "written", SCHEMA_BINARY },
		{ rule, IPFI_RULE_A_ID, "id", SCHEMA_U64 },
		{ states, IPFI_STATE_A_STATE, "state", SCHEMA_U8 },
		{ states, IPFI_STATE_A_SRC, "src", SCHEMA_ADDRESS },
		{ states, IPFI_STATE_A_DPORT, "dport", SCHEMA_U16 },
		{ states, IPFI_STATE_A_REPLY_BYTES, "reply_bytes", SCHEMA_U64 },
		{ states, IPFI_STATE_A_TIMEOUT, "timeout", SCHEMA_U32 },
		{ states, IPFI_STATE_A_NAT_DST, "nat_dst", SCHEMA_ADDRESS },
		{ states, IPFI_STATE_A_MASTER, "master", SCHEMA_U64 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		const struct schema_attr *attr = schema_attr(samples[i].nest, samples[i].number);

		assert_string_equal(attr->name, samples[i].name);
		assert_int_equal(attr->type, samples[i].type);
	}
	assert_ptr_equal(schema_family("ipfi"), &schema_ipfi);
	assert_ptr_equal(schema_family("nlctrl"), &schema_nlctrl);
	assert_null(schema_family("other"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_attribute_has_a_row),
		cmocka_unit_test(test_rows_make_sense),
		cmocka_unit_test(test_every_value_has_a_name),
		cmocka_unit_test(test_limits_and_reasons),
		cmocka_unit_test(test_rows_are_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
