// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/ftp.h"
#include "module/core/ftp_text.h"

/* ipfi_ftp_side.flags */
#define SIDE_STARTED (1 << 0)
#define SIDE_READ (1 << 1)   /* it has sent data */
#define LINE_SPOILT (1 << 2) /* its line will not be understood: too long, or given up */
#define OWES_PASV (1 << 3)   /* when the server's line began, it owed an answer to PASV ... */
#define OWES_EPSV (1 << 4)   /* ... or EPSV */
#define LINE_SKIPPED (1 << 5) /* a part of its line is missing: none of it counts */

#define COUNT_MOST 255

/* Telnet (RFC 854), of which RFC 959 section 4.1.3 has ABOR preceded by IAC IP, IAC DM. */
#define TELNET_DM 242
#define TELNET_WILL 251 /* WILL, WONT, DO, DONT have a byte of their own behind them */
#define TELNET_IAC 255
#define TELNET_LOWEST 240

/* Replies: RFC 959 section 4.2, RFC 2428 section 3. */
#define CODE_LENGTH 3
#define CODE_PASV 227
#define CODE_EPSV 229

/* A port that anybody may listen on (RFC 2577 section 3). */
#define FIRST_FREE_PORT 1024

/* A line, whole or as far as it has come, without its end. */
struct line {
	const u8 *text;
	u32 length;
	u32 seq;  /* of its first byte */
	u8 flags; /* of its side */
};

static bool is_blank(u8 c)
{
	return c == ' ' || c == '\t';
}

/* --- what a line says --- */

/*
 * Bytes of Telnet commands at the front of @line. A DM alone is what is left of one whose IAC was
 * urgent and was taken out of the stream.
 */
static u32 telnet(const struct line *line)
{
	const u8 *text = line->text;
	u32 at = 0;

	while (at < line->length) {
		if (text[at] == TELNET_DM)
			at++;
		else if (text[at] == TELNET_IAC && at + 1 < line->length &&
			 text[at + 1] >= TELNET_LOWEST && text[at + 1] != TELNET_IAC)
			at += text[at + 1] >= TELNET_WILL ? 3 : 2;
		else
			break;
	}
	return at < line->length ? at : line->length;
}

/* Where in a client's line the command begins; @line->length if there is none. */
static u32 command_start(const struct line *line)
{
	struct line rest;
	u32 at = 0, before;

	do {
		before = at;
		rest = (struct line){ .text = line->text + at, .length = line->length - at };
		at += telnet(&rest);
		while (at < line->length && is_blank(line->text[at]))
			at++;
	} while (at != before);
	return at;
}

/*
 * Is the word at @at of @line this command, in any case? If so *parameter is where its parameter
 * begins, which may be the end of the line.
 */
static bool is_command(const struct line *line, u32 at, const char *command, u32 *parameter)
{
	for (; *command; command++, at++)
		if (at == line->length || (line->text[at] & ~0x20) != *command)
			return false;
	if (at < line->length && !is_blank(line->text[at]))
		return false;
	while (at < line->length && is_blank(line->text[at]))
		at++;
	*parameter = at;
	return true;
}

/* The code of a reply's line, 0 if it has none. *at is the place behind it. */
static u16 reply_code(const struct line *line, u32 *at)
{
	u16 code = 0;
	u32 i;

	*at = telnet(line);
	if (line->length - *at < CODE_LENGTH)
		return 0;
	for (i = 0; i < CODE_LENGTH; i++) {
		if (line->text[*at + i] < '0' || line->text[*at + i] > '9')
			return 0;
		code = (u16)(code * 10 + line->text[*at + i] - '0');
	}
	*at += CODE_LENGTH;
	return code;
}

/* --- announcements --- */

static void refuse(struct ipfi_ftp_finding *found, enum ipfi_ftp_form form, u8 reason)
{
	found->form = (u8)form;
	found->reason = reason;
}

static void announce(struct ipfi_ftp_finding *found, enum ipfi_ftp_form form,
		     const struct line *line, u32 at, u32 length, const struct ipfi_ftp_end *end)
{
	found->form = (u8)form;
	found->family = end->family;
	found->port = end->port;
	found->addr = end->addr;
	found->seq = line->seq + at;
	found->length = (u16)length;
}

/* PORT and EPRT: the parameter and nothing else. */
static void read_port(enum ipfi_ftp_form form, const struct line *line, u32 at,
		      struct ipfi_ftp_finding *found)
{
	const u8 *text = line->text + at;
	u32 length = line->length - at;
	struct ipfi_ftp_end end;

	if (!(line->flags & LINE_SPOILT) &&
	    (form == IPFI_FTP_PORT ? ipfi_ftp_read_numbers(text, length, &end)
				   : ipfi_ftp_read_eprt(text, length, &end)))
		announce(found, form, line, at, length, &end);
	else
		refuse(found, form, IPFI_REASON_FTP_SYNTAX);
}

/*
 * An answer to PASV or EPSV, of which *asked have none yet: any text, and one address and port. A
 * line that began before the question is no answer to it.
 */
static void read_answer(enum ipfi_ftp_form form, u8 *asked, const struct line *line, u32 at,
			struct ipfi_ftp_finding *found)
{
	const u8 owes = form == IPFI_FTP_PASV ? OWES_PASV : OWES_EPSV;
	struct ipfi_ftp_place place;
	struct ipfi_ftp_end end;
	const u8 *text;
	bool understood;

	if (!(line->flags & owes)) {
		refuse(found, form, IPFI_REASON_FTP_UNASKED);
		return;
	}
	--*asked;
	understood =
		!(line->flags & LINE_SPOILT) &&
		(form == IPFI_FTP_PASV ? ipfi_ftp_find_numbers(line->text, at, line->length, &place)
				       : ipfi_ftp_find_epsv(line->text, at, line->length, &place));
	if (understood) {
		text = line->text + place.at;
		understood = form == IPFI_FTP_PASV ? ipfi_ftp_read_numbers(text, place.length, &end)
						   : ipfi_ftp_read_epsv(text, place.length, &end);
	}
	if (understood)
		announce(found, form, line, place.at, place.length, &end);
	else
		refuse(found, form, IPFI_REASON_FTP_SYNTAX);
}

/* --- commands --- */

static void ask(u8 *asked)
{
	if (*asked < COUNT_MOST)
		++*asked;
}

/* Does EPSV with this parameter ask for a port? ALL only tells (RFC 2428 section 4). */
static bool epsv_asks(const struct line *line, u32 at)
{
	return at == line->length ||
	       (at + 1 == line->length && (line->text[at] == '1' || line->text[at] == '2'));
}

/* A client that sends what only a server may say is after something. */
static bool imitates_reply(const struct line *line, enum ipfi_ftp_form *form)
{
	u32 at;
	u16 code = reply_code(line, &at);

	*form = code == CODE_PASV ? IPFI_FTP_PASV : IPFI_FTP_EPSV;
	return (code == CODE_PASV || code == CODE_EPSV) &&
	       (at == line->length || is_blank(line->text[at]));
}

static void read_command(struct ipfi_ftp *ftp, struct line *line, struct ipfi_ftp_finding *found)
{
	enum ipfi_ftp_form form;
	u32 start = command_start(line);
	u32 parameter;

	while (line->length > start && is_blank(line->text[line->length - 1]))
		line->length--;
	if (start == line->length)
		return;
	ask(&ftp->commands);
	if (is_command(line, start, "PORT", &parameter))
		read_port(IPFI_FTP_PORT, line, parameter, found);
	else if (is_command(line, start, "EPRT", &parameter))
		read_port(IPFI_FTP_EPRT, line, parameter, found);
	else if (is_command(line, start, "PASV", &parameter))
		ask(&ftp->pasv);
	else if (is_command(line, start, "EPSV", &parameter) && epsv_asks(line, parameter))
		ask(&ftp->epsv);
	else if (imitates_reply(line, &form))
		refuse(found, form, IPFI_REASON_FTP_UNASKED);
}

/* --- replies --- */

/*
 * The code of the reply that @line ends, with *at the place behind it; 0 if it ends none: text in
 * the middle of a reply of several lines, or no reply. *multiline, the code of such a reply that
 * has begun, follows.
 */
static u16 final_code(const struct line *line, u16 *multiline, u32 *at)
{
	u16 code = reply_code(line, at);
	bool final = code && (*at == line->length || line->text[*at] == ' ');

	if (*multiline) {
		if (!final || code != *multiline)
			return 0;
		*multiline = 0;
		return code;
	}
	if (code && !final && line->text[*at] == '-')
		*multiline = code;
	return final ? code : 0;
}

static void read_reply(struct ipfi_ftp *ftp, const struct line *line,
		       struct ipfi_ftp_finding *found)
{
	u32 at;
	u16 code = final_code(line, &ftp->multiline, &at);

	if (code < 200)
		return; /* no reply, or one that promises another */
	if (code == CODE_PASV)
		read_answer(IPFI_FTP_PASV, &ftp->pasv, line, at, found);
	else if (code == CODE_EPSV)
		read_answer(IPFI_FTP_EPSV, &ftp->epsv, line, at, found);
	else if (code >= 400 && ftp->commands == 1)
		ftp->pasv = ftp->epsv = 0; /* if that was the question, it has been answered */
	if (ftp->commands)
		ftp->commands--;
}

/* --- streams --- */

void ipfi_ftp_init(struct ipfi_ftp *ftp)
{
	memset(ftp, 0, sizeof(*ftp));
}

void ipfi_ftp_start(struct ipfi_ftp *ftp, enum ipfi_direction from, u32 seq)
{
	struct ipfi_ftp_side *side = &ftp->sides[from];

	if (side->flags & SIDE_READ)
		return;
	side->next = seq;
	side->flags |= SIDE_STARTED;
}

bool ipfi_ftp_in_order(const struct ipfi_ftp *ftp, enum ipfi_direction from, u32 seq)
{
	const struct ipfi_ftp_side *side = &ftp->sides[from];

	return !(side->flags & SIDE_STARTED) || (s32)(side->next - seq) >= 0;
}

u32 ipfi_ftp_seen(const struct ipfi_ftp *ftp, enum ipfi_direction from, u32 seq, u32 length)
{
	const struct ipfi_ftp_side *side = &ftp->sides[from];
	u32 seen = side->next - seq;

	if (!(side->flags & SIDE_STARTED) || (s32)seen < 0)
		return 0;
	return seen < length ? seen : length;
}

/* The line of @side, of which next is the end. */
static struct line side_line(const struct ipfi_ftp_side *side)
{
	return (struct line){
		.text = side->line,
		.length = side->length,
		.seq = side->next - side->length,
		.flags = side->flags,
	};
}

static void end_line(struct ipfi_ftp *ftp, enum ipfi_direction from, struct ipfi_ftp_finding *found)
{
	struct ipfi_ftp_side *side = &ftp->sides[from];
	struct line line = side_line(side);

	if (line.length && line.text[line.length - 1] == '\r')
		line.length--;
	if (!(side->flags & LINE_SKIPPED)) {
		if (from == IPFI_ORIGINAL)
			read_command(ftp, &line, found);
		else
			read_reply(ftp, &line, found);
	}
	side->length = 0;
	side->flags &= SIDE_STARTED | SIDE_READ;
}

/* Takes note of what is owed; a client's line does not care. */
static void begin_line(struct ipfi_ftp *ftp, struct ipfi_ftp_side *side)
{
	side->flags |= (ftp->pasv ? OWES_PASV : 0) | (ftp->epsv ? OWES_EPSV : 0);
}

u32 ipfi_ftp_feed(struct ipfi_ftp *ftp, enum ipfi_direction from, u32 seq, const u8 *data,
		  u32 length, struct ipfi_ftp_finding *found)
{
	struct ipfi_ftp_side *side = &ftp->sides[from];
	u32 at;

	memset(found, 0, sizeof(*found));
	if (!length)
		return 0;
	if (!(side->flags & SIDE_STARTED))
		ipfi_ftp_start(ftp, from, seq);
	at = side->next - seq;
	if (at >= length)
		return length;
	side->flags |= SIDE_READ;
	while (at < length) {
		if (!side->length)
			begin_line(ftp, side);
		if (data[at] == '\n')
			end_line(ftp, from, found);
		else if (side->length < IPFI_FTP_LINE)
			side->line[side->length++] = data[at];
		else
			side->flags |= LINE_SPOILT;
		side->next++;
		at++;
		if (found->form != IPFI_FTP_NONE)
			break;
	}
	return at;
}

void ipfi_ftp_skip_line(struct ipfi_ftp *ftp, enum ipfi_direction from)
{
	struct ipfi_ftp_side *side = &ftp->sides[from];

	if (side->length || side->flags & LINE_SPOILT)
		side->flags |= LINE_SKIPPED;
}

void ipfi_ftp_acknowledged(struct ipfi_ftp *ftp, enum ipfi_direction from, u32 ack)
{
	struct ipfi_ftp_side *side = &ftp->sides[from];

	if (!(side->flags & SIDE_STARTED) || (s32)(ack - side->next) <= 0)
		return;
	side->next = ack;
	side->length = 0;
	side->flags |= LINE_SKIPPED;
	/* Its last line may be among what is missing, and replies to commands are. */
	if (from == IPFI_REPLY) {
		ftp->multiline = 0;
		ftp->commands = 0;
	}
}

bool ipfi_ftp_own_end(const struct ipfi_ftp_finding *found, u8 family, struct ipfi_ftp_finding *own)
{
	if (found->reason || found->form != IPFI_FTP_PASV || found->family != family ||
	    found->port < FIRST_FREE_PORT)
		return false;
	*own = *found;
	own->family = 0;
	return true;
}

u8 ipfi_ftp_validate(const struct ipfi_ftp_finding *found, u8 family, const struct ipfi_addr *sender,
		    bool foreign)
{
	if (found->reason)
		return found->reason;
	if (found->family && found->family != family)
		return IPFI_REASON_FTP_FOREIGN;
	if (found->family && !foreign && !ipfi_addr_equal(&found->addr, sender))
		return IPFI_REASON_FTP_FOREIGN;
	if (found->port < FIRST_FREE_PORT)
		return IPFI_REASON_FTP_PORT;
	return 0;
}

/* Where in an unfinished line of the client something begins that an end of line could make count.
 */
static bool pending_command(const struct line *line, u32 *at)
{
	u32 start = command_start(line);

	return (is_command(line, start, "PORT", at) || is_command(line, start, "EPRT", at)) &&
	       *at < line->length;
}

static bool pending_reply(const struct ipfi_ftp *ftp, const struct line *line, u32 *at)
{
	u16 multiline = ftp->multiline;
	struct ipfi_ftp_place place;
	bool found = false;
	u16 code = final_code(line, &multiline, at);

	if (code == CODE_PASV && (line->flags & OWES_PASV))
		found = ipfi_ftp_find_numbers(line->text, *at, line->length, &place);
	else if (code == CODE_EPSV && (line->flags & OWES_EPSV))
		found = ipfi_ftp_find_epsv(line->text, *at, line->length, &place);
	if (found)
		*at = place.at;
	return found;
}

const u8 *ipfi_ftp_pending(struct ipfi_ftp *ftp, enum ipfi_direction from, u32 *seq, u32 *length)
{
	struct ipfi_ftp_side *side = &ftp->sides[from];
	struct line line = side_line(side);
	u32 at;

	if ((line.flags & (LINE_SPOILT | LINE_SKIPPED)) ||
	    !(from == IPFI_ORIGINAL ? pending_command(&line, &at) : pending_reply(ftp, &line, &at)))
		return NULL;
	if (line.length - at > IPFI_FTP_HELD) {
		side->flags |= LINE_SPOILT;
		return NULL;
	}
	*seq = line.seq + at;
	*length = line.length - at;
	return line.text + at;
}
