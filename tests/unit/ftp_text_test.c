// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines by which FTP announces a data connection, and the texts in them. */
#include "module/core/ftp_text.h"
#include "ftp_talk.h"

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
		cmocka_unit_test(writes_texts),
		cmocka_unit_test(reads_what_it_writes),
	};

	return cmocka_run_group_tests_name("ftp_text", tests, NULL, NULL);
}
