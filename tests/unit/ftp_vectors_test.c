// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plays the FTP conversations of tests/vectors to the core: what is found in them, and what leaves
 * where an end is translated. Each case is a test; a failure names the file, the line, what was
 * owed and what came. The format is described in tests/vectors/README.md.
 */
#include <arpa/inet.h>

#include "vector_file.h"
#include "module/core/ftp.h"
#include "module/core/sequence.h"

#define PATTERN "tests/vectors/*.ftp"
#define CASES_MAX 256
#define SEGMENTS_MAX 2048
#define TEXT_MAX 300

/* Each stream begins here; one passes zero soon. */
static const u32 isn[] = { [IPFI_ORIGINAL] = 0xffffffc0U, [IPFI_REPLY] = 7000 };

struct payload {
	s32 seq, ack; /* from the first byte of either stream */
	u8 bytes[TEXT_MAX];
	u32 length;
	bool fin;
	s32 left, right; /* a SACK block; equal without */
};

struct segment {
	const char *file;
	unsigned int line;
	enum ipfi_direction from;
	struct payload sent;
	char owed[LINE_LENGTH];
};

struct conversation {
	char name[LINE_LENGTH + 64];
	const char *file;
	bool prelude;
	bool foreign;
	u8 family;
	struct ipfi_addr outer[2]; /* what the other side knows an end by */
	bool translated[2];
	const struct conversation *after;
	unsigned int first, count; /* in segments[] */
};

static struct segment segments[SEGMENTS_MAX];
static unsigned int segment_count;
static struct conversation conversations[CASES_MAX];
static unsigned int conversation_count;

static const char *const reasons[] = {
#define X(id, name, accepted, help) [IPFI_REASON_##id] = name,
	IPFI_REASONS(X)
#undef X
};

/* Who the client and the server are, whatever they are known by. */
static struct ipfi_addr own_address(u8 family, enum ipfi_direction from)
{
	if (family == 4)
		return from == IPFI_ORIGINAL ? ip4(10, 9, 0, 1) : ip4(10, 8, 0, 1);
	return ip6(from == IPFI_ORIGINAL ? 0xfd000009 : 0xfd000008, 0, 0, 1);
}

/* --- reading --- */

static struct conversation *current(void)
{
	if (!conversation_count)
		malformed("nothing may stand before the first case");
	return &conversations[conversation_count - 1];
}

static s32 position(char **line)
{
	char *end;
	long value = strtol(*line, &end, 10);

	if (end == *line)
		malformed("no number at '%s'", *line);
	*line = end + strspn(end, " ");
	return (s32)value;
}

/* A text in quotes, with C's \r, \n, \", \\ and \xHH. */
static void quoted(char **line, struct payload *payload)
{
	char *c = *line;
	unsigned int byte;

	if (*c++ != '"')
		malformed("no text at '%s'", *line);
	for (; *c != '"'; c++) {
		byte = (u8)*c;
		if (!byte || payload->length == TEXT_MAX)
			malformed("no end of the text, or more than %d bytes", TEXT_MAX);
		if (byte == '\\') {
			c++;
			if (*c == 'x' && sscanf(c + 1, "%2x", &byte) == 1)
				c += 2;
			else if (*c && strchr("rn\"\\", *c))
				byte = *c == 'r' ? '\r' : *c == 'n' ? '\n' : (u8)*c;
			else
				malformed("no escape '\\%c'", *c);
		}
		payload->bytes[payload->length++] = (u8)byte;
	}
	*line = c + 1;
}

static void read_segment(char *line)
{
	struct segment *segment = &segments[segment_count++];
	char *answer, *word, *save;

	if (segment_count == SEGMENTS_MAX)
		malformed("more than %d segments", SEGMENTS_MAX);
	current()->count++;
	segment->file = reading_file;
	segment->line = reading_line;
	segment->from = *line == '>' ? IPFI_ORIGINAL : IPFI_REPLY;
	line += 2 + strspn(line + 2, " ");
	segment->sent.seq = position(&line);
	segment->sent.ack = position(&line);
	quoted(&line, &segment->sent);
	answer = strstr(line, "->");
	if (!answer)
		malformed("no answer");
	*answer = '\0';
	answer += 2 + strspn(answer + 2, " ");
	for (word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, "fin"))
			segment->sent.fin = true;
		else if (sscanf(word, "sack=%d-%d", &segment->sent.left, &segment->sent.right) != 2)
			malformed("no option '%s'", word);
	}
	snprintf(segment->owed, sizeof(segment->owed), "%s", answer);
}

static void begin_conversation(const char *name, bool prelude)
{
	struct conversation *conversation;
	const char *base = strrchr(reading_file, '/') + 1;

	if (conversation_count == CASES_MAX)
		malformed("more than %d cases", CASES_MAX);
	conversation = &conversations[conversation_count++];
	snprintf(conversation->name, sizeof(conversation->name), "%.*s: %s",
		 (int)strcspn(base, "."), base, name);
	conversation->file = reading_file;
	conversation->prelude = prelude;
	conversation->family = 4;
	conversation->first = segment_count;
}

static void find_prelude(const char *name)
{
	struct conversation *conversation = current();
	unsigned int i;

	for (i = 0; i < conversation_count; i++)
		if (conversations[i].prelude && conversations[i].file == reading_file &&
		    !strcmp(strstr(conversations[i].name, ": ") + 2, name))
			conversation->after = &conversations[i];
	if (!conversation->after || conversation->count)
		malformed("no prelude '%s', or not first in its case", name);
}

static void read_outer(enum ipfi_direction from, const char *text)
{
	struct conversation *conversation = current();
	u8 bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		conversation->outer[from] = ip4(bytes[0], bytes[1], bytes[2], bytes[3]);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		conversation->outer[from] = ip6(ipfi_get32(bytes), ipfi_get32(bytes + 4),
						ipfi_get32(bytes + 8), ipfi_get32(bytes + 12));
	else
		malformed("'%s' is no address", text);
	conversation->translated[from] = true;
}

static void read_line(char *line)
{
	if (!strncmp(line, "> ", 2) || !strncmp(line, "< ", 2))
		read_segment(line);
	else if (!strncmp(line, "case ", 5))
		begin_conversation(line + 5, false);
	else if (!strncmp(line, "prelude ", 8))
		begin_conversation(line + 8, true);
	else if (!strncmp(line, "after ", 6))
		find_prelude(line + 6);
	else if (!strncmp(line, "family ", 7))
		current()->family = (u8)number(line + 7, 6);
	else if (!strncmp(line, "client ", 7))
		read_outer(IPFI_ORIGINAL, line + 7);
	else if (!strncmp(line, "server ", 7))
		read_outer(IPFI_REPLY, line + 7);
	else if (!strcmp(line, "foreign"))
		current()->foreign = true;
	else
		malformed("'%s' is not understood", line);
}

/* --- playing --- */

struct player {
	const struct conversation *conversation;
	struct ipfi_ftp ftp;
	struct ipfi_seqadj sequences[2];
	char came[LINE_LENGTH];
};

static void __attribute__((format(printf, 2, 3)))
say(struct player *player, const char *format, ...)
{
	size_t used = strlen(player->came);
	va_list args;

	va_start(args, format);
	vsnprintf(player->came + used, sizeof(player->came) - used, format, args);
	va_end(args);
}

static void say_payload(struct player *player, const struct payload *payload)
{
	u32 i;

	say(player, "%d %d \"", payload->seq, payload->ack);
	for (i = 0; i < payload->length; i++)
		switch (payload->bytes[i]) {
		case '\r':
			say(player, "\\r");
			break;
		case '\n':
			say(player, "\\n");
			break;
		default:
			say(player, isprint(payload->bytes[i]) ? "%c" : "\\x%02x",
			    payload->bytes[i]);
		}
	say(player, "\"%s", payload->fin ? " fin" : "");
	if (payload->left != payload->right)
		say(player, " sack=%d-%d", payload->left, payload->right);
}

static bool is_translated(const struct conversation *conversation)
{
	return conversation->translated[IPFI_ORIGINAL] || conversation->translated[IPFI_REPLY];
}

/* The address by which the other side knows the end that sends @from. */
static struct ipfi_addr outer_address(const struct conversation *conversation,
				      enum ipfi_direction from)
{
	return conversation->translated[from] ? conversation->outer[from]
					      : own_address(conversation->family, from);
}

static void say_expected(const struct conversation *conversation, const struct ipfi_addr *addr, u16 port, char *events,
			 size_t size)
{
	size_t used = strlen(events), i;
	char name[INET6_ADDRSTRLEN];
	u8 bytes[16];

	for (i = 0; i < 16; i++)
		bytes[i] = (u8)(addr->w[i / 4] >> (24 - i % 4 * 8));
	inet_ntop(conversation->family == 4 ? AF_INET : AF_INET6, bytes, name, sizeof(name));
	snprintf(events + used, size - used, "; expect %s %u", name, port);
}

/*
 * As the module does: an end may announce its own address or the one that it is known by; where a server answers PASV by
 * another one, its own is expected with that port, too.
 */
static void take_finding(struct player *player, enum ipfi_direction from,
			 const struct ipfi_ftp_finding *found, char *events, size_t size)
{
	const struct conversation *conversation = player->conversation;
	struct ipfi_addr own = own_address(conversation->family, from);
	struct ipfi_addr outer = outer_address(conversation, from);
	u8 reason = ipfi_ftp_validate(found, conversation->family, &own, conversation->foreign);
	struct ipfi_ftp_finding own_end;
	u8 text[IPFI_FTP_TEXT];
	size_t used = strlen(events);
	unsigned int length;

	if (reason == IPFI_REASON_FTP_FOREIGN)
		reason = ipfi_ftp_validate(found, conversation->family, &outer,
					  conversation->foreign);
	if (reason) {
		snprintf(events + used, size - used, "; %s", reasons[reason]);
		if (reason == IPFI_REASON_FTP_FOREIGN &&
		    ipfi_ftp_own_end(found, conversation->family, &own_end))
			say_expected(conversation, &outer, own_end.port, events, size);
		return;
	}
	if (found->family && !conversation->translated[from])
		outer = found->addr;
	say_expected(conversation, &outer, found->port, events, size);
	if (!found->family || ipfi_addr_equal(&found->addr, &outer)) {
		if (!ipfi_addr_equal(&outer, &own) && !conversation->translated[from] &&
		    ipfi_ftp_own_end(found, conversation->family, &own_end))
			say_expected(conversation, &own, own_end.port, events, size);
		return;
	}
	length = ipfi_ftp_write(found->form, conversation->family, &outer, found->port, text);
	assert_true(ipfi_seqadj_edit(&player->sequences[from], found->seq, found->length, text,
				       length));
}

static void hold_back(struct player *player, enum ipfi_direction from, bool fin)
{
	struct ipfi_seqadj *sequence = &player->sequences[from];
	const u8 *bytes = NULL;
	u32 seq, length;

	if (!fin)
		bytes = ipfi_ftp_pending(&player->ftp, from, &seq, &length);
	if (bytes)
		ipfi_seqadj_hold(sequence, seq, bytes, length);
	else
		ipfi_seqadj_release(sequence);
}

static void put_cut(struct payload *out, const struct payload *in, u32 read,
		    const struct ipfi_seqadj_cut *cut)
{
	u32 rest = read < in->length ? 0 : in->length - cut->head - cut->skip;

	memcpy(out->bytes, in->bytes, cut->head);
	if (cut->text_length)
		memcpy(out->bytes + cut->head, cut->text, cut->text_length);
	memcpy(out->bytes + cut->head + cut->text_length, in->bytes + in->length - rest, rest);
	out->length = cut->head + cut->text_length + rest;
	out->fin = in->fin && cut->whole && read == in->length;
}

static void play_segment(struct player *player, const struct segment *segment)
{
	const struct payload *in = &segment->sent;
	enum ipfi_direction from = segment->from;
	struct ipfi_seqadj *sequence = &player->sequences[from];
	struct ipfi_seqadj *other = &player->sequences[!from];
	u32 seq = isn[from] + (u32)in->seq, ack = isn[!from] + (u32)in->ack;
	struct payload out = *in;
	struct ipfi_ftp_finding found;
	struct ipfi_seqadj_cut cut;
	char events[LINE_LENGTH] = "";
	u32 read = 0;

	player->came[0] = '\0';
	out.ack = (s32)(ipfi_seqadj_back(other, ack) - isn[!from]);
	out.left = (s32)(ipfi_seqadj_back_left(other, isn[!from] + (u32)in->left) - isn[!from]);
	out.right = (s32)(ipfi_seqadj_back(other, isn[!from] + (u32)in->right) - isn[!from]);
	ipfi_seqadj_acknowledge(other, ack);
	ipfi_ftp_acknowledged(&player->ftp, !from, isn[!from] + (u32)out.ack);
	if (in->length && !ipfi_ftp_in_order(&player->ftp, from, seq)) {
		say(player, "drop");
		return;
	}

	while (read < in->length && ipfi_seqadj_room(sequence)) {
		read += ipfi_ftp_feed(&player->ftp, from, seq + read, in->bytes + read,
				      in->length - read, &found);
		if (found.form != IPFI_FTP_NONE)
			take_finding(player, from, &found, events, sizeof(events));
	}
	if (is_translated(player->conversation)) {
		hold_back(player, from, in->fin);
		ipfi_seqadj_apply(sequence, seq, read, in->fin, &cut);
		out.seq = (s32)(cut.seq - isn[from]);
		put_cut(&out, in, read, &cut);
	}
	if (out.seq == in->seq && out.ack == in->ack && out.length == in->length &&
	    !memcmp(out.bytes, in->bytes, in->length) && out.fin == in->fin &&
	    out.left == in->left && out.right == in->right)
		say(player, "same");
	else
		say_payload(player, &out);
	say(player, "%s", events);
}

static void play_conversation(struct player *player, const struct conversation *conversation)
{
	const struct segment *segment;
	unsigned int i;

	for (i = 0; i < conversation->count; i++) {
		segment = &segments[conversation->first + i];
		play_segment(player, segment);
		if (strcmp(player->came, segment->owed))
			fail_msg("%s:%u: owed '%s', came '%s'", segment->file, segment->line,
				 segment->owed, player->came);
	}
}

static void test_conversation(void **state)
{
	struct player player = { .conversation = *state };
	enum ipfi_direction from;

	ipfi_ftp_init(&player.ftp);
	for (from = IPFI_ORIGINAL; from <= IPFI_REPLY; from++) {
		ipfi_ftp_start(&player.ftp, from, isn[from]);
		ipfi_seqadj_init(&player.sequences[from]);
	}
	if (player.conversation->after)
		play_conversation(&player, player.conversation->after);
	assert_true(player.conversation->count > 0);
	play_conversation(&player, player.conversation);
}

int main(void)
{
	static struct CMUnitTest tests[CASES_MAX];
	size_t count = 0;
	glob_t found;
	int failed;
	size_t i;

	if (!read_vector_files(PATTERN, read_line, &found))
		return 1;
	for (i = 0; i < conversation_count; i++)
		if (!conversations[i].prelude)
			tests[count++] = (struct CMUnitTest){
				.name = conversations[i].name,
				.test_func = test_conversation,
				.initial_state = &conversations[i],
			};
	failed = _cmocka_run_group_tests("ftp_vectors", tests, count, NULL, NULL);
	globfree(&found);
	return failed;
}
