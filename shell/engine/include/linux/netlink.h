/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink messages, sockets and dumps (../../socket.c), and what an error says beside its number. */
#ifndef IPFI_ENGINE_LINUX_NETLINK_H
#define IPFI_ENGINE_LINUX_NETLINK_H

#include_next <linux/netlink.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/skbuff.h>
#include <net/sock.h>

struct nla_policy;

#define NETLINK_URELEASE 1

struct netlink_notify {
	struct net *net;
	u32 portid;
	int protocol;
};

struct netlink_ext_ack {
	const char *_msg;
	const struct nlattr *bad_attr;
	const struct nla_policy *policy;
	const struct nlattr *miss_nest;
	u16 miss_type;
};

#define NL_SET_ERR_MSG(extack, text)              \
	do {                                      \
		struct netlink_ext_ack *ack_ = (extack); \
		if (ack_)                         \
			ack_->_msg = (text);      \
	} while (0)
#define NL_SET_BAD_ATTR(extack, attr)             \
	do {                                      \
		struct netlink_ext_ack *ack_ = (extack); \
		if (ack_) {                       \
			ack_->bad_attr = (attr);  \
			ack_->policy = NULL;      \
		}                                 \
	} while (0)
#define NL_SET_ERR_MSG_ATTR(extack, attr, text)   \
	do {                                      \
		NL_SET_ERR_MSG(extack, text);     \
		NL_SET_BAD_ATTR(extack, attr);    \
	} while (0)
#define NL_SET_ERR_ATTR_MISS(extack, nest, type)  \
	do {                                      \
		struct netlink_ext_ack *ack_ = (extack); \
		if (ack_) {                       \
			ack_->miss_nest = (nest); \
			ack_->miss_type = (u16)(type); \
		}                                 \
	} while (0)

struct netlink_callback {
	struct sk_buff *skb; /* the request */
	const struct nlmsghdr *nlh;
	struct netlink_ext_ack *extack; /* NULL while a dump is started */
	void *data;
	u32 min_dump_alloc;
	unsigned int prev_seq, seq;
	union {
		u8 ctx[48];
		long args[6];
	} __aligned(8);
};

int netlink_register_notifier(struct notifier_block *block);
int netlink_unregister_notifier(struct notifier_block *block);

#endif
