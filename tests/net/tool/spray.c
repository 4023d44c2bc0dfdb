// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * spray ADDRESS COUNT: sends COUNT UDP datagrams from this machine to different ends: to the ports 5000 to 5099 of
 * ADDRESS, of the address behind it, and so on. Each makes a state of its own, with little work for anybody else:
 * half a million take seconds in a slow guest, too. Nobody is to answer; the test sees to that.
 */
#define _GNU_SOURCE /* sendmmsg */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST_PORT 5000
#define PORTS 100
#define BATCH 512

int main(int argc, char **argv)
{
	static struct sockaddr_in to[BATCH];
	static struct mmsghdr messages[BATCH];
	static struct iovec payload = { .iov_base = "ipfi", .iov_len = 4 };
	struct in_addr address;
	unsigned long count, sent = 0;
	int fd;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &address) != 1) {
		fprintf(stderr, "usage: spray ADDRESS COUNT\n");
		return 2;
	}
	count = strtoul(argv[2], NULL, 10);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0) {
		perror("socket");
		return 1;
	}
	while (sent < count) {
		unsigned int batch = count - sent < BATCH ? (unsigned int)(count - sent) : BATCH;
		int done;

		for (unsigned int i = 0; i < batch; i++) {
			to[i].sin_family = AF_INET;
			to[i].sin_addr.s_addr = htonl(ntohl(address.s_addr) + (uint32_t)((sent + i) / PORTS));
			to[i].sin_port = htons((uint16_t)(FIRST_PORT + (sent + i) % PORTS));
			messages[i].msg_hdr.msg_name = &to[i];
			messages[i].msg_hdr.msg_namelen = sizeof(to[i]);
			messages[i].msg_hdr.msg_iov = &payload;
			messages[i].msg_hdr.msg_iovlen = 1;
		}
		done = sendmmsg(fd, messages, batch, 0);
		if (done < 0) {
			/* The queue of the device is full for a moment. */
			if (errno == ENOBUFS || errno == EAGAIN || errno == EINTR)
				continue;
			perror("sendmmsg");
			return 1;
		}
		sent += (unsigned long)done;
	}
	return 0;
}
