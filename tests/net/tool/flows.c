// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flows [options] LEFT RIGHT SRC DST: many UDP flows from the left end to the right one (see end.h), each one
 * datagram and, when asked for, an answer to each that arrived. Flow N, from 0, has the source SRC + N % SOURCES,
 * the source port 1024 + N / SOURCES % 60000, DST as its destination and the port 5000 + N / SOURCES / 60000.
 *
 *	--first=N --count=N     the flows (default: 1000 from 0)
 *	--sources=N             (default 1)
 *	--answer                the right end answers what arrives, from DST
 *	--list=FILE             writes "SRC SPORT DST DPORT" of each that arrived at the right
 *	--twice                 two threads, each on a CPU of its own, send the same flows at the same time
 *	--against               the same, but the second thread sends each flow's answer, from the right
 *
 * Prints "sent N arrived N answered N back N".
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "craft.h"
#include "end.h"

/* Sent before what arrives is collected. The kernel queues 1000 packets a CPU (netdev_max_backlog). */
#define BATCH 256
#define PORTS 60000
#define FIRST_SPORT 1024
#define FIRST_DPORT 5000

static struct end left, right;
static struct address source, destination;
static unsigned long first_flow, flow_count = 1000, sources = 1;
static bool answer;
static FILE *list;
static unsigned long sent, arrived, answered, back;

static void make_flow(struct craft *craft, unsigned long flow)
{
	memset(craft, 0, sizeof(*craft));
	craft->proto = IPPROTO_UDP;
	craft->src = source;
	address_add(&craft->src, flow % sources);
	craft->sport = FIRST_SPORT + flow / sources % PORTS;
	craft->dst = destination;
	craft->dport = FIRST_DPORT + flow / sources / PORTS;
	craft->length = 4;
}

static void turn_round(struct craft *craft)
{
	struct address address = craft->src;
	uint16_t port = craft->sport;

	craft->src = craft->dst;
	craft->sport = craft->dport;
	craft->dst = address;
	craft->dport = port;
}

static void send_craft(const struct end *end, const struct craft *craft)
{
	uint8_t frame[END_FRAME_MAX];

	end_send(end, frame, craft_packet(craft, frame + END_ETHERNET));
}

/* Is it one of our datagrams, between SRC ... and DST? If so, the flow it is of. */
static bool read_flow(const uint8_t *packet, size_t length, bool from_left, struct craft *craft)
{
	size_t size = packet[0] >> 4 == 4 ? 4 : 16, addresses = size == 4 ? 12 : 8, at;
	int proto;

	at = transport_of(packet, length, &proto);
	if (!at || proto != IPPROTO_UDP || length < at + 8)
		return false;
	memset(craft, 0, sizeof(*craft));
	craft->proto = IPPROTO_UDP;
	craft->length = 4;
	craft->src.family = craft->dst.family = size == 4 ? 4 : 6;
	memcpy(craft->src.bytes, packet + addresses, size);
	memcpy(craft->dst.bytes, packet + addresses + size, size);
	craft->sport = packet[at] << 8 | packet[at + 1];
	craft->dport = packet[at + 2] << 8 | packet[at + 3];
	return !memcmp(from_left ? craft->dst.bytes : craft->src.bytes, destination.bytes, size);
}

static void note_arrival(const struct craft *craft)
{
	int family = craft->src.family == 4 ? AF_INET : AF_INET6;
	char src[64], dst[64];

	arrived++;
	if (list)
		fprintf(list, "%s %u %s %u\n", inet_ntop(family, craft->src.bytes, src, sizeof(src)), craft->sport,
			inet_ntop(family, craft->dst.bytes, dst, sizeof(dst)), craft->dport);
}

/* Takes what has come to both ends, waiting @milliseconds for more. */
static void collect(int milliseconds)
{
	uint8_t frame[END_FRAME_MAX], *packet = frame + END_ETHERNET;
	struct craft craft;
	size_t length;

	while ((length = end_receive(&right, frame, milliseconds))) {
		if (!read_flow(packet, length, true, &craft))
			continue;
		note_arrival(&craft);
		if (answer) {
			turn_round(&craft);
			send_craft(&right, &craft);
			answered++;
		}
	}
	while ((length = end_receive(&left, frame, answer ? milliseconds : 0)))
		if (read_flow(packet, length, false, &craft))
			back++;
}

/* How long nothing comes until all has come: half a second on a quiet machine (tests/lab/speed.sh). */
static int quiet_ms(void)
{
	const char *slowness = getenv("IPFI_SLOWNESS");

	return 5 * (slowness ? atoi(slowness) : 100);
}

static void send_all(void)
{
	struct craft craft;
	unsigned long i;

	stay_on_cpu(0);
	for (i = 0; i < flow_count; i++) {
		make_flow(&craft, first_flow + i);
		send_craft(&left, &craft);
		sent++;
		if (i % BATCH == BATCH - 1)
			collect(0);
	}
	collect(quiet_ms());
}

/* Both threads have sent flow N before either sends flow N + 1, so that they meet. */
struct racer {
	const struct end *end;
	unsigned int cpu;
	bool turned;
	atomic_ulong *own, *other;
};

static void *race(void *argument)
{
	struct racer *racer = argument;
	struct craft craft;
	unsigned long i;

	stay_on_cpu(racer->cpu);
	for (i = 0; i < flow_count; i++) {
		make_flow(&craft, first_flow + i);
		if (racer->turned)
			turn_round(&craft);
		atomic_store(racer->own, i + 1);
		while (atomic_load(racer->other) < i + 1)
			;
		send_craft(racer->end, &craft);
	}
	return NULL;
}

static void send_racing(bool against)
{
	atomic_ulong steps[2] = { 0, 0 };
	struct racer racers[2] = {
		{ .end = &left, .cpu = 0, .own = &steps[0], .other = &steps[1] },
		{ .end = against ? &right : &left, .cpu = 1, .turned = against, .own = &steps[1], .other = &steps[0] },
	};
	pthread_t threads[2];
	int i;

	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, race, &racers[i]))
			die("no thread");
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	sent = 2 * flow_count;
	collect(quiet_ms());
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "first", required_argument, NULL, 'f' }, { "count", required_argument, NULL, 'c' },
		{ "sources", required_argument, NULL, 's' }, { "answer", no_argument, NULL, 'a' },
		{ "list", required_argument, NULL, 'l' }, { "twice", no_argument, NULL, 't' },
		{ "against", no_argument, NULL, 'g' }, { 0 },
	};
	bool twice = false, against = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			first_flow = strtoul(optarg, NULL, 0);
			break;
		case 'c':
			flow_count = strtoul(optarg, NULL, 0);
			break;
		case 's':
			sources = strtoul(optarg, NULL, 0);
			break;
		case 'a':
			answer = true;
			break;
		case 'l':
			list = fopen(optarg, "w");
			if (!list)
				die("%s cannot be written", optarg);
			break;
		case 't':
			twice = true;
			break;
		case 'g':
			against = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 4 || !sources)
		die("usage: flows [options] LEFT RIGHT SRC DST");
	if (!address_parse(&source, argv[optind + 2]) || !address_parse(&destination, argv[optind + 3]) ||
	    source.family != destination.family)
		die("SRC and DST are two addresses of one family");
	end_open(&left, argv[optind]);
	end_open(&right, argv[optind + 1]);
	if (twice || against)
		send_racing(against);
	else
		send_all();
	if (list && fclose(list))
		die("the list was not written");
	printf("sent %lu arrived %lu answered %lu back %lu\n", sent, arrived, answered, back);
	return 0;
}
