// SPDX-License-Identifier: GPL-2.0-or-later
/* The shell's wire format without Lua: the paths that refusals name, and the writer's bounds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/ipfi.h>

#include "shell/address.h"
#include "shell/netlink/wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Where in the request below its attributes start. */
struct places {
	size_t rule, name, dport, first, second, from, src, range, end;
};

/* rule { name, dport { { from }, { from } }, src { ranges { from } } }, as RULE_ADD. */
static void write_request(struct wire_buffer *buffer, struct places *at)
{
	const uint8_t address[4] = { 10, 0, 0, 1 };
	size_t message = wire_begin(buffer, GENL_MIN_ID, NLM_F_ACK, IPFI_CMD_RULE_ADD, 1);

	at->rule = wire_open(buffer, IPFI_A_RULE);
	at->name = buffer->len;
	wire_put(buffer, IPFI_RULE_A_NAME, "web", 4);
	at->dport = wire_open(buffer, IPFI_RULE_A_DPORT);
	at->first = wire_open(buffer, IPFI_RANGES_A_RANGE);
	wire_put_number(buffer, IPFI_RANGE_A_FROM, 80, 4);
	assert_true(wire_close(buffer, at->first));
	at->second = wire_open(buffer, IPFI_RANGES_A_RANGE);
	at->from = buffer->len;
	wire_put_number(buffer, IPFI_RANGE_A_FROM, 70000, 4);
	assert_true(wire_close(buffer, at->second));
	assert_true(wire_close(buffer, at->dport));
	at->src = wire_open(buffer, IPFI_RULE_A_SRC);
	at->range = wire_open(buffer, IPFI_ADDRS_A_RANGE);
	wire_put(buffer, IPFI_ADDR_RANGE_A_FROM, address, sizeof(address));
	assert_true(wire_close(buffer, at->range));
	assert_true(wire_close(buffer, at->src));
	assert_true(wire_close(buffer, at->rule));
	wire_end(buffer, message);
	at->end = buffer->len;
}

/* Checks what an acknowledgement's place in the request is called; NULL: nothing. */
static void check_path(const struct wire_buffer *request, struct wire_ack ack, const char *wanted)
{
	char path[WIRE_PATH_LEN];
	bool found;

	ack.error = -EINVAL;
	found = wire_ack_path(&schema_ipfi, request->data, request->len, &ack, path);
	assert_true(found == (wanted != NULL));
	if (found)
		assert_string_equal(path, wanted);
}

static void test_offsets_have_paths(void **state)
{
	struct wire_buffer request = { 0 };
	struct places at;
	const struct {
		size_t *offset;
		const char *path;
	} rows[] = {
		{ &at.rule, "rule" },
		{ &at.name, "rule.name" },
		{ &at.dport, "rule.dport" },
		{ &at.first, "rule.dport[1]" },
		{ &at.second, "rule.dport[2]" },
		{ &at.from, "rule.dport[2].from" },
		{ &at.src, "rule.src" },
		{ &at.range, "rule.src.ranges[1]" },
		{ &at.end, NULL },
	};

	(void)state;
	write_request(&request, &at);
	for (size_t i = 0; i < COUNT(rows); i++)
		check_path(&request,
			   (struct wire_ack){ .has_offset = true,
					      .offset = (uint32_t)*rows[i].offset },
			   rows[i].path);
	/* Inside a value, and before the attributes. */
	check_path(&request,
		   (struct wire_ack){ .has_offset = true, .offset = (uint32_t)at.from + 5 },
		   "rule.dport[2].from");
	check_path(&request, (struct wire_ack){ .has_offset = true, .offset = 4 }, NULL);
	check_path(&request, (struct wire_ack){ .has_offset = true, .offset = UINT32_MAX }, NULL);
	check_path(&request, (struct wire_ack){ .has_offset = false }, NULL);
	wire_free(&request);
}

static void test_missing_attributes_have_paths(void **state)
{
	struct wire_buffer request = { 0 };
	struct places at;

	(void)state;
	write_request(&request, &at);
	check_path(&request,
		   (struct wire_ack){ .has_missing = true,
				      .missing = IPFI_RULE_A_VERDICT,
				      .missing_nest = (uint32_t)at.rule },
		   "rule.verdict");
	check_path(&request,
		   (struct wire_ack){ .has_missing = true,
				      .missing = IPFI_RANGE_A_TO,
				      .missing_nest = (uint32_t)at.second },
		   "rule.dport[2].to");
	check_path(&request, (struct wire_ack){ .has_missing = true, .missing = IPFI_A_COMMIT },
		   "commit");
	/* One that the schema does not know: the nest is named at least. */
	check_path(&request,
		   (struct wire_ack){
			   .has_missing = true, .missing = 999, .missing_nest = (uint32_t)at.src },
		   "rule.src");
	wire_free(&request);
}

/* No offset, whatever a kernel sends, leads out of the request. */
static void test_any_offset_is_safe(void **state)
{
	struct wire_buffer request = { 0 };
	char path[WIRE_PATH_LEN];
	struct places at;

	(void)state;
	write_request(&request, &at);
	for (size_t len = 0; len <= request.len; len++) {
		uint8_t *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, request.data, len);
		for (uint32_t offset = 0; offset <= request.len + 8; offset++) {
			struct wire_ack ack = { .has_offset = true, .offset = offset };

			wire_ack_path(&schema_ipfi, copy, len, &ack, path);
			ack = (struct wire_ack){ .has_missing = true,
						 .missing = 3,
						 .missing_nest = offset };
			wire_ack_path(&schema_ipfi, copy, len, &ack, path);
		}
		free(copy);
	}
	wire_free(&request);
}

static void test_nest_of_the_largest_size(void **state)
{
	struct wire_buffer buffer = { 0 };
	static const uint8_t bytes[WIRE_NEST_MOST];
	size_t nest;

	(void)state;
	nest = wire_open(&buffer, 1);
	wire_put(&buffer, 2, bytes, WIRE_NEST_MOST - 8);
	assert_true(wire_close(&buffer, nest));
	wire_put(&buffer, 3, bytes, 0);
	assert_false(wire_close(&buffer, nest));
	wire_free(&buffer);
	/* One value may fill all of an attribute. */
	wire_put(&buffer, 1, bytes, WIRE_NEST_MOST);
	assert_int_equal(buffer.len, 65536);
	assert_memory_equal(buffer.data, "\xff\xff\x01\x00", 4);
	wire_free(&buffer);
}

static void test_messages_are_addressed_and_copied(void **state)
{
	struct wire_buffer buffer = { 0 }, copy = { 0 };
	struct wire_message message;
	struct wire_error error;
	struct places at;
	size_t offset = 0, second;

	(void)state;
	write_request(&buffer, &at);
	assert_int_equal(wire_next(buffer.data, buffer.len, &offset, &message, &error), 1);
	wire_copy(&copy, &message);
	second = wire_copy(&copy, &message);
	assert_int_equal(second, buffer.len);
	assert_memory_equal(copy.data + second, buffer.data, buffer.len);
	wire_address(&copy, second, 29, NLM_F_ROOT, 77);
	offset = second;
	assert_int_equal(wire_next(copy.data, copy.len, &offset, &message, &error), 1);
	assert_int_equal(message.header.nlmsg_type, 29);
	assert_int_equal(message.header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_ROOT);
	assert_int_equal(message.header.nlmsg_seq, 77);
	assert_int_equal(wire_next(copy.data, copy.len, &offset, &message, &error), 0);
	assert_memory_equal(copy.data, buffer.data, buffer.len);
	wire_free(&buffer);
	wire_free(&copy);
}

static void test_prefixes_have_ends(void **state)
{
	static const struct {
		const char *address, *first, *last;
		unsigned int bits;
	} rows[] = {
		{ "10.1.2.3", "10.0.0.0", "10.255.255.255", 8 },
		{ "10.1.2.3", "10.1.2.3", "10.1.2.3", 32 },
		{ "10.1.2.3", "0.0.0.0", "255.255.255.255", 0 },
		{ "10.1.2.131", "10.1.2.128", "10.1.2.143", 28 },
		{ "10.1.2.3", "10.1.0.0", "10.1.3.255", 22 },
		{ "2001:db8::1", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 32 },
		{ "fd00::1", "fd00::", "fd00::7", 125 },
		{ "fd00::1", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t bytes[16], first[16], last[16];
		char text[ADDRESS_TEXT_LEN + 1];
		size_t len = address_parse(rows[i].address, bytes);

		address_prefix(bytes, len, rows[i].bits, first, last);
		text[address_format(first, len, text)] = '\0';
		assert_string_equal(text, rows[i].first);
		text[address_format(last, len, text)] = '\0';
		assert_string_equal(text, rows[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offsets_have_paths),
		cmocka_unit_test(test_missing_attributes_have_paths),
		cmocka_unit_test(test_any_offset_is_safe),
		cmocka_unit_test(test_nest_of_the_largest_size),
		cmocka_unit_test(test_messages_are_addressed_and_copied),
		cmocka_unit_test(test_prefixes_have_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
