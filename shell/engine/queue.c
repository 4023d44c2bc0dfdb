// SPDX-License-Identifier: GPL-2.0-or-later
/* What waits for the reader of a socket: answers, events, the parts of a dump. */
#include "shell/engine/socket.h"

/* Bytes of events that wait before more are lost: what a socket of the program's has in the kernel. */
#define WAITING_MOST (1024 * 1024)

/* A part of a dump, unless a message is longer. */
#define DUMP_BUFFER SKB_WITH_OVERHEAD(32768)

struct sk_buff *socket_take(struct engine_socket *socket)
{
	struct sk_buff *skb = socket->first;

	if (!skb)
		return NULL;
	socket->first = skb->next;
	if (!socket->first)
		socket->last = &socket->first;
	socket->waiting -= skb->len;
	return skb;
}

void socket_queue(struct engine_socket *socket, struct sk_buff *skb)
{
	skb->next = NULL;
	*socket->last = skb;
	socket->last = &skb->next;
	socket->waiting += skb->len;
}

void socket_tell(struct engine_socket *socket, const struct sk_buff *skb)
{
	struct sk_buff *copy = socket->waiting + skb->len > WAITING_MOST ? NULL : skb_make(skb->len, 0);

	if (!copy) {
		socket->lost = true;
		return;
	}
	memcpy(skb_put(copy, skb->len), skb->data, skb->len);
	socket_queue(socket, copy);
}

/* The offset of @at in the request, if it is a part of that. */
static bool offset_in(const struct nlmsghdr *request, const void *at, u32 *offset)
{
	const ptrdiff_t bytes = (const u8 *)at - (const u8 *)request;

	if (!at || bytes < 0 || bytes >= (ptrdiff_t)request->nlmsg_len)
		return false;
	*offset = (u32)bytes;
	return true;
}

static void put_extack(struct sk_buff *skb, const struct nlmsghdr *request, int err,
		       const struct netlink_ext_ack *extack)
{
	u32 offset;

	if (extack->_msg)
		nla_put_string(skb, NLMSGERR_ATTR_MSG, extack->_msg);
	if (!err)
		return;
	if (offset_in(request, extack->bad_attr, &offset))
		nla_put_u32(skb, NLMSGERR_ATTR_OFFS, offset);
	if (extack->miss_type)
		nla_put_u32(skb, NLMSGERR_ATTR_MISS_TYPE, extack->miss_type);
	if (offset_in(request, extack->miss_nest, &offset))
		nla_put_u32(skb, NLMSGERR_ATTR_MISS_NEST, offset);
}

/* As a socket gets it that asks for extended acknowledgements, and not for its request back. */
void socket_acknowledge(struct engine_socket *socket, const struct nlmsghdr *request, int err,
			const struct netlink_ext_ack *extack)
{
	const size_t text = extack->_msg ? strlen(extack->_msg) + 1 : 0;
	struct sk_buff *skb = skb_make((unsigned int)(NLMSG_SPACE(sizeof(struct nlmsgerr)) + text + 64), 0);
	struct nlmsgerr *error;
	struct nlmsghdr *nlh;

	if (!skb) {
		socket->lost = true;
		return;
	}
	nlh = nlmsg_put(skb, socket->portid, request->nlmsg_seq, NLMSG_ERROR, sizeof(*error), NLM_F_CAPPED);
	error = nlmsg_data(nlh);
	error->error = err;
	error->msg = *request;
	put_extack(skb, request, err, extack);
	if (skb->len > NLMSG_SPACE(sizeof(*error)))
		nlh->nlmsg_flags |= NLM_F_ACK_TLVS;
	nlmsg_end(skb, nlh);
	socket_queue(socket, skb);
}

void socket_end_dump(struct engine_socket *socket)
{
	struct netlink_callback *cb = &socket->dump.cb;

	if (!socket->dump.runs)
		return;
	socket->dump.runs = false;
	if (socket->dump.op->done)
		socket->dump.op->done(cb);
	free(socket->dump.info.attrs);
	kfree_skb(cb->skb);
}

/* The last message of a dump. */
static void put_done(struct sk_buff *skb, struct netlink_callback *cb, u32 portid, int err)
{
	struct nlmsghdr *nlh = nlmsg_put(skb, portid, cb->nlh->nlmsg_seq, NLMSG_DONE, sizeof(err), NLM_F_MULTI);

	if (cb->prev_seq && cb->seq != cb->prev_seq)
		nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
	memcpy(nlmsg_data(nlh), &err, sizeof(err));
	if (!cb->extack->_msg)
		return;
	nlh->nlmsg_flags |= NLM_F_ACK_TLVS;
	nla_put_string(skb, NLMSGERR_ATTR_MSG, cb->extack->_msg);
	nlmsg_end(skb, nlh);
}

void socket_dump(struct engine_socket *socket)
{
	struct netlink_callback *cb = &socket->dump.cb;
	struct sk_buff *skb = skb_make(max_t(u32, cb->min_dump_alloc, DUMP_BUFFER), 0);
	struct netlink_ext_ack extack = {};
	int err;

	if (!skb) {
		socket->lost = true;
		socket_end_dump(socket);
		return;
	}
	cb->extack = &extack;
	err = socket->dump.op->dumpit(skb, cb);
	if (err > 0 || skb_tailroom(skb) < NLMSG_SPACE(sizeof(err)) + 256) {
		socket_queue(socket, skb);
		return;
	}
	put_done(skb, cb, socket->portid, err);
	socket_queue(socket, skb);
	socket_end_dump(socket);
}
