/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the generic netlink family: replies to requests, and events to those who listen. */
#ifndef IPFI_NETLINK_MESSAGE_H
#define IPFI_NETLINK_MESSAGE_H

#include <net/genetlink.h>
#include "module/net.h"
#include "module/notify.h"

/* Its commands are family.c's. */
extern struct genl_family ipfi_genl_family;

/*
 * An event of the namespace's own: starts one in a new *skb with room for @payload bytes of attributes, and sends it to
 * all who listen. NULL when memory is short, which the listeners are told. No sleep.
 */
void *ipfi_genl_event_start(struct ipfi_net *in, enum ipfi_group group, enum ipfi_cmd cmd, size_t payload,
			    struct sk_buff **skb);
void ipfi_genl_event_send(struct ipfi_net *in, enum ipfi_group group, struct sk_buff *skb, void *header);

/*
 * A reply to @info: starts one in a new skb, which is returned; NULL without memory. Sleeps. ipfi_genl_reply_end() sends
 * it. That it may not reach a socket whose buffer is full is no error: what was asked for has been done.
 */
struct sk_buff *ipfi_genl_reply_start(struct genl_info *info, size_t payload, void **header);
void ipfi_genl_reply_end(struct genl_info *info, struct sk_buff *skb, void *header);

#endif /* IPFI_NETLINK_MESSAGE_H */
