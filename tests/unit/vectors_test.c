// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plays the conversations of tests/vectors to the core. Each case is a test; a failure names the
 * file, the line, what was owed and what came. The format is described in tests/vectors/README.md.
 */
#include "vector_file.h"
#include "module/core/flow.h"
#include "module/core/tcp_resync.h"

#define PATTERN "tests/vectors/*.tcp"
#define CASES_MAX 1024
#define LINES_MAX 8192
#define OPTIONS_MAX 40 /* a data offset of 15 leaves no more room */

/* An answer: what was owed, and in the same form what came. */
struct answer {
	char text[64];
};

struct segment {
	const char *file;
	unsigned int line;
	enum ipfi_direction from; /* IPFI_ORIGINAL is the client, whoever opens the connection */
	struct ipfi_packet packet;
	u8 options[OPTIONS_MAX];
	struct answer owed;
};

struct conversation {
	char name[LINE_LENGTH + 64];
	const char *file;
	bool prelude;
	bool loose;
	const struct conversation *after;
	unsigned int first, count; /* in segments[] */
};

static struct segment segments[LINES_MAX];
static unsigned int segment_count;
static struct conversation conversations[CASES_MAX];
static unsigned int conversation_count;

static const char *const states[] = { [IPFI_STATE_NONE] = "-",
#define X(id) [IPFI_STATE_##id] = #id,
				      IPFI_STATES(X)
#undef X
};

static const char *const reasons[] = { [IPFI_REASON_NONE] = "-",
#define X(id, name, accepted, help) [IPFI_REASON_##id] = name,
				       IPFI_REASONS(X)
#undef X
};

/* --- reading --- */

static u8 tcp_flags(const char *text)
{
	static const char letters[] = "FSRPAUEC"; /* from the lowest bit */
	const char *found;
	u8 flags = 0;

	if (!strcmp(text, "-"))
		return 0;
	for (; *text; text++) {
		found = strchr(letters, *text);
		if (!found)
			malformed("no TCP flag '%c'", *text);
		flags |= (u8)(1 << (found - letters));
	}
	return flags;
}

static void add_byte(struct segment *segment, u32 value)
{
	if (segment->packet.tcp_options_length == OPTIONS_MAX)
		malformed("more than %d bytes of options", OPTIONS_MAX);
	segment->options[segment->packet.tcp_options_length++] = (u8)value;
}

static void add_word(struct segment *segment, u32 value)
{
	int shift;

	for (shift = 24; shift >= 0; shift -= 8)
		add_byte(segment, value >> shift & 0xff);
}

static void add_sack(struct segment *segment, char *blocks)
{
	char *save, *block, *right;
	u8 at = segment->packet.tcp_options_length;

	add_byte(segment, 5);
	add_byte(segment, 2);
	for (block = strtok_r(blocks, ",", &save); block; block = strtok_r(NULL, ",", &save)) {
		right = strchr(block, '-');
		if (!right)
			malformed("a SACK block is LEFT-RIGHT");
		*right++ = '\0';
		add_word(segment, number(block, UINT32_MAX));
		add_word(segment, number(right, UINT32_MAX));
		segment->options[at + 1] += 8;
	}
}

static void add_raw(struct segment *segment, const char *hex)
{
	char byte[3] = "";

	if (strlen(hex) % 2 || strspn(hex, "0123456789abcdef") != strlen(hex))
		malformed("'%s' are not bytes in lower-case hexadecimal", hex);
	for (; *hex; hex += 2) {
		memcpy(byte, hex, 2);
		add_byte(segment, (u32)strtoul(byte, NULL, 16));
	}
}

static void add_option(struct segment *segment, char *word)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	if (!strcmp(word, "len") && value) {
		segment->packet.payload = number(value, 65000);
	} else if (!strcmp(word, "mss") && value) {
		add_byte(segment, 2);
		add_byte(segment, 4);
		add_byte(segment, number(value, 65535) >> 8);
		add_byte(segment, number(value, 65535) & 0xff);
	} else if (!strcmp(word, "wscale") && value) {
		add_byte(segment, 3);
		add_byte(segment, 3);
		add_byte(segment, number(value, 255));
	} else if (!strcmp(word, "sackok") && !value) {
		add_byte(segment, 4);
		add_byte(segment, 2);
	} else if (!strcmp(word, "ts") && !value) {
		add_byte(segment, 8);
		add_byte(segment, 10);
		add_word(segment, 1);
		add_word(segment, 0);
	} else if (!strcmp(word, "sack") && value) {
		add_sack(segment, value);
	} else if (!strcmp(word, "nop") && !value) {
		add_byte(segment, 1);
	} else if (!strcmp(word, "raw") && value) {
		add_raw(segment, value);
	} else {
		malformed("no option '%s'", word);
	}
}

static void read_segment(char *line)
{
	struct segment *segment;
	char *save, *arrow, *word;
	char *column[5];
	int i;

	if (!conversation_count)
		malformed("a segment before the first case");
	if (segment_count == LINES_MAX)
		malformed("more than %d segments", LINES_MAX);
	segment = &segments[segment_count++];
	conversations[conversation_count - 1].count++;

	arrow = strstr(line, "->");
	if (!arrow)
		malformed("no answer");
	*arrow = '\0';
	/* Runs of spaces in the answer count as one. */
	for (word = strtok_r(arrow + 2, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (strlen(segment->owed.text) + strlen(word) + 2 > sizeof(segment->owed.text))
			malformed("the answer is too long");
		if (*segment->owed.text)
			strcat(segment->owed.text, " ");
		strcat(segment->owed.text, word);
	}

	for (i = 0; i < 5; i++) {
		column[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!column[i])
			malformed("a segment has direction, flags, seq, ack and window");
	}
	segment->file = reading_file;
	segment->line = reading_line;
	segment->from = *column[0] == '>' ? IPFI_ORIGINAL : IPFI_REPLY;
	segment->packet = parsed_tcp(4, 40000, 80, tcp_flags(column[1]));
	if (segment->from == IPFI_REPLY) {
		segment->packet.tuple.src = host(4, 2);
		segment->packet.tuple.dst = host(4, 1);
		segment->packet.tuple.sport = 80;
		segment->packet.tuple.dport = 40000;
	}
	segment->packet.seq = number(column[2], UINT32_MAX);
	if (!(segment->packet.tcp_flags & IPFI_TCP_ACK) != !strcmp(column[3], "-"))
		malformed("ACK number and flag go together");
	if (segment->packet.tcp_flags & IPFI_TCP_ACK)
		segment->packet.ack = number(column[3], UINT32_MAX);
	segment->packet.window = (u16)number(column[4], UINT16_MAX);

	for (word = strtok_r(NULL, " ", &save); word; word = strtok_r(NULL, " ", &save))
		add_option(segment, word);
	while (segment->packet.tcp_options_length % 4)
		add_byte(segment, 0);
	segment->packet.length = 40U + segment->packet.tcp_options_length + segment->packet.payload;
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
	conversation->loose = true;
	conversation->first = segment_count;
}

static void find_prelude(const char *name)
{
	struct conversation *conversation = &conversations[conversation_count - 1];
	unsigned int i;

	for (i = 0; i < conversation_count; i++)
		if (conversations[i].prelude && conversations[i].file == reading_file &&
		    !strcmp(strstr(conversations[i].name, ": ") + 2, name))
			conversation->after = &conversations[i];
	if (!conversation->after || conversation->count)
		malformed("no prelude '%s', or not first in its case", name);
}

static void read_line(char *line)
{
	if (!strncmp(line, "> ", 2) || !strncmp(line, "< ", 2))
		read_segment(line);
	else if (!strncmp(line, "case ", 5))
		begin_conversation(line + 5, false);
	else if (!strncmp(line, "prelude ", 8))
		begin_conversation(line + 8, true);
	else if (!strncmp(line, "after ", 6) && conversation_count)
		find_prelude(line + 6);
	else if (!strcmp(line, "loose 0") && conversation_count)
		conversations[conversation_count - 1].loose = false;
	else
		malformed("'%s' is not understood", line);
}

/* --- playing --- */

struct player {
	struct ipfi_limits limits;
	struct ipfi_flow flow;
	bool live;
};

static const char *state_text(const struct ipfi_flow *flow)
{
	static char text[32];

	snprintf(text, sizeof(text), "%s%s", states[flow->state],
		 flow->flags & IPFI_STATE_F_MIDSTREAM ? "?" : "");
	return text;
}

static struct answer open_flow(struct player *player, const struct ipfi_packet *packet,
			       const char *how)
{
	struct answer answer;
	int err = ipfi_flow_open(&player->flow, packet, 1, 1, 0, &player->limits);

	player->live = !err;
	if (err)
		snprintf(answer.text, sizeof(answer.text), "refuse %s", reasons[-err]);
	else
		snprintf(answer.text, sizeof(answer.text), "%s %s", how, state_text(&player->flow));
	return answer;
}

static struct answer play(struct player *player, const struct ipfi_packet *packet)
{
	struct ipfi_flow before = player->flow, after;
	u8 options[IPFI_TCP_RECALLED_OPTIONS];
	struct ipfi_packet syn;
	struct ipfi_key key;
	struct answer answer;
	enum ipfi_direction direction;
	enum ipfi_advance advance;
	u8 reason = IPFI_REASON_NONE;

	/* The parser drops these, before anybody looks for a state. */
	if (ipfi_tcp_flags_bad(packet->tcp_flags)) {
		if (player->live)
			snprintf(answer.text, sizeof(answer.text), "drop %s tcp-flags",
				 state_text(&player->flow));
		else
			snprintf(answer.text, sizeof(answer.text), "refuse tcp-flags");
		return answer;
	}
	if (!player->live)
		return open_flow(player, packet, "open");

	direction = ipfi_flow_direction(&player->flow, ipfi_key_from_tuple(&key, &packet->tuple));
	advance = ipfi_flow_advance(&player->flow, packet, direction, &reason);
	switch (advance) {
	case IPFI_ADVANCE_PASS:
		snprintf(answer.text, sizeof(answer.text), "pass %s", state_text(&player->flow));
		assert_int_equal(player->flow.traffic[direction].packets, before.traffic[direction].packets + 1);
		return answer;
	case IPFI_ADVANCE_IGNORE:
	case IPFI_ADVANCE_DROP:
		snprintf(answer.text, sizeof(answer.text), "%s %s %s",
			 advance == IPFI_ADVANCE_DROP ? "drop" : "ignore",
			 state_text(&player->flow), reasons[reason]);
		/* Nobody may move a window with a segment that was not believed. Kept is a SYN, to
		 * know its answer, and an ACK that answers a SYN with the number of another
		 * connection. */
		if (advance == IPFI_ADVANCE_IGNORE) {
			before = without_kept(before);
			after = without_kept(player->flow);
		} else {
			after = player->flow;
		}
		if (advance == IPFI_ADVANCE_DROP || before.state != IPFI_STATE_SYN_SENT)
			assert_memory_equal(&before, &after, sizeof(before));
		return answer;
	case IPFI_ADVANCE_RESYNC:
		assert_memory_equal(&before, &player->flow, sizeof(before));
		ipfi_tcp_recall_syn(&before.tcp, packet, options, &syn);
		if (direction == IPFI_REPLY)
			ipfi_tcp_resync(&player->flow, &syn);
		else
			assert_int_equal(
				ipfi_flow_open(&player->flow, &syn, 1, 1, 0, &player->limits), 0);
		assert_int_equal(ipfi_flow_advance(&player->flow, packet, IPFI_REPLY, &reason),
				 IPFI_ADVANCE_PASS);
		snprintf(answer.text, sizeof(answer.text), "resync %s", state_text(&player->flow));
		return answer;
	case IPFI_ADVANCE_REOPEN:
		break;
	}
	return open_flow(player, packet, "reopen");
}

static void play_conversation(struct player *player, const struct conversation *conversation)
{
	const struct segment *segment;
	struct ipfi_packet packet;
	struct answer came;
	unsigned int i;
	u8 *options;

	for (i = 0; i < conversation->count; i++) {
		segment = &segments[conversation->first + i];
		/* A copy of its own length, for the address sanitizer to watch. */
		packet = segment->packet;
		options = malloc(packet.tcp_options_length + 1U);
		assert_non_null(options);
		memcpy(options + 1, segment->options, packet.tcp_options_length);
		packet.tcp_options = options + 1;
		came = play(player, &packet);
		free(options);
		if (strcmp(came.text, segment->owed.text))
			fail_msg("%s:%u: owed '%s', came '%s'", segment->file, segment->line,
				 segment->owed.text, came.text);
	}
}

static void test_conversation(void **state)
{
	const struct conversation *conversation = *state;
	struct player player = { .live = false };

	ipfi_limits_init(&player.limits);
	player.limits.value[IPFI_LIMIT_TCP_LOOSE] = conversation->loose;
	if (conversation->after)
		play_conversation(&player, conversation->after);
	assert_true(conversation->count > 0);
	play_conversation(&player, conversation);
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
	failed = _cmocka_run_group_tests("vectors", tests, count, NULL, NULL);
	globfree(&found);
	return failed;
}
