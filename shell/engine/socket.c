// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/engine/socket.h"

static struct notifier_block *closing;
static u32 last_portid;

int netlink_register_notifier(struct notifier_block *block)
{
	closing = block;
	return 0;
}

int netlink_unregister_notifier(struct notifier_block *block)
{
	BUG_ON(closing != block);
	closing = NULL;
	return 0;
}

struct engine_socket *engine_socket_open(struct engine_world *one)
{
	struct engine_socket *socket = calloc(1, sizeof(*socket));

	if (!socket)
		return NULL;
	socket->sk.net = &one->net;
	socket->portid = ++last_portid;
	socket->last = &socket->first;
	list_add_tail(&socket->entry, &one->sockets);
	return socket;
}

struct engine_socket *engine_socket_again(const struct engine_socket *socket)
{
	return socket->sk.net ? engine_socket_open(world_of(socket->sk.net)) : NULL;
}

/* All that it has in its world, which is running. */
static void leave(struct engine_socket *socket)
{
	struct netlink_notify notify = {
		.net = socket->sk.net,
		.portid = socket->portid,
		.protocol = NETLINK_GENERIC,
	};

	socket_end_dump(socket);
	if (closing)
		closing->notifier_call(closing, NETLINK_URELEASE, &notify);
	list_del(&socket->entry);
	socket->sk.net = NULL;
}

void engine_socket_close(struct engine_socket *socket)
{
	struct sk_buff *skb;

	if (!socket)
		return;
	if (socket->sk.net) {
		world_enter(world_of(socket->sk.net));
		leave(socket);
		world_leave();
	}
	while ((skb = socket_take(socket)))
		kfree_skb(skb);
	free(socket);
}

void socket_orphan(struct engine_world *one)
{
	while (!list_empty(&one->sockets))
		leave(list_first_entry(&one->sockets, struct engine_socket, entry));
}

static void work_on(struct engine_socket *socket, struct sk_buff *skb)
{
	struct nlmsghdr *nlh;
	unsigned int length;
	int err;

	for (; skb->len >= NLMSG_HDRLEN; skb->data += length, skb->len -= length) {
		struct netlink_ext_ack extack = {};

		nlh = (struct nlmsghdr *)skb->data;
		if (nlh->nlmsg_len < NLMSG_HDRLEN || nlh->nlmsg_len > skb->len)
			return;
		err = 0;
		if (nlh->nlmsg_flags & NLM_F_REQUEST && nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			err = genetlink_receive(socket, skb, nlh, &extack);
		/* A dump that has begun is not acknowledged. */
		if (err != -EINTR && (err || nlh->nlmsg_flags & NLM_F_ACK))
			socket_acknowledge(socket, nlh, err, &extack);
		work_settle();
		length = min_t(unsigned int, NLMSG_ALIGN(nlh->nlmsg_len), skb->len);
	}
}

int engine_socket_send(struct engine_socket *socket, const void *data, size_t len)
{
	struct sk_buff *skb;

	if (!socket->sk.net)
		return -ENODEV;
	skb = skb_make((unsigned int)len, 0);
	if (!skb)
		return -ENOMEM;
	memcpy(skb_put(skb, (unsigned int)len), data, len);
	skb->sk = &socket->sk;
	skb->cb.portid = socket->portid;
	world_enter(world_of(socket->sk.net));
	work_on(socket, skb);
	world_leave();
	kfree_skb(skb);
	return 0;
}

int engine_socket_receive(struct engine_socket *socket, void *data, size_t size)
{
	struct sk_buff *skb;
	int length;

	if (socket->lost) {
		socket->lost = false;
		return -ENOBUFS;
	}
	if (!socket->first && socket->dump.runs) {
		world_enter(world_of(socket->sk.net));
		socket_dump(socket);
		world_leave();
	}
	skb = socket_take(socket);
	if (!skb)
		return socket->sk.net ? 0 : -ENODEV;
	length = skb->len > size ? -EMSGSIZE : (int)skb->len;
	if (length > 0)
		memcpy(data, skb->data, skb->len);
	kfree_skb(skb);
	return length;
}

int engine_socket_join(struct engine_socket *socket, uint32_t group)
{
	const int place = genetlink_group(group);

	if (!socket->sk.net)
		return -ENODEV;
	if (place < 0)
		return place;
	socket->groups |= 1U << place;
	return 0;
}
