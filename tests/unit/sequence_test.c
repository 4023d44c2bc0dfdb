// SPDX-License-Identifier: GPL-2.0-or-later
/* Edits of a TCP stream, and what they do to its segments and numbers: the cases that one can think
 * of. */
#include "module/core/sequence.h"
#include "support.h"

/* What left for a segment, as text. */
static const char *left(const struct ipfi_seqadj *s, u32 seq, const char *payload, bool fin)
{
	static char text[256];
	struct ipfi_seqadj_cut cut;
	u32 length = (u32)strlen(payload);
	bool changed = ipfi_seqadj_apply(s, seq, length, fin, &cut);

	assert_true(cut.head + cut.skip <= length);
	assert_int_equal(changed, cut.head != length || cut.text_length || !cut.whole);
	snprintf(text, sizeof(text), "%u:%.*s%.*s%s%s", cut.seq, (int)cut.head, payload,
		 (int)cut.text_length, cut.text ? (const char *)cut.text : "",
		 payload + cut.head + cut.skip, fin && cut.whole ? "." : "");
	return text;
}

static void edit(struct ipfi_seqadj *s, u32 at, u32 old_length, const char *text)
{
	assert_true(ipfi_seqadj_edit(s, at, old_length, (const u8 *)text, (u32)strlen(text)));
}

static void hold(struct ipfi_seqadj *s, u32 at, const char *bytes)
{
	ipfi_seqadj_hold(s, at, (const u8 *)bytes, (u32)strlen(bytes));
}

static void leaves_all_alone(void **state)
{
	struct ipfi_seqadj s;

	(void)state;
	ipfi_seqadj_init(&s);
	assert_true(ipfi_seqadj_room(&s));
	assert_string_equal(left(&s, 7, "abc", true), "7:abc.");
	assert_string_equal(left(&s, 7, "", false), "7:");
	assert_int_equal(ipfi_seqadj_forward(&s, 1234), 1234);
	assert_int_equal(ipfi_seqadj_back(&s, 1234), 1234);
	assert_int_equal(ipfi_seqadj_back_left(&s, 1234), 1234);
	ipfi_seqadj_release(&s);
	ipfi_seqadj_acknowledge(&s, 99);
	assert_int_equal(ipfi_seqadj_forward(&s, 1234), 1234);
}

/* "abcOLDxyz" from 100 on: OLD becomes longer. */
static void replaces_a_text(void **state)
{
	struct ipfi_seqadj s;

	(void)state;
	ipfi_seqadj_init(&s);
	edit(&s, 103, 3, "newer");
	assert_string_equal(left(&s, 100, "abcOLDxyz", false), "100:abcnewerxyz");
	assert_string_equal(left(&s, 100, "abcOLDxyz", true), "100:abcnewerxyz.");
	assert_string_equal(left(&s, 100, "abcOLD", false), "100:abcnewer");
	assert_string_equal(left(&s, 103, "OLDxyz", false), "103:newerxyz");
	assert_string_equal(left(&s, 104, "LDxyz", false), "103:newerxyz");
	assert_string_equal(left(&s, 105, "D", false), "103:newer");
	assert_string_equal(left(&s, 104, "L", false), "103:newer");
	assert_string_equal(left(&s, 100, "abcO", true), "100:abc");
	assert_string_equal(left(&s, 103, "OL", false), "103:");
	assert_string_equal(left(&s, 100, "abc", true), "100:abc.");
	assert_string_equal(left(&s, 106, "xyz", true), "108:xyz.");
	assert_string_equal(left(&s, 109, "", true), "111:.");
	assert_string_equal(left(&s, 109, "", false), "111:");
	assert_string_equal(left(&s, 108, "", false), "110:");
	assert_string_equal(left(&s, 103, "", false), "103:");

	assert_int_equal(ipfi_seqadj_back(&s, 103), 103);
	assert_int_equal(ipfi_seqadj_back(&s, 104), 103);
	assert_int_equal(ipfi_seqadj_back(&s, 107), 103);
	assert_int_equal(ipfi_seqadj_back(&s, 108), 106);
	assert_int_equal(ipfi_seqadj_back(&s, 111), 109);
	assert_int_equal(ipfi_seqadj_back_left(&s, 103), 103);
	assert_int_equal(ipfi_seqadj_back_left(&s, 104), 106);
	assert_int_equal(ipfi_seqadj_back_left(&s, 108), 106);
	assert_int_equal(ipfi_seqadj_back_left(&s, 109), 107);
}

static void shortens_across_zero(void **state)
{
	struct ipfi_seqadj s;

	(void)state;
	ipfi_seqadj_init(&s);
	edit(&s, UINT32_MAX, 4, "N");
	assert_string_equal(left(&s, UINT32_MAX - 2, "ab0123yz", false), "4294967293:abNyz");
	assert_string_equal(left(&s, 1, "23yz", false), "4294967295:Nyz");
	assert_string_equal(left(&s, 3, "yz", true), "0:yz.");
	assert_int_equal(ipfi_seqadj_back(&s, UINT32_MAX), UINT32_MAX);
	assert_int_equal(ipfi_seqadj_back(&s, 0), 3);
	assert_int_equal(ipfi_seqadj_back(&s, 2), 5);
	assert_int_equal(ipfi_seqadj_forward(&s, 2), UINT32_MAX);
	assert_int_equal(ipfi_seqadj_forward(&s, 3), 0);
}

/* Each keeps its place however often it is sent again. */
static void remembers_several(void **state)
{
	struct ipfi_seqadj s;

	(void)state;
	ipfi_seqadj_init(&s);
	edit(&s, 10, 1, "one");
	edit(&s, 20, 1, "two");
	edit(&s, 30, 3, "3");
	assert_string_equal(left(&s, 9, "a1b", false), "9:aoneb");
	assert_string_equal(left(&s, 19, "a2b", false), "21:atwob");
	assert_string_equal(left(&s, 29, "a333b", false), "33:a3b");
	assert_string_equal(left(&s, 34, "c", false), "36:c");
	assert_int_equal(ipfi_seqadj_back(&s, 36), 34);
	assert_int_equal(ipfi_seqadj_back(&s, 25), 21);
	assert_int_equal(ipfi_seqadj_back(&s, 13), 11);

	/* One new text to a segment; the second comes when its sender comes again. */
	assert_string_equal(left(&s, 9, "a1bbbbbbbbbb2c", true), "9:aone");
	assert_string_equal(left(&s, 9, "a1bbbbbbbbb", true), "9:aonebbbbbbbbb.");
}

static void has_room_for_the_unacknowledged(void **state)
{
	struct ipfi_seqadj s;
	u32 i;

	(void)state;
	ipfi_seqadj_init(&s);
	for (i = 0; i < IPFI_SEQADJ_EDITS - 2; i++) {
		assert_true(ipfi_seqadj_room(&s));
		edit(&s, 10 * i, 1, "..");
	}
	assert_true(ipfi_seqadj_room(&s));
	edit(&s, 10 * i, 1, "..");
	assert_false(ipfi_seqadj_room(&s));
	ipfi_seqadj_acknowledge(&s, 1);
	assert_false(ipfi_seqadj_room(&s));
	ipfi_seqadj_acknowledge(&s, 2);
	assert_true(ipfi_seqadj_room(&s));
	ipfi_seqadj_acknowledge(&s, 1);
	assert_true(ipfi_seqadj_room(&s));

	/* The oldest makes room, and what is behind it counts on. */
	edit(&s, 100, 1, "..");
	edit(&s, 200, 1, "..");
	assert_int_equal(ipfi_seqadj_forward(&s, 300), 300 + i + 3);
	assert_string_equal(left(&s, 99, "a.b", false), "102:a..b");
}

/* What lies 2^31 back must not be taken for what is to come. */
static void forgets_in_time(void **state)
{
	struct ipfi_seqadj s;
	u32 i;

	(void)state;
	ipfi_seqadj_init(&s);
	edit(&s, 100, 1, "many more");
	for (i = 1; i <= 16; i++) {
		ipfi_seqadj_acknowledge(&s, 100 + i * 0x10000000U);
		assert_int_equal(ipfi_seqadj_forward(&s, 100 + i * 0x10000000U),
				 108 + i * 0x10000000U);
	}
	assert_int_equal(ipfi_seqadj_back(&s, 100), 92);
}

static void refuses_what_is_out_of_order(void **state)
{
	struct ipfi_seqadj s, was;
	const u8 text[IPFI_SEQADJ_WRITTEN + 1] = "text";

	(void)state;
	ipfi_seqadj_init(&s);
	edit(&s, 100, 10, "new");
	hold(&s, 200, "abc");
	was = s;
	assert_false(ipfi_seqadj_edit(&s, 199, 3, text, 4));
	assert_false(ipfi_seqadj_edit(&s, 105, 3, text, 4));
	assert_false(ipfi_seqadj_edit(&s, 300, 0, text, 4));
	assert_false(ipfi_seqadj_edit(&s, 300, 3, text, 0));
	assert_false(ipfi_seqadj_edit(&s, 300, IPFI_SEQADJ_WRITTEN + 1, text, 4));
	assert_false(ipfi_seqadj_edit(&s, 300, 3, text, IPFI_SEQADJ_WRITTEN + 1));
	assert_memory_equal(&s, &was, sizeof(s));
	ipfi_seqadj_release(&s);
	assert_false(ipfi_seqadj_edit(&s, 102, 3, text, 4));
	assert_true(
		ipfi_seqadj_edit(&s, 300, IPFI_SEQADJ_WRITTEN, text, IPFI_SEQADJ_WRITTEN));
}

/* "227 (10,0,0,1,4,2" | "10)" with the number held back until it is all there. */
static void holds_and_settles(void **state)
{
	struct ipfi_seqadj s;

	(void)state;
	ipfi_seqadj_init(&s);
	hold(&s, 105, "10,0,0,1,4,2");
	assert_string_equal(left(&s, 100, "227 (10,0,0,1,4,2", false), "100:227 (");
	assert_string_equal(left(&s, 100, "227 (10,0", false), "100:227 (");
	assert_string_equal(left(&s, 100, "227 (", false), "100:227 (");
	/* Who has all that left is said to have the rest too: Nagle's sender would wait. */
	assert_int_equal(ipfi_seqadj_back(&s, 104), 104);
	assert_int_equal(ipfi_seqadj_back(&s, 105), 117);
	assert_int_equal(ipfi_seqadj_back_left(&s, 103), 103);
	/* A segment of nothing else asks for that, as does a keep-alive. */
	assert_string_equal(left(&s, 105, "10,0,0,1,4,2", false), "104:");
	assert_string_equal(left(&s, 110, "1,4,2", false), "104:");
	assert_string_equal(left(&s, 116, "", false), "104:");
	assert_string_equal(left(&s, 117, "", false), "105:");
	assert_int_equal(ipfi_seqadj_forward(&s, 117), 105);

	edit(&s, 105, 14, "192,0,2,1,200,201");
	assert_string_equal(left(&s, 117, "10)", false), "105:192,0,2,1,200,201)");
	assert_string_equal(left(&s, 100, "227 (10,0,0,1,4,2", false), "100:227 (");
	assert_string_equal(left(&s, 100, "227 (10,0,0,1,4,210)", false),
			    "100:227 (192,0,2,1,200,201)");
	assert_string_equal(left(&s, 119, ")", false), "105:192,0,2,1,200,201)");
	assert_int_equal(ipfi_seqadj_back(&s, 105), 117);
	assert_int_equal(ipfi_seqadj_back(&s, 121), 117);
	assert_int_equal(ipfi_seqadj_back(&s, 122), 119);
}

/* "227 (10,0,0,1,4,210)" | end of line: what was held is put before what comes, until it has
 * arrived. */
static void owes_what_it_took(void **state)
{
	struct ipfi_seqadj s;

	(void)state;
	ipfi_seqadj_init(&s);
	hold(&s, 105, "10,0,0,1,4,210)");
	edit(&s, 105, 14, "192,0,2,1,4,210");
	assert_string_equal(left(&s, 120, "\n", false), "105:192,0,2,1,4,210)\n");
	assert_string_equal(left(&s, 120, "", true), "105:192,0,2,1,4,210).");
	assert_string_equal(left(&s, 120, "", false), "121:");
	assert_string_equal(left(&s, 121, "next", false), "122:next");
	ipfi_seqadj_acknowledge(&s, 120);
	assert_string_equal(left(&s, 120, "\n", false), "105:192,0,2,1,4,210)\n");
	ipfi_seqadj_acknowledge(&s, 121);
	assert_string_equal(left(&s, 120, "\n", false), "121:\n");
}

static void releases(void **state)
{
	struct ipfi_seqadj s;

	(void)state;
	ipfi_seqadj_init(&s);
	hold(&s, 105, "5");
	assert_string_equal(left(&s, 100, "229 x5", false), "100:229 x");
	hold(&s, 105, "5,6");
	assert_string_equal(left(&s, 106, ",6", false), "104:");
	ipfi_seqadj_release(&s);
	assert_string_equal(left(&s, 108, " and\n", false), "105:5,6 and\n");
	assert_string_equal(left(&s, 100, "229 x5", false), "100:229 x");
	assert_string_equal(left(&s, 100, "229 x5,6 and\n", false), "100:229 x5,6 and\n");
	assert_int_equal(ipfi_seqadj_forward(&s, 113), 113);
	assert_int_equal(ipfi_seqadj_back(&s, 113), 113);
}

/* The held place moves on: "1.2" | ".3" and so on. Bytes before it are owed, those behind it are
 * held. */
static void moves_a_hold(void **state)
{
	struct ipfi_seqadj s;

	(void)state;
	ipfi_seqadj_init(&s);
	hold(&s, 100, "12");
	hold(&s, 101, "2a");
	assert_string_equal(left(&s, 102, "a", false), "100:1");
	assert_int_equal(ipfi_seqadj_back(&s, 100), 101);
	assert_int_equal(ipfi_seqadj_back(&s, 101), 103);
	ipfi_seqadj_acknowledge(&s, 101);
	assert_string_equal(left(&s, 102, "a", false), "100:");
	hold(&s, 110, "b");
	assert_string_equal(left(&s, 103, "3456789b", false), "101:2a");
	ipfi_seqadj_acknowledge(&s, 103);
	assert_string_equal(left(&s, 103, "3456789b", false), "103:3456789");
	assert_string_equal(left(&s, 110, "b", false), "109:");
	ipfi_seqadj_acknowledge(&s, 110);
	edit(&s, 120, 1, "!?");
	assert_string_equal(left(&s, 111, "123456789c", false), "110:b");
	assert_string_equal(left(&s, 119, "9c", false), "119:9!?");
}

/* Two owed texts, one behind the other: the first comes first. */
static void owes_in_order(void **state)
{
	struct ipfi_seqadj s;

	(void)state;
	ipfi_seqadj_init(&s);
	hold(&s, 100, "12");
	hold(&s, 101, "2a");
	ipfi_seqadj_release(&s);
	assert_string_equal(left(&s, 103, "bc", true), "100:1");
	ipfi_seqadj_acknowledge(&s, 101);
	assert_string_equal(left(&s, 103, "bc", true), "101:2abc.");
	ipfi_seqadj_acknowledge(&s, 103);
	assert_string_equal(left(&s, 103, "bc", true), "103:bc.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_all_alone),
		cmocka_unit_test(replaces_a_text),
		cmocka_unit_test(shortens_across_zero),
		cmocka_unit_test(remembers_several),
		cmocka_unit_test(has_room_for_the_unacknowledged),
		cmocka_unit_test(forgets_in_time),
		cmocka_unit_test(refuses_what_is_out_of_order),
		cmocka_unit_test(holds_and_settles),
		cmocka_unit_test(owes_what_it_took),
		cmocka_unit_test(releases),
		cmocka_unit_test(moves_a_hold),
		cmocka_unit_test(owes_in_order),
	};

	return cmocka_run_group_tests_name("sequence", tests, NULL, NULL);
}
