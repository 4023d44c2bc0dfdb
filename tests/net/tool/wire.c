// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wire LEFT RIGHT: sends packets made by hand from one end of a path to the other, through whatever stands
 * between, and says of each what became of it. The ends are written as end.h says. One packet a line on
 * standard input, ">" from left to right, "<" from right to left:
 *
 *	> tcp SRC SPORT DST DPORT FLAGS [seq=N] [ack=N] [win=N] [scale=N] [options=HEX]
 *							 FLAGS of F S R P A U E C, or "-"
 *	< udp SRC SPORT DST DPORT
 *	> icmp SRC DST TYPE/CODE [id=N] [seq=N]
 *	< icmp SRC DST TYPE/CODE [mtu=N] about tcp|udp|icmp ...               an error about that packet
 *	> ip SRC DST PROTO                                                    any other protocol
 *	wait MILLISECONDS
 *
 * and to all of them: len=BYTES of payload, or data=HEX, the payload itself; ttl=N, bad (a wrong transport
 * checksum). An empty line and one that starts with "#" are passed over. Each packet is answered by one line:
 * "pass" if it came out at the other end, else "drop"; then what the sender got back: "reset", "icmp TYPE/CODE".
 * With the word "tell" a TCP segment need not come out as it was: behind "pass" stands what did, in the words
 * above, with options and data where there are any.
 *
 * After each packet goes a sentinel the same way, a UDP datagram to port 9 (see FIRST and SECOND), which has to
 * be allowed without a state. Packets stay in order, so nothing has to be waited for: what has not come out
 * before the sentinel was dropped.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "craft.h"
#include "end.h"

#define FIRST "10.9.255.9"  /* the sentinel's addresses: behind the left end, */
#define SECOND "10.8.255.9" /* and behind the right one */
#define PATIENCE_MS 60000   /* for a sentinel */
#define LINE_MAX 4096

static unsigned int line_number;
static bool tell; /* say what came out */

static char *word(const char *what)
{
	char *next = strtok(NULL, " \t\n");

	if (!next)
		die("line %u: %s is missing", line_number, what);
	return next;
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (!*text || *end)
		die("line %u: '%s' is no number", line_number, text);
	return value;
}

static void parse_address(struct address *address, const char *what)
{
	const char *text = word(what);

	if (!address_parse(address, text))
		die("line %u: '%s' is no address", line_number, text);
}

static uint8_t parse_flags(const char *text)
{
	static const char letters[] = "FSRPAUEC";
	uint8_t flags = 0;

	if (!strcmp(text, "-"))
		return 0;
	for (; *text; text++) {
		const char *letter = strchr(letters, *text);

		if (!letter)
			die("line %u: unknown TCP flag '%c'", line_number, *text);
		flags |= 1 << (letter - letters);
	}
	return flags;
}

/* TCP options from their hexadecimal digits, and one byte more unless that is -1; padded with zeros. */
static void put_options(struct craft *craft, const char *hex, int last)
{
	unsigned int length = 0, byte;

	memset(craft->options, 0, sizeof(craft->options));
	for (; *hex; hex += 2) {
		if (length == sizeof(craft->options) || sscanf(hex, "%2x", &byte) != 1 || !hex[1])
			die("line %u: bad options", line_number);
		craft->options[length++] = byte;
	}
	if (last >= 0)
		craft->options[length++] = last;
	craft->options_length = (length + 3) & ~3;
}

/* A payload from its hexadecimal digits. */
static void put_data(struct craft *craft, const char *hex)
{
	static uint8_t data[LINE_MAX / 2];
	unsigned int byte;

	craft->data = data;
	for (craft->length = 0; *hex; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1 || !hex[1])
			die("line %u: bad data", line_number);
		data[craft->length++] = byte;
	}
}

static void parse_packet(struct craft *craft, struct craft *inner);

static void parse_options(struct craft *craft, struct craft *inner)
{
	char *option;

	while ((option = strtok(NULL, " \t\n"))) {
		char *value = strchr(option, '=');

		if (value)
			*value++ = '\0';
		if (!value && !strcmp(option, "bad")) {
			craft->bad_checksum = true;
		} else if (!value && !strcmp(option, "tell")) {
			tell = true;
		} else if (!value && !strcmp(option, "about") && inner) {
			craft->about = inner;
			parse_packet(inner, NULL);
		} else if (!value) {
			die("line %u: unknown word '%s'", line_number, option);
		} else if (!strcmp(option, "seq")) {
			craft->seq = number(value);
		} else if (!strcmp(option, "ack")) {
			craft->ack = number(value);
		} else if (!strcmp(option, "win")) {
			craft->window = number(value);
		} else if (!strcmp(option, "scale")) {
			put_options(craft, "010303", number(value));
		} else if (!strcmp(option, "options")) {
			put_options(craft, value, -1);
		} else if (!strcmp(option, "id")) {
			craft->id = number(value);
		} else if (!strcmp(option, "mtu")) {
			craft->mtu = number(value);
		} else if (!strcmp(option, "len")) {
			craft->length = number(value);
			if (craft->length > CRAFT_PAYLOAD_MAX)
				die("line %u: too long a payload", line_number);
		} else if (!strcmp(option, "data")) {
			put_data(craft, value);
		} else if (!strcmp(option, "ttl")) {
			craft->ttl = number(value);
		} else {
			die("line %u: unknown option '%s'", line_number, option);
		}
	}
}

static void parse_packet(struct craft *craft, struct craft *inner)
{
	const char *proto = word("the protocol");

	memset(craft, 0, sizeof(*craft));
	craft->window = 65535;
	if (!strcmp(proto, "tcp") || !strcmp(proto, "udp")) {
		craft->proto = *proto == 't' ? IPPROTO_TCP : IPPROTO_UDP;
		parse_address(&craft->src, "the source");
		craft->sport = number(word("the source port"));
		parse_address(&craft->dst, "the destination");
		craft->dport = number(word("the destination port"));
		if (craft->proto == IPPROTO_TCP)
			craft->flags = parse_flags(word("the flags"));
	} else if (!strcmp(proto, "icmp") || !strcmp(proto, "ip")) {
		craft->proto = IPPROTO_ICMP;
		parse_address(&craft->src, "the source");
		parse_address(&craft->dst, "the destination");
		if (!strcmp(proto, "ip")) {
			craft->proto = number(word("the protocol's number"));
		} else {
			char *type = word("type/code"), *code = strchr(type, '/');

			if (!code)
				die("line %u: '%s' is no TYPE/CODE", line_number, type);
			*code++ = '\0';
			craft->type = number(type);
			craft->code = number(code);
		}
	} else {
		die("line %u: unknown protocol '%s'", line_number, proto);
	}
	if (craft->src.family != craft->dst.family)
		die("line %u: addresses of two families", line_number);
	parse_options(craft, inner);
}

static void send_sentinel(const struct end *from, bool to_right, uint16_t id)
{
	struct craft sentinel = { .proto = IPPROTO_UDP, .sport = id, .dport = 9 };
	uint8_t frame[END_FRAME_MAX];

	address_parse(&sentinel.src, to_right ? FIRST : SECOND);
	address_parse(&sentinel.dst, to_right ? SECOND : FIRST);
	end_send(from, frame, craft_packet(&sentinel, frame + END_ETHERNET));
}

static bool is_sentinel(const uint8_t *packet, size_t length, uint16_t id)
{
	int proto;
	size_t at = transport_of(packet, length, &proto);

	return at && proto == IPPROTO_UDP && length >= at + 8 && packet[at + 2] == 0 && packet[at + 3] == 9 &&
	       packet[at] == id >> 8 && packet[at + 1] == (id & 255);
}

/* Is @got what @sent has become on its way? A router changes the IP header only. */
static bool same(const uint8_t *got, size_t got_length, const uint8_t *sent, size_t sent_length)
{
	int got_proto, sent_proto;
	size_t got_at = transport_of(got, got_length, &got_proto);
	size_t sent_at = transport_of(sent, sent_length, &sent_proto);
	size_t addresses = got[0] >> 4 == 4 ? 12 : 8;

	return got_at && got_at == sent_at && got_proto == sent_proto && got_length == sent_length &&
	       !memcmp(got + addresses, sent + addresses, got[0] >> 4 == 4 ? 8 : 32) &&
	       !memcmp(got + got_at, sent + got_at, got_length - got_at);
}

static bool is_tcp(const uint8_t *packet, size_t length)
{
	int proto;
	size_t at = transport_of(packet, length, &proto);

	return at && proto == IPPROTO_TCP && length >= at + 20;
}

static void print_hex(const char *name, const uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		printf("%s%02x", i ? "" : name, bytes[i]);
}

static void print_segment(const uint8_t *packet, size_t length)
{
	static const char letters[] = "FSRPAUEC";
	bool four = packet[0] >> 4 == 4;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const uint8_t *tcp;
	size_t at, header;
	uint16_t port[2], window;
	uint32_t number[2];
	int proto, i;

	at = transport_of(packet, length, &proto);
	tcp = packet + at;
	header = tcp[12] >> 4 << 2;
	inet_ntop(four ? AF_INET : AF_INET6, packet + (four ? 12 : 8), src, sizeof(src));
	inet_ntop(four ? AF_INET : AF_INET6, packet + (four ? 16 : 24), dst, sizeof(dst));
	memcpy(port, tcp, sizeof(port));
	memcpy(number, tcp + 4, sizeof(number));
	memcpy(&window, tcp + 14, sizeof(window));
	printf(" tcp %s %u %s %u ", src, ntohs(port[0]), dst, ntohs(port[1]));
	for (i = 0; i < 8; i++)
		if (tcp[13] & 1 << i)
			putchar(letters[i]);
	printf("%s seq=%u ack=%u win=%u", tcp[13] ? "" : "-", ntohl(number[0]), ntohl(number[1]), ntohs(window));
	if (header < 20 || at + header > length)
		return;
	print_hex(" options=", tcp + 20, header - 20);
	print_hex(" data=", tcp + header, length - at - header);
	if (!tcp_checksum_right(packet, length))
		printf(" bad");
}

/* What came back to the sender by now: the first reset or ICMP error. */
static void print_answer(const struct end *end)
{
	uint8_t frame[END_FRAME_MAX], *packet = frame + END_ETHERNET;
	bool said = false;
	size_t length, at;
	int proto;

	while ((length = end_receive(end, frame, 0))) {
		at = transport_of(packet, length, &proto);
		if (!at || said)
			continue;
		if (proto == IPPROTO_TCP && length >= at + 20 && packet[at + 13] & RST) {
			printf(" reset");
			said = true;
		} else if (proto == IPPROTO_ICMP && length >= at + 8 &&
			   (packet[0] >> 4 == 4 ? packet[at] == 3 || packet[at] == 11 : packet[at] < 128)) {
			printf(" icmp %u/%u", packet[at], packet[at + 1]);
			said = true;
		}
	}
}

static void carry(const struct end *from, const struct end *to, bool to_right, const struct craft *craft)
{
	static uint16_t sentinels = 20000;
	uint8_t sent[END_FRAME_MAX], got[END_FRAME_MAX], out[END_FRAME_MAX];
	int64_t until = now_ms() + PATIENCE_MS;
	size_t length, got_length, out_length = 0;
	bool passed = false;
	uint16_t id = sentinels++;

	length = craft_packet(craft, sent + END_ETHERNET);
	end_send(from, sent, length);
	send_sentinel(from, to_right, id);
	for (;;) {
		got_length = end_receive(to, got, 100);
		if (got_length && is_sentinel(got + END_ETHERNET, got_length, id))
			break;
		if (got_length && (tell ? is_tcp(got + END_ETHERNET, got_length) :
					  same(got + END_ETHERNET, got_length, sent + END_ETHERNET, length))) {
			passed = true;
			out_length = got_length;
			memcpy(out, got + END_ETHERNET, got_length);
		}
		if (now_ms() > until)
			die("line %u: the sentinel was lost", line_number);
	}
	printf("%s", passed ? "pass" : "drop");
	if (tell && passed)
		print_segment(out, out_length);
	print_answer(from);
	printf("\n");
	fflush(stdout);
}

static void wait_ms(unsigned long milliseconds)
{
	struct timespec time = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

int main(int argc, char **argv)
{
	struct end left, right;
	char line[LINE_MAX];

	if (argc != 3)
		die("usage: wire LEFT RIGHT <PACKETS");
	end_open(&left, argv[1]);
	end_open(&right, argv[2]);
	stay_on_cpu(0);
	while (fgets(line, sizeof(line), stdin)) {
		struct craft craft, inner;
		char *first = strtok(line, " \t\n");

		line_number++;
		if (!first || *first == '#')
			continue;
		if (!strcmp(first, "wait")) {
			wait_ms(number(word("the time")));
			continue;
		}
		if (strcmp(first, ">") && strcmp(first, "<"))
			die("line %u: '%s' is no direction", line_number, first);
		tell = false;
		parse_packet(&craft, &inner);
		if (*first == '>')
			carry(&left, &right, true, &craft);
		else
			carry(&right, &left, false, &craft);
	}
	return 0;
}
