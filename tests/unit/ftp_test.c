// SPDX-License-Identifier: GPL-2.0-or-later
/* What FTP's control connections announce: texts, lines, questions and answers, streams. */
#include "core/ftp.h"
#include "core/ftp_text.h"
#include "support.h"

#define CLIENT_ISN 1000
#define SERVER_ISN 0xfffffff0U /* its numbers pass zero */

/* A control connection, and what was found on it so far. */
struct talk {
	struct ipfi_ftp ftp;
	u32 next[2];
	char found[512];
};

static void begin(struct talk *talk)
{
	memset(talk, 0, sizeof(*talk));
	ipfi_ftp_init(&talk->ftp);
	talk->next[IPFI_ORIGINAL] = CLIENT_ISN;
	talk->next[IPFI_REPLY] = SERVER_ISN;
	ipfi_ftp_start(&talk->ftp, IPFI_ORIGINAL, CLIENT_ISN);
	ipfi_ftp_start(&talk->ftp, IPFI_REPLY, SERVER_ISN);
}

static const char *reason_name(u8 reason)
{
	static const char *const names[] = {
#define X(id, name, accepted, help) [IPFI_REASON_##id] = name,
		IPFI_REASONS(X)
#undef X
	};

	return names[reason];
}

/* "PASV 192.0.2.1 1024 at 4+15;": how a finding is told here. */
static void tell(char *text, size_t size, const struct ipfi_ftp_finding *found, u32 isn)
{
	static const char *const forms[] = { "-", "PORT", "EPRT", "PASV", "EPSV" };
	const u32 *w = found->addr.w;
	size_t used = strlen(text);

	if (found->reason)
		snprintf(text + used, size - used, "%s %s;", forms[found->form],
			 reason_name(found->reason));
	else if (found->family == 4)
		snprintf(text + used, size - used, "%s %u.%u.%u.%u %u at %u+%u;",
			 forms[found->form], w[0] >> 24, w[0] >> 16 & 255, w[0] >> 8 & 255,
			 w[0] & 255, found->port, found->seq - isn, found->length);
	else if (found->family == 6)
		snprintf(text + used, size - used, "%s %x.%x.%x.%x %u at %u+%u;",
			 forms[found->form], w[0], w[1], w[2], w[3], found->port, found->seq - isn,
			 found->length);
	else
		snprintf(text + used, size - used, "%s %u at %u+%u;", forms[found->form],
			 found->port, found->seq - isn, found->length);
}

/* Feeds one segment from memory of its own length, for the address sanitizer to watch. */
static void feed(struct talk *talk, enum ipfi_direction from, u32 seq, const char *bytes,
		 u32 length)
{
	u32 isn = from == IPFI_ORIGINAL ? CLIENT_ISN : SERVER_ISN;
	struct ipfi_ftp_finding found;
	u32 at, eaten;
	u8 *copy;

	assert_true(ipfi_ftp_in_order(&talk->ftp, from, seq));
	for (at = 0; at < length; at += eaten) {
		copy = malloc(length - at);
		assert_non_null(copy);
		memcpy(copy, bytes + at, length - at);
		eaten = ipfi_ftp_feed(&talk->ftp, from, seq + at, copy, length - at, &found);
		free(copy);
		assert_in_range(eaten, 1, length - at);
		if (found.form == IPFI_FTP_NONE)
			assert_int_equal(at + eaten, length);
		else
			tell(talk->found, sizeof(talk->found), &found, isn);
	}
	if (seq + length - talk->next[from] < 0x80000000U)
		talk->next[from] = seq + length;
}

static void say(struct talk *talk, enum ipfi_direction from, const char *text)
{
	feed(talk, from, talk->next[from], text, (u32)strlen(text));
}

static void client(struct talk *talk, const char *text)
{
	say(talk, IPFI_ORIGINAL, text);
}

static void server(struct talk *talk, const char *text)
{
	say(talk, IPFI_REPLY, text);
}

/* What was found since the last time. */
static void expect(struct talk *talk, const char *found)
{
	assert_string_equal(talk->found, found);
	talk->found[0] = '\0';
}

/* What is held back of an unfinished line: as text, "" for nothing. */
static void expect_pending(struct talk *talk, enum ipfi_direction from, const char *text)
{
	u32 seq = 0, length = 0;
	const u8 *bytes = ipfi_ftp_pending(&talk->ftp, from, &seq, &length);

	if (!bytes) {
		assert_string_equal("", text);
		return;
	}
	assert_int_equal(length, strlen(text));
	assert_memory_equal(bytes, text, length);
	assert_int_equal(seq + length, talk->next[from]);
}

/* --- lines --- */

struct line_case {
	const char *line;
	const char *found;
};

static void reads_commands(void **state)
{
	static const struct line_case cases[] = {
		{ "PORT 192,0,2,1,4,1\r\n", "PORT 192.0.2.1 1025 at 5+13;" },
		{ "port 192,0,2,1,4,1\n", "PORT 192.0.2.1 1025 at 5+13;" },
		{ " \t PoRt \t 192,0,2,1,4,1 \t\r\n", "PORT 192.0.2.1 1025 at 10+13;" },
		{ "PORT 001,002,003,004,000,001\r\n", "PORT 1.2.3.4 1 at 5+23;" },
		{ "PORT 255,255,255,255,255,255\r\n", "PORT 255.255.255.255 65535 at 5+23;" },
		{ "PORT 0,0,0,0,0,1\r\n", "PORT 0.0.0.0 1 at 5+11;" },
		{ "PORT 256,0,2,1,4,1\r\n", "PORT ftp-syntax;" },
		{ "PORT 192,0,2,1,4,256\r\n", "PORT ftp-syntax;" },
		{ "PORT 192,0,2,1,0,0\r\n", "PORT ftp-syntax;" },
		{ "PORT 0192,0,2,1,4,1\r\n", "PORT ftp-syntax;" },
		{ "PORT 192,0,2,1,4\r\n", "PORT ftp-syntax;" },
		{ "PORT 192,0,2,1,4,\r\n", "PORT ftp-syntax;" },
		{ "PORT 192,0,2,1,4,1,\r\n", "PORT ftp-syntax;" },
		{ "PORT 192,0,2,1,4,1,7\r\n", "PORT ftp-syntax;" },
		{ "PORT ,192,0,2,1,4,1\r\n", "PORT ftp-syntax;" },
		{ "PORT 192,0,,2,1,4\r\n", "PORT ftp-syntax;" },
		{ "PORT (192,0,2,1,4,1)\r\n", "PORT ftp-syntax;" },
		{ "PORT 192,0,2,1,4,1 x\r\n", "PORT ftp-syntax;" },
		{ "PORT 192, 0,2,1,4,1\r\n", "PORT ftp-syntax;" },
		{ "PORT -1,0,2,1,4,1\r\n", "PORT ftp-syntax;" },
		{ "PORT 192,0,2,1,4,1\r\r\n", "PORT ftp-syntax;" },
		{ "PORT\r\n", "PORT ftp-syntax;" },
		{ "PORT \r\n", "PORT ftp-syntax;" },
		{ "PORTS 192,0,2,1,4,1\r\n", "" },
		{ "XPORT 192,0,2,1,4,1\r\n", "" },
		{ "POR\r\n", "" },
		{ "PORT,192,0,2,1,4,1\r\n", "" },
		{ "STOR PORT 192,0,2,1,4,1\r\n", "" },
		{ "\r\n", "" },
		{ "\n", "" },
		{ "RETR 227 (192,0,2,1,4,1)\r\n", "" },

		{ "EPRT |1|192.0.2.1|1025|\r\n", "EPRT 192.0.2.1 1025 at 5+18;" },
		{ "eprt !1!192.0.2.1!65535!\r\n", "EPRT 192.0.2.1 65535 at 5+19;" },
		{ "EPRT a1a192.0.2.1a1025a\r\n", "EPRT 192.0.2.1 1025 at 5+18;" },
		{ "EPRT |2|2001:db8::1|1025|\r\n", "EPRT 20010db8.0.0.1 1025 at 5+20;" },
		{ "EPRT |2|::|1025|\r\n", "EPRT 0.0.0.0 1025 at 5+11;" },
		{ "EPRT |2|1::|1025|\r\n", "EPRT 10000.0.0.0 1025 at 5+12;" },
		{ "EPRT |2|1:2:3:4:5:6:7:8|1|\r\n", "EPRT 10002.30004.50006.70008 1 at 5+21;" },
		{ "EPRT |2|1:2:3:4:5:6:7::|1|\r\n", "EPRT 10002.30004.50006.70000 1 at 5+21;" },
		{ "EPRT |2|::2:3:4:5:6:7:8|1|\r\n", "EPRT 2.30004.50006.70008 1 at 5+21;" },
		{ "EPRT |2|ABCD:ef01::fFfF:192.0.2.1|1|\r\n",
		  "EPRT abcdef01.0.ffff.c0000201 1 at 5+31;" },
		{ "EPRT |2|1:2:3:4:5:6:192.0.2.1|1|\r\n",
		  "EPRT 10002.30004.50006.c0000201 1 at 5+27;" },
		{ "EPRT |1|2001:db8::1|1025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|192.0.2.1|1025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |3|192.0.2.1|1025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT ||192.0.2.1|1025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1|0|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1|65536|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1|001025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1||\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1|1025\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1|1025!\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1|1025|x\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1|1025||\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.256|1025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.01|1025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2|1025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1.1|1025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1||1025|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1|192.0.2.1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |1\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |\r\n", "EPRT ftp-syntax;" },
		{ "EPRT\r\n", "EPRT ftp-syntax;" },
		{ "EPRT 111192.0.2.1110251\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2||1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|:|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|:::|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|1:|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|:1|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|1::2::3|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|12345::|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|g::|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|1:2:3:4:5:6:7|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|1:2:3:4:5:6:7:8:9|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|1:2:3:4::5:6:7:8|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|1:2:3:4:5:6:7:192.0.2.1|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|::1.2.3|1|\r\n", "EPRT ftp-syntax;" },
		{ "EPRT |2|fe80::1%eth0|1|\r\n", "EPRT ftp-syntax;" },

		{ "227 (192,0,2,1,4,1)\r\n", "PASV ftp-unasked;" },
		{ "227\r\n", "PASV ftp-unasked;" },
		{ "229 (|||1025|)\r\n", "EPSV ftp-unasked;" },
		{ "2279 (192,0,2,1,4,1)\r\n", "" },

		/* IAC IP, IAC DM before ABOR; its IAC gone; an option's negotiation. */
		{ "\xff\xf4\xff\xf2PORT 192,0,2,1,4,1\r\n", "PORT 192.0.2.1 1025 at 9+13;" },
		{ "\xff\xf4\xf2 PORT 192,0,2,1,4,1\r\n", "PORT 192.0.2.1 1025 at 9+13;" },
		{ "\xff\xfd\x06 \xff\xf1PORT 192,0,2,1,4,1\r\n", "PORT 192.0.2.1 1025 at 11+13;" },
		{ "\xff\xffPORT 192,0,2,1,4,1\r\n", "" },
		{ "\xff\r\n", "" },
		{ "\xff\xfd\n", "" },
	};
	struct talk talk;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		begin(&talk);
		client(&talk, cases[i].line);
		if (strcmp(talk.found, cases[i].found))
			fail_msg("%s: '%s', not '%s'", cases[i].line, talk.found, cases[i].found);
	}
}

static void reads_answers(void **state)
{
	static const struct line_case cases[] = {
		{ "227 Entering Passive Mode (192,0,2,1,4,1).\r\n",
		  "PASV 192.0.2.1 1025 at 27+13;" },
		{ "227 Entering Passive Mode 192,0,2,1,4,1\r\n", "PASV 192.0.2.1 1025 at 26+13;" },
		{ "227 =192,0,2,1,4,1\n", "PASV 192.0.2.1 1025 at 5+13;" },
		{ "227 192,0,2,1,4,1\r\n", "PASV 192.0.2.1 1025 at 4+13;" },
		{ "227 1 of 2,000: 192,0,2,1,4,1 (5,6)\r\n", "PASV 192.0.2.1 1025 at 16+13;" },
		{ "227 192,0,2,1,4,1 or 192,0,2,2,4,2\r\n", "PASV 192.0.2.1 1025 at 4+13;" },
		{ "227 (192,0,2,1,4,256) (192,0,2,1,4,1)\r\n", "PASV ftp-syntax;" },
		{ "227 (192,0,2,1,0,0)\r\n", "PASV ftp-syntax;" },
		{ "227 (1192,0,2,1,4,1)\r\n", "PASV ftp-syntax;" },
		{ "227 (192,0,2,1,4)\r\n", "PASV ftp-syntax;" },
		{ "227 (192,0,2,1,4,1,1)\r\n", "PASV ftp-syntax;" },
		{ "227 (192, 0, 2, 1, 4, 1)\r\n", "PASV ftp-syntax;" },
		{ "227 soon\r\n", "PASV ftp-syntax;" },
		{ "227 \r\n", "PASV ftp-syntax;" },
		{ "227\r\n", "PASV ftp-syntax;" },
		{ "227", "" },
		{ "227-(192,0,2,1,4,1)\r\n", "" },
		{ "227-a\r\n227-(192,0,2,1,4,9)\r\n (192,0,2,1,4,9)\r\n227 (192,0,2,1,4,1)\r\n",
		  "PASV 192.0.2.1 1025 at 51+13;" },
		{ "211-a\r\n227 (192,0,2,1,4,1)\r\n211 b\r\n", "" },
		{ "211-a\r\n227 (192,0,2,1,4,1)\r\n211 b\r\n227 (192,0,2,1,4,2)\r\n",
		  "PASV 192.0.2.1 1026 at 40+13;" },
		{ "211-a\r\n211-b\r\n211\r\n227 (192,0,2,1,4,2)\r\n",
		  "PASV 192.0.2.1 1026 at 24+13;" },
		{ "227=(192,0,2,1,4,1)\r\n", "" },
		{ " 227 (192,0,2,1,4,1)\r\n", "" },
		{ "2270 (192,0,2,1,4,1)\r\n", "" },
		{ "226 (192,0,2,1,4,1)\r\n", "" },
		{ "228 (192,0,2,1,4,1)\r\n", "" },
		{ "200 227 (192,0,2,1,4,1)\r\n", "" },
		{ "27 (192,0,2,1,4,1)\r\n", "" },
		{ "PORT 192,0,2,1,4,1\r\n", "" },
		{ "EPRT |1|192.0.2.1|1025|\r\n", "" },
		{ "PASV\r\n227 (192,0,2,1,4,1)\r\n", "PASV 192.0.2.1 1025 at 11+13;" },
		{ "\xff\xfc\x06"
		  "227 (192,0,2,1,4,1)\r\n",
		  "PASV 192.0.2.1 1025 at 8+13;" },

		{ "229 Entering Extended Passive Mode (|||1025|)\r\n", "EPSV 1025 at 36+8;" },
		{ "229 |||1|\r\n", "EPSV 1 at 4+5;" },
		{ "229 ok (!!!65535!) - (|||4|)\r\n", "EPSV 65535 at 8+9;" },
		{ "229 ((((65535()\r\n", "EPSV 65535 at 5+9;" },
		{ "229 (|||0|)\r\n", "EPSV ftp-syntax;" },
		{ "229 (|||65536|)\r\n", "EPSV ftp-syntax;" },
		{ "229 (|||65536|) (|||1025|)\r\n", "EPSV ftp-syntax;" },
		{ "229 (|||102500|)\r\n", "EPSV ftp-syntax;" },
		{ "229 (||1025|)\r\n", "EPSV ftp-syntax;" },
		{ "229 (|||1025)\r\n", "EPSV ftp-syntax;" },
		{ "229 (|||1025\r\n", "EPSV ftp-syntax;" },
		{ "229 (|||\r\n", "EPSV ftp-syntax;" },
		{ "229 (||||)\r\n", "EPSV ftp-syntax;" },
		{ "229 (|1|192.0.2.1|1025|)\r\n", "EPSV ftp-syntax;" },
		{ "229 11110251\r\n", "EPSV ftp-syntax;" },
		{ "229 (   1025 )\r\n", "EPSV ftp-syntax;" },
		{ "229\r\n", "EPSV ftp-syntax;" },
		{ "229-(|||1025|)\r\n229 (|||1026|)\r\n", "EPSV 1026 at 21+8;" },
	};
	struct talk talk;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		begin(&talk);
		client(&talk, "PASV\r\nEPSV\r\n");
		server(&talk, cases[i].line);
		if (strcmp(talk.found, cases[i].found))
			fail_msg("%s: '%s', not '%s'", cases[i].line, talk.found, cases[i].found);
	}
}

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
	assert_int_equal(ipfi_ftp_refusal(&found, 4, &addr4, false), 0);
	assert_int_equal(ipfi_ftp_refusal(&found, 4, &other4, false), IPFI_REASON_FTP_FOREIGN);
	assert_int_equal(ipfi_ftp_refusal(&found, 4, &other4, true), 0);
	assert_int_equal(ipfi_ftp_refusal(&found, 6, &alike, false), IPFI_REASON_FTP_FOREIGN);
	assert_int_equal(ipfi_ftp_refusal(&found, 6, &alike, true), IPFI_REASON_FTP_FOREIGN);
	found.port = 1023;
	assert_int_equal(ipfi_ftp_refusal(&found, 4, &addr4, false), IPFI_REASON_FTP_PORT);
	assert_int_equal(ipfi_ftp_refusal(&found, 4, &other4, true), IPFI_REASON_FTP_PORT);
	assert_int_equal(ipfi_ftp_refusal(&found, 4, &other4, false), IPFI_REASON_FTP_FOREIGN);

	found = (struct ipfi_ftp_finding){
		.form = IPFI_FTP_EPRT, .family = 6, .port = 65535, .addr = addr6
	};
	assert_int_equal(ipfi_ftp_refusal(&found, 6, &addr6, false), 0);
	assert_int_equal(ipfi_ftp_refusal(&found, 6, &other6, false), IPFI_REASON_FTP_FOREIGN);

	found = (struct ipfi_ftp_finding){ .form = IPFI_FTP_EPSV, .port = 1024 };
	assert_int_equal(ipfi_ftp_refusal(&found, 6, &addr6, false), 0);
	assert_int_equal(ipfi_ftp_refusal(&found, 4, &addr4, false), 0);
	found.port = 20;
	assert_int_equal(ipfi_ftp_refusal(&found, 6, &addr6, true), IPFI_REASON_FTP_PORT);

	found = (struct ipfi_ftp_finding){ .form = IPFI_FTP_PASV,
					   .reason = IPFI_REASON_FTP_UNASKED };
	assert_int_equal(ipfi_ftp_refusal(&found, 4, &addr4, true), IPFI_REASON_FTP_UNASKED);
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

/* --- texts --- */

static void writes_texts(void **state)
{
	static const struct {
		enum ipfi_ftp_form form;
		u8 family;
		struct ipfi_addr addr;
		u16 port;
		const char *text;
	} cases[] = {
		{ IPFI_FTP_PORT, 4, { { 0xc0000201 } }, 1234, "192,0,2,1,4,210" },
		{ IPFI_FTP_PASV, 4, { { 0xffffffff } }, 65535, "255,255,255,255,255,255" },
		{ IPFI_FTP_PASV, 4, { { 0 } }, 1, "0,0,0,0,0,1" },
		{ IPFI_FTP_PORT, 6, { { 0x20010db8, 0, 0, 1 } }, 1234, "" },
		{ IPFI_FTP_PASV, 6, { { 0x20010db8, 0, 0, 1 } }, 1234, "" },
		{ IPFI_FTP_EPRT, 4, { { 0x0a640009 } }, 10000, "|1|10.100.0.9|10000|" },
		{ IPFI_FTP_EPRT, 6, { { 0x20010db8, 0, 0, 1 } }, 9999, "|2|2001:db8::1|9999|" },
		{ IPFI_FTP_EPRT, 6, { { 0, 0, 0, 0 } }, 1, "|2|::|1|" },
		{ IPFI_FTP_EPRT, 6, { { 0, 0, 0, 1 } }, 1, "|2|::1|1|" },
		{ IPFI_FTP_EPRT, 6, { { 0x10000, 0, 0, 0 } }, 1, "|2|1::|1|" },
		/* RFC 5952 sections 4.2.2 and 4.2.3: one group is not shortened, of two runs the
		 * longer is, of equal ones the first. */
		{ IPFI_FTP_EPRT,
		  6,
		  { { 0x20010db8, 0x00010001, 0x00010001, 0x00000001 } },
		  1,
		  "|2|2001:db8:1:1:1:1:0:1|1|" },
		{ IPFI_FTP_EPRT,
		  6,
		  { { 0x20010000, 0x00000001, 0x00000000, 0x00000001 } },
		  1,
		  "|2|2001:0:0:1::1|1|" },
		{ IPFI_FTP_EPRT,
		  6,
		  { { 0x20010db8, 0x00000000, 0x00010000, 0x00000001 } },
		  1,
		  "|2|2001:db8::1:0:0:1|1|" },
		{ IPFI_FTP_EPRT,
		  6,
		  { { 0xaaaabbbb, 0xccccdddd, 0xeeeeffff, 0x11112222 } },
		  65535,
		  "|2|aaaa:bbbb:cccc:dddd:eeee:ffff:1111:2222|65535|" },
		{ IPFI_FTP_EPSV, 0, { { 0 } }, 80, "|||80|" },
		{ IPFI_FTP_NONE, 4, { { 0 } }, 80, "" },
	};
	u8 text[IPFI_FTP_TEXT + 1];
	struct ipfi_ftp_end end;
	unsigned int length;
	size_t i;
	bool understood;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		length = ipfi_ftp_write(cases[i].form, cases[i].family, &cases[i].addr,
					cases[i].port, text);
		text[length] = '\0';
		assert_string_equal((char *)text, cases[i].text);
		if (!length)
			continue;
		understood = cases[i].form == IPFI_FTP_EPRT ? ipfi_ftp_read_eprt(text, length, &end)
			     : cases[i].form == IPFI_FTP_EPSV
				     ? ipfi_ftp_read_epsv(text, length, &end)
				     : ipfi_ftp_read_numbers(text, length, &end);
		assert_true(understood);
		assert_int_equal(end.port, cases[i].port);
		assert_int_equal(end.family, cases[i].family);
		assert_true(ipfi_addr_equal(&end.addr, &cases[i].addr));
	}
}

/* Whatever address, it is read as it was written. */
static void reads_what_it_writes(void **state)
{
	u32 random = 1, i, word;
	struct ipfi_ftp_end end;
	struct ipfi_addr addr;
	u8 text[IPFI_FTP_TEXT];
	unsigned int length;

	(void)state;
	for (i = 0; i < 100000; i++) {
		for (word = 0; word < 4; word++) {
			random = random * 1664525 + 1013904223; /* Numerical Recipes */
			addr.w[word] = random >> 16 & 1 ? random : 0;
			if (random >> 17 & 1)
				addr.w[word] &= 0xffff;
			if (random >> 18 & 1)
				addr.w[word] &= 0xffff0000;
		}
		length = ipfi_ftp_write(IPFI_FTP_EPRT, 6, &addr, (u16)(random >> 8 | 1), text);
		assert_in_range(length, 7, IPFI_FTP_TEXT - 1);
		assert_true(ipfi_ftp_read_eprt(text, length, &end));
		assert_true(ipfi_addr_equal(&end.addr, &addr));
		assert_int_equal(end.port, (u16)(random >> 8 | 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_commands),
		cmocka_unit_test(reads_answers),
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
		cmocka_unit_test(writes_texts),
		cmocka_unit_test(reads_what_it_writes),
	};

	return cmocka_run_group_tests_name("ftp", tests, NULL, NULL);
}
