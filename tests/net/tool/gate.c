// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gate NAME...: packets into the kernel and out of it, one at a time. Makes TUN devices of these names in the network
 * namespace that it runs in and prints "ready" when they stand; the caller gives them addresses. Then it is asked
 * on standard input and answers on standard output, numbers in the machine's byte order:
 *
 *	u8 where       from 0 on: the packet comes in by that device; OUT: it is made here
 *	u32 user       OUT: the owner of the socket
 *	u32 mark       OUT: the packet's mark
 *	u16 length, then so many bytes: the IP packet
 *
 * (a byte LATE alone asks for what comes in the next moment) and, until a byte END, each packet that came out:
 *
 *	u8 where       from 0 on: it left by that device; OUT: it is for this machine
 *	u16 length, and the bytes
 *
 * What is for this machine is read from log group GROUP, where a rule behind the firewall's last hook has to put it
 * before it drops it; otherwise the machine itself would answer. The kernel works on a packet while it is written, and
 * nearly always what is not there afterwards will not come: who knows better asks with LATE.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "end.h"

#define GROUP 9
#define OUT 0xff
#define END 0xfe
#define LATE 0xfd
#define LATE_MS 10
#define DEVICES_MOST 8
#define USERS_MOST 8
#define PACKET_MAX 65535
#define BUFFER (4 << 20)

static int devices[DEVICES_MOST];
static unsigned int device_count;
static int log_socket;

/* Raw sockets by owner: the rules ask for the owner of the socket that sends. */
static struct {
	uint32_t user;
	int ipv4, ipv6;
} users[USERS_MOST];
static unsigned int user_count;

static int make_device(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		die("/dev/net/tun: %s", strerror(errno));
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request))
		die("%s: %s", name, strerror(errno));
	return fd;
}

/* A message of nfnetlink_log with one attribute. */
static void configure(uint16_t attribute, const void *value, uint16_t length)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg general;
		struct nlattr attr;
		uint8_t value[32];
	} message = {
		.header.nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.general.version = NFNETLINK_V0,
		.general.res_id = htons(GROUP),
		.attr.nla_type = attribute,
		.attr.nla_len = NLA_HDRLEN + length,
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[256];
	} answer;

	memcpy(message.value, value, length);
	message.header.nlmsg_len = NLMSG_LENGTH(sizeof(message.general)) + NLA_ALIGN(message.attr.nla_len);
	if (send(log_socket, &message, message.header.nlmsg_len, 0) < 0 ||
	    recv(log_socket, &answer, sizeof(answer), 0) < 0 || answer.error.error)
		die("log group: %s", strerror(answer.error.error ? -answer.error.error : errno));
}

static void open_log(void)
{
	struct nfulnl_msg_config_cmd bind = { .command = NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode mode = { .copy_range = htonl(0xffff), .copy_mode = NFULNL_COPY_PACKET };
	uint32_t at_once = htonl(1);
	int size = BUFFER;

	log_socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (log_socket < 0)
		die("netlink: %s", strerror(errno));
	setsockopt(log_socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	configure(NFULA_CFG_CMD, &bind, sizeof(bind));
	configure(NFULA_CFG_MODE, &mode, sizeof(mode));
	configure(NFULA_CFG_QTHRESH, &at_once, sizeof(at_once));
}

static int raw_socket(int family, uint32_t user)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), on = 1;

	if (fd < 0 || fchown(fd, user, (gid_t)-1))
		die("raw socket: %s", strerror(errno));
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on)))
		die("IPV6_HDRINCL: %s", strerror(errno));
	return fd;
}

static int socket_of(uint32_t user, bool v6)
{
	unsigned int i;

	for (i = 0; i < user_count && users[i].user != user; i++)
		;
	if (i == user_count) {
		if (i == USERS_MOST)
			die("more than %d users", USERS_MOST);
		users[i].user = user;
		users[i].ipv4 = raw_socket(AF_INET, user);
		users[i].ipv6 = raw_socket(AF_INET6, user);
		user_count++;
	}
	return v6 ? users[i].ipv6 : users[i].ipv4;
}

static void send_out(const uint8_t *packet, uint16_t length, uint32_t user, uint32_t mark)
{
	const bool v6 = packet[0] >> 4 == 6;
	const int fd = socket_of(user, v6);
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };

	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		die("SO_MARK: %s", strerror(errno));
	memcpy(v6 ? (void *)&to6.sin6_addr : (void *)&to4.sin_addr, packet + (v6 ? 24 : 16), v6 ? 16 : 4);
	/* That the firewall refuses it is what is asked about; the answer is that it does not come out. */
	if (sendto(fd, packet, length, 0, v6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4,
		   v6 ? sizeof(to6) : sizeof(to4)) < 0 &&
	    errno != EPERM && errno != ECONNREFUSED)
		fprintf(stderr, "gate: sending: %s\n", strerror(errno));
}

static void write_all(const void *data, size_t length)
{
	if (fwrite(data, 1, length, stdout) != length)
		exit(0);
}

static void tell(uint8_t where, const uint8_t *packet, uint16_t length)
{
	write_all(&where, sizeof(where));
	write_all(&length, sizeof(length));
	write_all(packet, length);
}

/* The payloads of one read from the log group. */
static void tell_log(const uint8_t *data, size_t length)
{
	for (const struct nlmsghdr *message = (const void *)data; NLMSG_OK(message, length);
	     message = NLMSG_NEXT(message, length)) {
		const uint8_t *at = (const uint8_t *)NLMSG_DATA(message) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
		const uint8_t *stop = (const uint8_t *)message + message->nlmsg_len;

		if (message->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
			continue;
		while (at + NLA_HDRLEN <= stop) {
			const struct nlattr *attr = (const void *)at;

			if (attr->nla_len < NLA_HDRLEN || at + attr->nla_len > stop)
				break;
			if ((attr->nla_type & NLA_TYPE_MASK) == NFULA_PAYLOAD)
				tell(OUT, at + NLA_HDRLEN, attr->nla_len - NLA_HDRLEN);
			at += NLA_ALIGN(attr->nla_len);
		}
	}
}

static void collect(void)
{
	static uint8_t buffer[BUFFER];
	ssize_t length;

	for (unsigned int i = 0; i < device_count; i++) {
		while ((length = read(devices[i], buffer, sizeof(buffer))) > 0)
			tell((uint8_t)i, buffer, (uint16_t)length);
	}
	while ((length = recv(log_socket, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		tell_log(buffer, length);
}

/* Until something comes, or for a moment. */
static void wait_for_more(void)
{
	struct pollfd fds[DEVICES_MOST + 1];

	for (unsigned int i = 0; i < device_count; i++)
		fds[i] = (struct pollfd){ .fd = devices[i], .events = POLLIN };
	fds[device_count] = (struct pollfd){ .fd = log_socket, .events = POLLIN };
	poll(fds, device_count + 1, LATE_MS);
}

static bool read_exactly(void *to, size_t length)
{
	return fread(to, 1, length, stdin) == length;
}

int main(int argc, char **argv)
{
	static uint8_t packet[PACKET_MAX];
	uint8_t where;

	if (argc < 2 || argc - 1 > DEVICES_MOST)
		die("usage: gate NAME...");
	for (; device_count < (unsigned int)argc - 1; device_count++)
		devices[device_count] = make_device(argv[device_count + 1]);
	open_log();
	puts("ready");
	fflush(stdout);
	while (read_exactly(&where, sizeof(where))) {
		uint32_t user, mark;
		uint16_t length;
		uint8_t end = END;

		if (where == LATE) {
			wait_for_more();
			collect();
			write_all(&end, sizeof(end));
			fflush(stdout);
			continue;
		}
		if (!read_exactly(&user, sizeof(user)) || !read_exactly(&mark, sizeof(mark)) ||
		    !read_exactly(&length, sizeof(length)) || !read_exactly(packet, length))
			die("gate: the packet is cut");
		if (where == OUT)
			send_out(packet, length, user, mark);
		else if (where >= device_count || write(devices[where], packet, length) != length)
			die("gate: device %u: %s", where, strerror(errno));
		collect();
		write_all(&end, sizeof(end));
		fflush(stdout);
	}
	return 0;
}
