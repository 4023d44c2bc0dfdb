/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A talk on a control connection for the unit tests: what is said, and what the parser makes of it. */
#ifndef IPFI_TESTS_FTP_TALK_H
#define IPFI_TESTS_FTP_TALK_H

#include "module/core/ftp.h"
#include "support.h"

#define CLIENT_ISN 1000
#define SERVER_ISN 0xfffffff0U /* its numbers pass zero */

/* A control connection, and what was found on it so far. */
struct talk {
	struct ipfi_ftp ftp;
	u32 next[2];
	char found[512];
};

static inline void begin(struct talk *talk)
{
	memset(talk, 0, sizeof(*talk));
	ipfi_ftp_init(&talk->ftp);
	talk->next[IPFI_ORIGINAL] = CLIENT_ISN;
	talk->next[IPFI_REPLY] = SERVER_ISN;
	ipfi_ftp_start(&talk->ftp, IPFI_ORIGINAL, CLIENT_ISN);
	ipfi_ftp_start(&talk->ftp, IPFI_REPLY, SERVER_ISN);
}

static inline const char *reason_name(u8 reason)
{
	static const char *const names[] = {
#define X(id, name, accepted, help) [IPFI_REASON_##id] = name,
		IPFI_REASONS(X)
#undef X
	};

	return names[reason];
}

/* "PASV 192.0.2.1 1024 at 4+15;": how a finding is told here. */
static inline void tell(char *text, size_t size, const struct ipfi_ftp_finding *found, u32 isn)
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
static inline void feed(struct talk *talk, enum ipfi_direction from, u32 seq, const char *bytes,
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

static inline void say(struct talk *talk, enum ipfi_direction from, const char *text)
{
	feed(talk, from, talk->next[from], text, (u32)strlen(text));
}

static inline void client(struct talk *talk, const char *text)
{
	say(talk, IPFI_ORIGINAL, text);
}

static inline void server(struct talk *talk, const char *text)
{
	say(talk, IPFI_REPLY, text);
}

/* What was found since the last time. */
static inline void expect(struct talk *talk, const char *found)
{
	assert_string_equal(talk->found, found);
	talk->found[0] = '\0';
}

/* What is held back of an unfinished line: as text, "" for nothing. */
static inline void expect_pending(struct talk *talk, enum ipfi_direction from, const char *text)
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

#endif /* IPFI_TESTS_FTP_TALK_H */
