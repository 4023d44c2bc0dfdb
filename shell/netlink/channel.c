// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * channel: see channel.h.
 *
 * The socket is libnl's. What comes in is read here: a dump is read as its consumer asks for rows, in
 * a buffer that is kept, and may be left by a Lua error at each of them, while libnl's callbacks own
 * the buffer as long as they run. The engine answers while a message is sent to it: what it has to
 * say waits in its own socket.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/netlink.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "shell/netlink/channel.h"
#include "shell/engine/engine.h"
#include "shell/interrupt.h"

/* Tried for; what the system grants is asked for afterwards. */
#define WANTED_BUFFER (1024 * 1024)
/*
 * A chunk of a stream: large enough that the cost of a call is spread, small enough to stay in the
 * cache.
 */
#define SEND_MOST (256 * 1024)

static void set_option(int fd, int level, int option, int value)
{
	/* Options that an older kernel lacks only make its errors less precise. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static void set_buffer(int fd, int forced, int plain)
{
	const int size = WANTED_BUFFER;

	/* Forcing, beyond the administrator's limit, needs CAP_NET_ADMIN. */
	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) != 0)
		set_option(fd, SOL_SOCKET, plain, size);
}

/* A send buffer counts the kernel's overhead too; half of it is surely there. */
static size_t send_most(int fd)
{
	int size = 0;
	socklen_t len = sizeof(size);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) != 0 || size <= 0)
		return SEND_MOST / 4;
	return size / 2 < SEND_MOST ? (size_t)size / 2 : SEND_MOST;
}

/* libnl tells its own error numbers; what the system said before is more precise. */
static int system_error(void)
{
	return errno ? -errno : -EIO;
}

int channel_open(struct channel *channel)
{
	int error;

	memset(channel, 0, sizeof(*channel));
	channel->fd = -1;
	channel->socket = nl_socket_alloc();
	channel->buffer = malloc(CHANNEL_BUFFER);
	if (!channel->socket || !channel->buffer) {
		channel_close(channel);
		return -ENOMEM;
	}
	errno = 0;
	if (genl_connect(channel->socket) < 0) {
		error = system_error();
		channel_close(channel);
		return error;
	}
	channel->fd = nl_socket_get_fd(channel->socket);
	set_option(channel->fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	set_option(channel->fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	set_option(channel->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
	set_buffer(channel->fd, SO_SNDBUFFORCE, SO_SNDBUF);
	set_buffer(channel->fd, SO_RCVBUFFORCE, SO_RCVBUF);
	channel->send_most = send_most(channel->fd);
	channel->seq = (uint32_t)time(NULL);
	return 0;
}

static int open_engine(struct channel *channel, struct engine_socket *engine)
{
	memset(channel, 0, sizeof(*channel));
	channel->fd = -1;
	channel->engine = engine;
	channel->buffer = malloc(CHANNEL_BUFFER);
	if (!channel->engine || !channel->buffer) {
		channel_close(channel);
		return -ENOMEM;
	}
	channel->send_most = SEND_MOST;
	return 0;
}

int channel_open_engine(struct channel *channel, struct engine_world *world)
{
	return open_engine(channel, engine_socket_open(world));
}

int channel_open_like(struct channel *channel, const struct channel *other)
{
	if (other->engine)
		return open_engine(channel, engine_socket_again(other->engine));
	return channel_open(channel);
}

void channel_close(struct channel *channel)
{
	nl_socket_free(channel->socket);
	engine_socket_close(channel->engine);
	free(channel->buffer);
	channel->socket = NULL;
	channel->engine = NULL;
	channel->fd = -1;
	channel->buffer = NULL;
	channel->len = 0;
}

int channel_send(struct channel *channel, const void *data, size_t len)
{
	int sent;

	if (channel->engine)
		return engine_socket_send(channel->engine, data, len);
	errno = 0;
	sent = nl_sendto(channel->socket, (void *)data, len);
	if (sent < 0)
		return system_error();
	return (size_t)sent == len ? 0 : -EMSGSIZE;
}

static int receive_engine(struct channel *channel, int timeout)
{
	const int got = engine_socket_receive(channel->engine, channel->buffer, CHANNEL_BUFFER);

	channel->len = got > 0 ? (size_t)got : 0;
	if (got == 0)
		return timeout < 0 ? -ENODATA : 0;
	return got < 0 ? got : 1;
}

int channel_receive(struct channel *channel, int timeout)
{
	struct sockaddr_nl from;
	struct iovec vector = { .iov_base = channel->buffer, .iov_len = CHANNEL_BUFFER };
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};
	struct pollfd poll_fd = { .fd = channel->fd, .events = POLLIN };
	ssize_t got;
	int ready;

	if (channel->engine)
		return receive_engine(channel, timeout);
	channel->len = 0;
	do {
		message.msg_namelen = sizeof(from);
		got = recvmsg(channel->fd, &message, MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN) {
			ready = interrupt_poll(&poll_fd, 1, timeout);
			if (ready == 0 || (ready < 0 && (ready != -EINTR || interrupt_pending())))
				return ready;
			continue;
		}
		if (got < 0 && errno != EINTR)
			return -errno;
		/* Other processes may write to a netlink socket too; only the kernel has port 0. */
	} while (got < 0 || message.msg_namelen < sizeof(from) || from.nl_pid != 0);
	if (message.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	channel->len = (size_t)got;
	return 1;
}

int channel_join(struct channel *channel, uint32_t group)
{
	if (channel->engine)
		return engine_socket_join(channel->engine, group);
	errno = 0;
	return nl_socket_add_membership(channel->socket, (int)group) < 0 ? system_error() : 0;
}
