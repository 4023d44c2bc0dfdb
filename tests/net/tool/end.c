// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "end.h"

void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

void stay_on_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %u: %s", cpu, strerror(errno));
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void enter(const char *space)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", space);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("namespace %s: %s", space, strerror(errno));
	close(fd);
}

/* A packet socket in @space, and the index and hardware address of @device there. */
static int open_device(const char *space, const char *device, int *index, uint8_t address[6])
{
	struct ifreq request = { 0 };
	int fd;

	enter(space);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("packet socket in %s: %s", space, strerror(errno));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (ioctl(fd, SIOCGIFINDEX, &request))
		die("%s/%s: %s", space, device, strerror(errno));
	*index = request.ifr_ifindex;
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		die("%s/%s: %s", space, device, strerror(errno));
	memcpy(address, request.ifr_hwaddr.sa_data, 6);
	return fd;
}

void end_open(struct end *end, const char *text)
{
	char space[64], device[64], peer_space[64], peer_device[64];
	struct sockaddr_ll where = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int on = 1, room = 32 << 20, index;
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (sscanf(text, "%63[^/]/%63[^@]@%63[^/]/%63s", space, device, peer_space, peer_device) != 4)
		die("'%s' is no SPACE/DEVICE@SPACE/DEVICE", text);
	close(open_device(peer_space, peer_device, &index, end->peer));
	end->fd = open_device(space, device, &index, end->own);
	where.sll_ifindex = index;
	/* The root of a user namespace gets as much room as anybody. */
	if (setsockopt(end->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) && errno == EPERM)
		setsockopt(end->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	/* What the socket sends itself would come back otherwise. */
	if (setsockopt(end->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    bind(end->fd, (struct sockaddr *)&where, sizeof(where)))
		die("%s: %s", text, strerror(errno));
	if (home < 0 || setns(home, CLONE_NEWNET))
		die("back to the first namespace: %s", strerror(errno));
	close(home);
}

void end_send(const struct end *end, uint8_t *frame, size_t length)
{
	uint16_t type = htons(frame[END_ETHERNET] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6);
	ssize_t sent;

	memcpy(frame, end->peer, 6);
	memcpy(frame + 6, end->own, 6);
	memcpy(frame + 12, &type, 2);
	do
		sent = send(end->fd, frame, length + END_ETHERNET, 0);
	while (sent < 0 && (errno == ENOBUFS || errno == EINTR));
	if (sent < 0)
		die("send: %s", strerror(errno));
}

size_t end_receive(const struct end *end, uint8_t *frame, int milliseconds)
{
	struct pollfd poll_fd = { .fd = end->fd, .events = POLLIN };
	int64_t until = now_ms() + milliseconds;
	ssize_t length;
	uint16_t type;

	for (;;) {
		length = recv(end->fd, frame, END_FRAME_MAX, MSG_DONTWAIT);
		if (length > END_ETHERNET) {
			memcpy(&type, frame + 12, 2);
			if (type == htons(ETH_P_IP) || type == htons(ETH_P_IPV6))
				return length - END_ETHERNET;
		} else if (length < 0) {
			int64_t left = until - now_ms();

			if (errno != EAGAIN && errno != EINTR)
				die("receive: %s", strerror(errno));
			if (left <= 0)
				return 0;
			poll(&poll_fd, 1, left);
		}
	}
}
