// SPDX-License-Identifier: GPL-2.0-or-later
/* What is announced on FTP's control connections: questions and answers, streams, refusals. */
#include "ftp_talk.h"

/* --- questions --- */

static const char pasv[] = "227 (192,0,2,1,4,1)\r\n";
static const char epsv[] = "229 (|||1025|)\r\n";
#define PASV_UNASKED "PASV ftp-unasked;"
#define EPSV_UNASKED "EPSV ftp-unasked;"

static void answers_need_a_question(void **state)
{
	static const struct {
		const char *asked;
		bool pasv, epsv;
	} cases[] = {
		{ "", false, false },
		{ "PASV\r\n", true, false },
		{ "pasv\n", true, false },
		{ "\xff\xf4\xff\xf2 PaSv \r\n", true, false },
		{ "PASV", false, false },
		{ "PASVE\r\n", false, false },
		{ "EPSV\r\n", false, true },
		{ "epsv 1\r\n", false, true },
		{ "EPSV  2 \r\n", false, true },
		{ "EPSV 3\r\n", false, false },
		{ "EPSV 12\r\n", false, false },
		{ "EPSV ALL\r\n", false, false },
		{ "EPSV all\r\n", false, false },
		{ "LIST PASV\r\n", false, false },
		{ "PORT 192,0,2,9,4,1\r\n", false, false },
	};
	struct talk talk;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		begin(&talk);
		client(&talk, cases[i].asked);
		talk.found[0] = '\0';
		server(&talk, pasv);
		server(&talk, epsv);
		assert_int_equal(!strstr(talk.found, PASV_UNASKED), cases[i].pasv);
		assert_int_equal(!strstr(talk.found, EPSV_UNASKED), cases[i].epsv);
	}
}

/* Whoever has begun to answer was not asked by what is said meanwhile. */
static void a_question_comes_before(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk);
	server(&talk, "2");
	client(&talk, "PASV\r\n");
	server(&talk, "27 (192,0,2,1,4");
	expect_pending(&talk, IPFI_REPLY, "");
	server(&talk, ",1)\r\n");
	expect(&talk, PASV_UNASKED);
	server(&talk, "2");
	client(&talk, "EPSV\r\n");
	server(&talk, "29 (|||1025|)\r\n");
	expect(&talk, EPSV_UNASKED);
}

static void a_question_has_one_answer(void **state)
{
	struct talk talk;
	int i;

	(void)state;
	begin(&talk);
	client(&talk, "PASV\r\nNOOP\r\nEPSV\r\nPASV\r\n");
	server(&talk, pasv);
	server(&talk, "200 ok\r\n");
	server(&talk, epsv);
	server(&talk, pasv);
	expect(&talk, "PASV 192.0.2.1 1025 at 5+13;EPSV 1025 at 34+8;"
		      "PASV 192.0.2.1 1025 at 50+13;");
	server(&talk, pasv);
	server(&talk, epsv);
	expect(&talk, PASV_UNASKED EPSV_UNASKED);

	/* One that could not be understood is one too. */
	client(&talk, "PASV\r\n");
	server(&talk, "227 well\r\n");
	server(&talk, pasv);
	expect(&talk, "PASV ftp-syntax;" PASV_UNASKED);

	/* More questions than can be counted are not more. */
	for (i = 0; i < 300; i++)
		client(&talk, "PASV\r\n");
	for (i = 0; i < 255; i++) {
		server(&talk, pasv);
		assert_null(strstr(talk.found, PASV_UNASKED));
		talk.found[0] = '\0';
	}
	server(&talk, pasv);
	expect(&talk, PASV_UNASKED);
}

static void a_refusal_is_an_answer(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk);
	server(&talk, "220 hello\r\n");
	client(&talk, "EPSV\r\n");
	server(&talk, "500 what?\r\n");
	server(&talk, epsv);
	expect(&talk, EPSV_UNASKED);
	client(&talk, "PASV\r\n");
	server(&talk, "421-not\r\n425 now\r\n421 today\r\n");
	server(&talk, pasv);
	expect(&talk, PASV_UNASKED);

	/* Of something else: while more than one command waits, nobody knows of which. */
	client(&talk, "CWD /nowhere\r\nPASV\r\n");
	server(&talk, "550 no such directory\r\n");
	server(&talk, pasv);
	expect(&talk, "PASV 192.0.2.1 1025 at 116+13;");

	/* A preliminary reply ends no command, a lone end of line is none. */
	client(&talk, "RETR x\r\n");
	server(&talk, "150 here it comes\r\n");
	client(&talk, "\r\nPASV\r\n");
	server(&talk, "426 broken\r\n");
	server(&talk, pasv);
	assert_null(strstr(talk.found, PASV_UNASKED));
	talk.found[0] = '\0';
	server(&talk, "550 what?\r\n");
	server(&talk, pasv);
	expect(&talk, PASV_UNASKED);
}

/* --- streams --- */

/* Wherever it is cut, once or at every byte, a line says the same, and nothing before its end. */
static void cuts_do_not_matter(void **state)
{
	static const char text[] = "227 Entering Passive Mode (192,0,2,1,4,210).\r\n";
	static const char found[] = "PASV 192.0.2.1 1234 at 27+15;";
	const u32 length = sizeof(text) - 1;
	struct talk talk;
	u32 cut;

	(void)state;
	for (cut = 1; cut < length; cut++) {
		begin(&talk);
		client(&talk, "PASV\r\n");
		feed(&talk, IPFI_REPLY, SERVER_ISN, text, cut);
		expect(&talk, "");
		feed(&talk, IPFI_REPLY, SERVER_ISN + cut, text + cut, length - cut);
		expect(&talk, found);
	}
	begin(&talk);
	client(&talk, "PASV\r\n");
	for (cut = 0; cut < length; cut++) {
		expect(&talk, "");
		feed(&talk, IPFI_REPLY, SERVER_ISN + cut, text + cut, 1);
	}
	expect(&talk, found);
}

static void what_was_read_is_passed_over(void **state)
{
	static const char text[] = "NOOP\r\nPORT 192,0,2,1,4,210\r\nQUIT\r\n";
	const u32 length = sizeof(text) - 1;
	static const char found[] = "PORT 192.0.2.1 1234 at 11+15;";
	struct talk talk;
	u32 cut;

	(void)state;
	for (cut = 1; cut < length; cut++) {
		begin(&talk);
		feed(&talk, IPFI_ORIGINAL, CLIENT_ISN, text, cut);
		feed(&talk, IPFI_ORIGINAL, CLIENT_ISN, text, cut);
		feed(&talk, IPFI_ORIGINAL, CLIENT_ISN + cut / 2, text + cut / 2, length - cut / 2);
		feed(&talk, IPFI_ORIGINAL, CLIENT_ISN + cut, text + cut, length - cut);
		feed(&talk, IPFI_ORIGINAL, CLIENT_ISN - 1, "?", 1); /* a keep-alive with data */
		expect(&talk, found);
	}
}

static void knows_what_is_in_order(void **state)
{
	struct ipfi_ftp_finding found;
	struct talk talk;

	(void)state;
	begin(&talk);
	assert_true(ipfi_ftp_in_order(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN));
	assert_true(ipfi_ftp_in_order(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN - 1));
	assert_false(ipfi_ftp_in_order(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN + 1));
	client(&talk, "NOOP\r\n");
	assert_true(ipfi_ftp_in_order(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN + 6));
	assert_false(ipfi_ftp_in_order(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN + 7));
	assert_true(ipfi_ftp_in_order(&talk.ftp, IPFI_REPLY, SERVER_ISN));
	assert_int_equal(ipfi_ftp_seen(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN, 4), 4);
	assert_int_equal(ipfi_ftp_seen(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN + 4, 9), 2);
	assert_int_equal(ipfi_ftp_seen(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN + 6, 9), 0);
	assert_int_equal(ipfi_ftp_seen(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN + 7, 9), 0);

	/* The SYN again, before data and after. */
	ipfi_ftp_start(&talk.ftp, IPFI_REPLY, 5000);
	assert_true(ipfi_ftp_in_order(&talk.ftp, IPFI_REPLY, 5000));
	assert_false(ipfi_ftp_in_order(&talk.ftp, IPFI_REPLY, 5001));
	ipfi_ftp_start(&talk.ftp, IPFI_ORIGINAL, 5000);
	assert_false(ipfi_ftp_in_order(&talk.ftp, IPFI_ORIGINAL, 5000));

	/* A side of which no SYN was seen starts with its first data. */
	ipfi_ftp_init(&talk.ftp);
	assert_true(ipfi_ftp_in_order(&talk.ftp, IPFI_ORIGINAL, 77));
	assert_int_equal(ipfi_ftp_seen(&talk.ftp, IPFI_ORIGINAL, 0xfffffff0U, 9), 0);
	assert_int_equal(ipfi_ftp_feed(&talk.ftp, IPFI_ORIGINAL, 77, (const u8 *)"", 0, &found), 0);
	assert_int_equal(found.form, IPFI_FTP_NONE);
	feed(&talk, IPFI_ORIGINAL, CLIENT_ISN, "PORT 192,0,2,1,4,210\r\n", 22);
	expect(&talk, "PORT 192.0.2.1 1234 at 5+15;");
}

static void stops_behind_each(void **state)
{
	static const char text[] = "PORT 192,0,2,1,4,1\r\nPORT 192,0,2,1,4,2\r\nNOOP\r\n";
	struct ipfi_ftp_finding found;
	struct talk talk;

	(void)state;
	begin(&talk);
	assert_int_equal(ipfi_ftp_feed(&talk.ftp, IPFI_ORIGINAL, CLIENT_ISN, (const u8 *)text,
				       sizeof(text) - 1, &found),
			 20);
	assert_int_equal(found.port, 1025);
	begin(&talk);
	client(&talk, text);
	expect(&talk, "PORT 192.0.2.1 1025 at 5+13;PORT 192.0.2.1 1026 at 25+13;");
}

/* The longest line that counts, and one byte more. */
static void skips_long_lines(void **state)
{
	char line[IPFI_FTP_LINE + 8];
	const char tail[] = " 192,0,2,1,4,210";
	struct talk talk;
	u32 length, i;

	(void)state;
	for (length = IPFI_FTP_LINE - 1; length <= IPFI_FTP_LINE + 1; length++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, "227 ", 4);
		memcpy(line + length - strlen(tail), tail, strlen(tail));
		strcpy(line + length, "\n");
		begin(&talk);
		client(&talk, "PASV\r\nPASV\r\n");
		server(&talk, line);
		if (length <= IPFI_FTP_LINE)
			assert_non_null(strstr(talk.found, "PASV 192.0.2.1 1234 at "));
		else
			assert_string_equal(talk.found, "PASV ftp-syntax;");
		talk.found[0] = '\0';
		server(&talk, pasv);
		assert_non_null(strstr(talk.found, "PASV 192.0.2.1 1025 at "));
	}

	/* Longer than any segment, and still it begins and ends a reply of several lines. */
	begin(&talk);
	client(&talk, "PASV\r\n");
	server(&talk, "230-");
	for (i = 0; i < 10000; i++)
		server(&talk, "long, ");
	server(&talk, "\r\n227 (192,0,2,1,4,1)\r\n230 ");
	for (i = 0; i < 10000; i++)
		server(&talk, "long, ");
	expect(&talk, "");
	server(&talk, "\r\n227 (192,0,2,1,4,2)\r\n");
	assert_non_null(strstr(talk.found, "PASV 192.0.2.1 1026 at "));
}

/* --- refusals --- */

static void believes_only_some(void **state)
{
	const struct ipfi_addr addr4 = host(4, 1), other4 = host(4, 2), addr6 = host(6, 1),
			       other6 = host(6, 2);
	/* The same words as an IPv4 address. */
	const struct ipfi_addr alike = ip6(addr4.w[0], 0, 0, 0);
	struct ipfi_ftp_finding found = {
		.form = IPFI_FTP_PASV, .family = 4, .port = 1024, .addr = addr4
	};

	(void)state;
	assert_int_equal(ipfi_ftp_validate(&found, 4, &addr4, false), 0);
	assert_int_equal(ipfi_ftp_validate(&found, 4, &other4, false), IPFI_REASON_FTP_FOREIGN);
	assert_int_equal(ipfi_ftp_validate(&found, 4, &other4, true), 0);
	assert_int_equal(ipfi_ftp_validate(&found, 6, &alike, false), IPFI_REASON_FTP_FOREIGN);
	assert_int_equal(ipfi_ftp_validate(&found, 6, &alike, true), IPFI_REASON_FTP_FOREIGN);
	found.port = 1023;
	assert_int_equal(ipfi_ftp_validate(&found, 4, &addr4, false), IPFI_REASON_FTP_PORT);
	assert_int_equal(ipfi_ftp_validate(&found, 4, &other4, true), IPFI_REASON_FTP_PORT);
	assert_int_equal(ipfi_ftp_validate(&found, 4, &other4, false), IPFI_REASON_FTP_FOREIGN);

	found = (struct ipfi_ftp_finding){
		.form = IPFI_FTP_EPRT, .family = 6, .port = 65535, .addr = addr6
	};
	assert_int_equal(ipfi_ftp_validate(&found, 6, &addr6, false), 0);
	assert_int_equal(ipfi_ftp_validate(&found, 6, &other6, false), IPFI_REASON_FTP_FOREIGN);

	found = (struct ipfi_ftp_finding){ .form = IPFI_FTP_EPSV, .port = 1024 };
	assert_int_equal(ipfi_ftp_validate(&found, 6, &addr6, false), 0);
	assert_int_equal(ipfi_ftp_validate(&found, 4, &addr4, false), 0);
	found.port = 20;
	assert_int_equal(ipfi_ftp_validate(&found, 6, &addr6, true), IPFI_REASON_FTP_PORT);

	found = (struct ipfi_ftp_finding){ .form = IPFI_FTP_PASV,
					   .reason = IPFI_REASON_FTP_UNASKED };
	assert_int_equal(ipfi_ftp_validate(&found, 4, &addr4, true), IPFI_REASON_FTP_UNASKED);
}

/* --- what is held back --- */

static void holds_what_may_announce(void **state)
{
	static const struct {
		enum ipfi_direction from;
		const char *text, *pending;
	} cases[] = {
		{ IPFI_ORIGINAL, "", "" },
		{ IPFI_ORIGINAL, "PORT", "" },
		{ IPFI_ORIGINAL, "PORT ", "" },
		{ IPFI_ORIGINAL, "PORT 1", "1" },
		{ IPFI_ORIGINAL, "port  192,0,2,1,4,210\r", "192,0,2,1,4,210\r" },
		{ IPFI_ORIGINAL, "PORT 192,0,2,1,4,210\r\n", "" },
		{ IPFI_ORIGINAL, "PORT 192,0,2,1,4,210\r\nPORT 19", "19" },
		{ IPFI_ORIGINAL, "EPRT |1|192.0", "|1|192.0" },
		{ IPFI_ORIGINAL, "RETR 192,0,2,1", "" },
		{ IPFI_ORIGINAL, "PASV ", "" },
		{ IPFI_REPLY, "227", "" },
		{ IPFI_REPLY, "227 ", "" },
		{ IPFI_REPLY, "227 Entering (", "" },
		{ IPFI_REPLY, "227 Entering (192", "192" },
		{ IPFI_REPLY, "227 Entering (192,0,2,1,4,210).\r", "192,0,2,1,4,210).\r" },
		{ IPFI_REPLY, "227 1 2 3,4 ", "" },
		{ IPFI_REPLY, "227 1 2 3,4", "3,4" },
		{ IPFI_REPLY, "227 192,0,2,1,4,210,7 ", "" },
		{ IPFI_REPLY, "227-192,0", "" },
		{ IPFI_REPLY, "227-a\r\n227 192,0", "192,0" },
		{ IPFI_REPLY, "226-a\r\n227 192,0", "" },
		{ IPFI_REPLY, "226 192,0", "" },
		{ IPFI_REPLY, "229 Entering ", "" },
		{ IPFI_REPLY, "229 Entering (", "(" },
		{ IPFI_REPLY, "229 Entering (|", "|" },
		{ IPFI_REPLY, "229 Entering (||", "||" },
		{ IPFI_REPLY, "229 Entering (|||", "|||" },
		{ IPFI_REPLY, "229 Entering (|||1025", "|||1025" },
		{ IPFI_REPLY, "229 Entering (|||1025|", "|||1025|" },
		{ IPFI_REPLY, "229 Entering (|||1025|)\r", "|||1025|)\r" },
		{ IPFI_REPLY, "229 Entering (|||1025|)\r\n", "" },
		{ IPFI_REPLY, "229 Entering 1025", "" },
	};
	struct talk talk;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		begin(&talk);
		client(&talk, "EPSV\r\nPASV\r\n");
		say(&talk, cases[i].from, cases[i].text);
		expect_pending(&talk, cases[i].from, cases[i].pending);
		/* Who was not asked will not be believed. */
		begin(&talk);
		say(&talk, cases[i].from, cases[i].text);
		expect_pending(&talk, cases[i].from,
			       cases[i].from == IPFI_ORIGINAL ? cases[i].pending : "");
	}
}

/* Of which too much would have to be held, that line announces nothing; the next one does. */
static void gives_a_line_up(void **state)
{
	char trail[IPFI_FTP_HELD + 1];
	struct talk talk;

	(void)state;
	begin(&talk);
	client(&talk, "PASV\r\nPASV\r\n");
	memset(trail, '.', sizeof(trail));
	trail[IPFI_FTP_HELD - 13] = '\0';
	server(&talk, "227 (192,0,2,1,4,1");
	server(&talk, trail);
	assert_non_null(ipfi_ftp_pending(&talk.ftp, IPFI_REPLY, &(u32){ 0 }, &(u32){ 0 }));
	server(&talk, ".");
	expect_pending(&talk, IPFI_REPLY, "");
	server(&talk, "\r\n");
	expect(&talk, "PASV ftp-syntax;");
	server(&talk, pasv);
	expect(&talk, "PASV 192.0.2.1 1025 at 77+13;");
}

/* What the receiver has and nobody saw here: reading goes on behind it, with the next line. */
static void goes_on_behind_what_went_another_way(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk);
	client(&talk, "PASV\r\n");
	server(&talk, "220-hello\r\n227 (192,0");
	/* It has what was read, and less: nothing is missing. */
	ipfi_ftp_acknowledged(&talk.ftp, IPFI_REPLY, talk.next[IPFI_REPLY]);
	ipfi_ftp_acknowledged(&talk.ftp, IPFI_REPLY, talk.next[IPFI_REPLY] - 5);
	expect_pending(&talk, IPFI_REPLY, "");
	assert_false(ipfi_ftp_in_order(&talk.ftp, IPFI_REPLY, talk.next[IPFI_REPLY] + 7));
	ipfi_ftp_acknowledged(&talk.ftp, IPFI_REPLY, talk.next[IPFI_REPLY] + 7);
	talk.next[IPFI_REPLY] += 7;
	assert_true(ipfi_ftp_in_order(&talk.ftp, IPFI_REPLY, talk.next[IPFI_REPLY]));
	server(&talk, "227 (192,0,2,1,4,1)");
	expect_pending(&talk, IPFI_REPLY, "");
	server(&talk, "\r\n");
	expect(&talk, "");
	server(&talk, pasv);
	expect(&talk, "PASV 192.0.2.1 1025 at 54+13;");
	/* The same of a client, at the end of a line. */
	ipfi_ftp_acknowledged(&talk.ftp, IPFI_ORIGINAL, talk.next[IPFI_ORIGINAL] + 9);
	talk.next[IPFI_ORIGINAL] += 9;
	client(&talk, "PORT 192,0,2,9,4,1\r\nPORT 192,0,2,9,4,2\r\n");
	expect(&talk, "PORT 192.0.2.9 1026 at 40+13;");
}

/* A line that went out while nobody cared for it. */
static void skips_a_line_that_has_begun(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk);
	ipfi_ftp_skip_line(&talk.ftp, IPFI_ORIGINAL);
	client(&talk, "PORT 192,0,2,9,4,1\r\nPORT 192,0,");
	expect(&talk, "PORT 192.0.2.9 1025 at 5+13;");
	expect_pending(&talk, IPFI_ORIGINAL, "192,0,");
	ipfi_ftp_skip_line(&talk.ftp, IPFI_ORIGINAL);
	expect_pending(&talk, IPFI_ORIGINAL, "");
	client(&talk, "2,9,4,1\r\nPORT 192,0,2,9,4,2\r\n");
	expect(&talk, "PORT 192.0.2.9 1026 at 45+13;");
}

/* A server's address that clients ignore: only where it answers PASV, with a port that may be announced. */
static void knows_the_servers_own_end(void **state)
{
	static const struct {
		struct ipfi_ftp_finding found;
		u8 family;
		bool own;
	} cases[] = {
		{ { .form = IPFI_FTP_PASV, .family = 4, .port = 1024 }, 4, true },
		{ { .form = IPFI_FTP_PASV, .family = 4, .port = 65535 }, 4, true },
		{ { .form = IPFI_FTP_PASV, .family = 4, .port = 1023 }, 4, false },
		{ { .form = IPFI_FTP_PASV, .family = 4, .port = 1024 }, 6, false },
		{ { .form = IPFI_FTP_PASV, .reason = IPFI_REASON_FTP_UNASKED }, 4, false },
		{ { .form = IPFI_FTP_PASV, .reason = IPFI_REASON_FTP_SYNTAX }, 4, false },
		{ { .form = IPFI_FTP_PORT, .family = 4, .port = 1024 }, 4, false },
		{ { .form = IPFI_FTP_EPRT, .family = 4, .port = 1024 }, 4, false },
		{ { .form = IPFI_FTP_EPSV, .family = 0, .port = 1024 }, 4, false },
	};
	struct ipfi_ftp_finding own;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(ipfi_ftp_own_end(&cases[i].found, cases[i].family, &own), cases[i].own);
		if (cases[i].own) {
			assert_int_equal(own.family, 0);
			assert_int_equal(own.port, cases[i].found.port);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_behind_what_went_another_way),
		cmocka_unit_test(skips_a_line_that_has_begun),
		cmocka_unit_test(knows_the_servers_own_end),
		cmocka_unit_test(answers_need_a_question),
		cmocka_unit_test(a_question_comes_before),
		cmocka_unit_test(a_question_has_one_answer),
		cmocka_unit_test(a_refusal_is_an_answer),
		cmocka_unit_test(cuts_do_not_matter),
		cmocka_unit_test(what_was_read_is_passed_over),
		cmocka_unit_test(knows_what_is_in_order),
		cmocka_unit_test(stops_behind_each),
		cmocka_unit_test(skips_long_lines),
		cmocka_unit_test(believes_only_some),
		cmocka_unit_test(holds_what_may_announce),
		cmocka_unit_test(gives_a_line_up),
	};

	return cmocka_run_group_tests_name("ftp", tests, NULL, NULL);
}
