/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket: a socket of generic netlink, the messages that wait for its reader, and the dump it may be reading. */
#ifndef IPFI_ENGINE_SOCKET_H
#define IPFI_ENGINE_SOCKET_H

#include <linux/list.h>
#include <linux/netlink.h>
#include <net/genetlink.h>

#include "shell/engine/world.h"

struct engine_socket {
	struct sock sk; /* its net is NULL when its world has gone */
	struct list_head entry; /* in its world */
	u32 portid;
	u32 groups; /* mask: bit 0 is the family's first */
	struct sk_buff *first, **last; /* what waits */
	unsigned int waiting; /* bytes of it */
	bool lost;            /* events, not yet told */
	struct {
		bool runs;
		const struct genl_ops *op;
		struct netlink_callback cb;
		struct genl_dumpit_info info;
	} dump;
};

/* What has waited longest, NULL for nothing. The caller's then. */
struct sk_buff *socket_take(struct engine_socket *socket);

/* @skb waits for the reader then. */
void socket_queue(struct engine_socket *socket, struct sk_buff *skb);

/* An event: lost when too much waits already. Copies @skb. */
void socket_tell(struct engine_socket *socket, const struct sk_buff *skb);

/* Answers @request with a number and what @extack says of it. */
void socket_acknowledge(struct engine_socket *socket, const struct nlmsghdr *request, int err,
			const struct netlink_ext_ack *extack);

/* The next part of the socket's dump waits for the reader then. */
void socket_dump(struct engine_socket *socket);

/* Ends a dump that is not at its end. */
void socket_end_dump(struct engine_socket *socket);

/* A message for the family or for the one that tells of families (genetlink.c): 0, or what is to be acknowledged. */
int genetlink_receive(struct engine_socket *socket, struct sk_buff *skb, const struct nlmsghdr *nlh,
		      struct netlink_ext_ack *extack);

/* The family's group of that number as its place in the family, or -EINVAL. */
int genetlink_group(u32 number);

#endif
