// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A crowd of TCP connections that live at the same time.
 *
 * crowd serve PORT                       answers each 8 bytes of a connection with the same 8 bytes and, before
 *                                        them, the 2 bytes of the port that it sees the client have
 * crowd connect ADDRESS PORT FIRST COUNT SOURCE...
 *                                        opens COUNT connections, from the source addresses in turn, each source
 *                                        counting its ports up from FIRST; asks over each, twice: when it is open,
 *                                        and again when all are. Prints "open N right N ports N": how many
 *                                        could be opened, got both answers right, and different ports the
 *                                        server has seen; then, when standard input ends, closes all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUESTION 8
#define ANSWER 10
#define PATIENCE_MS 30000

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void lift_limit(void)
{
	struct rlimit limit = { 200000, 200000 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
}

static struct sockaddr_in address_of(const char *text, unsigned int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
		fprintf(stderr, "%s: no address\n", text);
		exit(1);
	}
	return address;
}

static void answer(int end, uint16_t port)
{
	char data[ANSWER];
	ssize_t got = recv(end, data + 2, QUESTION, 0);

	if (got != QUESTION) {
		close(end);
		return;
	}
	memcpy(data, &port, sizeof(port));
	if (send(end, data, sizeof(data), MSG_NOSIGNAL) < 0)
		close(end);
}

static void serve(unsigned int port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) }, peer;
	int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0), one = 1, i, count;
	static uint16_t ports[200000];
	struct epoll_event events[256], event = { .events = EPOLLIN };

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 8192))
		die("listen");
	event.data.fd = listener;
	epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		count = epoll_wait(poll, events, 256, -1);
		for (i = 0; i < count; i++) {
			int end = events[i].data.fd;
			socklen_t length = sizeof(peer);

			if (end != listener) {
				answer(end, ports[end]);
				continue;
			}
			end = accept(listener, (struct sockaddr *)&peer, &length);
			if (end < 0)
				continue;
			ports[end] = ntohs(peer.sin_port);
			event.data.fd = end;
			epoll_ctl(poll, EPOLL_CTL_ADD, end, &event);
		}
	}
}

/* Asks over @end; 0 when the answer is right, with the port the server saw. */
static int ask(int end, uint64_t question, uint16_t *port)
{
	struct pollfd poll_end = { .fd = end, .events = POLLIN };
	char data[ANSWER];
	size_t got = 0;

	if (send(end, &question, sizeof(question), MSG_NOSIGNAL) != QUESTION)
		return -1;
	while (got < sizeof(data)) {
		ssize_t more;

		if (poll(&poll_end, 1, PATIENCE_MS) != 1)
			return -1;
		more = recv(end, data + got, sizeof(data) - got, 0);
		if (more <= 0)
			return -1;
		got += more;
	}
	memcpy(port, data, sizeof(*port));
	return memcmp(data + 2, &question, QUESTION) ? -1 : 0;
}

static int open_one(const char *source, unsigned int port, const struct sockaddr_in *to)
{
	struct sockaddr_in from = address_of(source, port);
	int end = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (end < 0)
		die("socket");
	setsockopt(end, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(end, (struct sockaddr *)&from, sizeof(from)) && !connect(end, (struct sockaddr *)to, sizeof(*to)))
		return end;
	close(end);
	return -1;
}

static void connect_all(const char *address, unsigned int port, unsigned int first, unsigned int count,
			char **sources, unsigned int source_count)
{
	struct sockaddr_in to = address_of(address, port);
	unsigned int i, opened = 0, right = 0, different = 0;
	int *ends = calloc(count, sizeof(*ends));
	uint16_t *ports = calloc(count, sizeof(*ports)), again;
	static unsigned char seen[65536];
	char end_of_input;

	for (i = 0; i < count; i++) {
		ends[i] = open_one(sources[i % source_count], first + i / source_count, &to);
		if (ends[i] < 0)
			continue;
		opened++;
		if (ask(ends[i], (uint64_t)getpid() << 32 | i, &ports[i])) {
			close(ends[i]);
			ends[i] = -1;
		}
	}
	for (i = 0; i < count; i++) {
		if (ends[i] < 0 || ask(ends[i], ~(uint64_t)i, &again) || again != ports[i])
			continue;
		right++;
		different += !seen[again];
		seen[again] = 1;
	}
	printf("open %u right %u ports %u\n", opened, right, different);
	fflush(stdout);
	while (read(0, &end_of_input, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	lift_limit();
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(atoi(argv[2]));
	if (argc < 7 || strcmp(argv[1], "connect")) {
		fprintf(stderr, "crowd serve PORT | connect ADDRESS PORT FIRST COUNT SOURCE...\n");
		return 2;
	}
	connect_all(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), argv + 6, argc - 6);
	return 0;
}
