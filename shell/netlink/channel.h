/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * channel: one generic netlink socket, of the kernel or of a world of the built-in engine, with its
 * receive buffer. Knows nothing of Lua and of what the messages say.
 */
#ifndef IPFI_SHELL_CHANNEL_H
#define IPFI_SHELL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Receive buffer. The kernel fills an skb of a dump up to what the reader takes at once, 32 KiB at
 * most; the largest single message is a little over 64 KiB (a full nest and its headers).
 */
#define CHANNEL_BUFFER (128 * 1024)

struct nl_sock;
struct engine_socket;
struct engine_world;

struct channel {
	struct nl_sock *socket;
	struct engine_socket *engine; /* in the place of socket; fd is -1 then */
	int fd;		  /* its descriptor; -1: closed */
	uint32_t seq;	  /* of the last message sent */
	size_t send_most; /* bytes that one sendmsg may carry */
	uint8_t *buffer;
	size_t len; /* of what was received last */
};

/* Opens a channel. Returns 0 or -errno; a channel that could not be opened is closed. */
int channel_open(struct channel *channel);

/* The same to a world of the built-in engine. */
int channel_open_engine(struct channel *channel, struct engine_world *world);

/* The same to where another open channel leads. */
int channel_open_like(struct channel *channel, const struct channel *other);

static inline bool channel_is_open(const struct channel *channel)
{
	return channel->engine || channel->fd >= 0;
}

void channel_close(struct channel *channel);

/* Sends all of data. Returns 0 or -errno. */
int channel_send(struct channel *channel, const void *data, size_t len);

/*
 * Receives what the kernel sent next into the buffer, waiting for it at most timeout milliseconds
 * (-1: for ever). Returns 1; 0 when there was nothing in time; -errno: -EINTR after Ctrl-C,
 * -ENOBUFS when messages were lost, -ENODATA when waiting is of no use: the engine has nothing more
 * to say.
 */
int channel_receive(struct channel *channel, int timeout);

/* Joins a multicast group. Returns 0 or -errno. */
int channel_join(struct channel *channel, uint32_t group);

#endif
