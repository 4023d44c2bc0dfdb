/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic netlink family and its commands (../../genetlink.c). */
#ifndef IPFI_ENGINE_NET_GENETLINK_H
#define IPFI_ENGINE_NET_GENETLINK_H

#include <linux/genetlink.h>
#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

#define GENL_DONT_VALIDATE_STRICT (1 << 0)
#define GENL_DONT_VALIDATE_DUMP (1 << 1)
#define GENL_MCAST_CAP_NET_ADMIN (1 << 0)

struct genl_info {
	u32 snd_seq, snd_portid;
	const struct nlmsghdr *nlhdr;
	struct genlmsghdr *genlhdr;
	struct nlattr **attrs;
	struct net *net;
	struct netlink_ext_ack *extack;
};

struct genl_ops {
	int (*doit)(struct sk_buff *skb, struct genl_info *info);
	int (*start)(struct netlink_callback *cb);
	int (*dumpit)(struct sk_buff *skb, struct netlink_callback *cb);
	int (*done)(struct netlink_callback *cb);
	const struct nla_policy *policy;
	unsigned int maxattr;
	u8 cmd, flags, validate;
};

struct genl_multicast_group {
	char name[16];
	u8 flags;
};

struct genl_family {
	char name[16];
	unsigned int version, hdrsize, maxattr;
	bool netnsok, parallel_ops;
	u8 resv_start_op; /* commands from here on are strict about their headers */
	const struct genl_ops *ops;
	unsigned int n_ops;
	const struct genl_multicast_group *mcgrps;
	unsigned int n_mcgrps;
	struct module *module;
};

struct genl_dumpit_info {
	struct nlattr **attrs;
};

#define GENL_SET_ERR_MSG(info, text) NL_SET_ERR_MSG((info)->extack, text)

static inline struct net *genl_info_net(const struct genl_info *info)
{
	return info->net;
}

static inline const struct genl_dumpit_info *genl_dumpit_info(const struct netlink_callback *cb)
{
	return cb->data;
}

int genl_register_family(struct genl_family *family);
int genl_unregister_family(const struct genl_family *family);

static inline int genlmsg_total_size(int payload)
{
	return NLMSG_ALIGN(GENL_HDRLEN + payload);
}

static inline struct sk_buff *genlmsg_new(size_t payload, gfp_t flags)
{
	return nlmsg_new((size_t)genlmsg_total_size((int)payload), flags);
}

/* A message's header, behind which its attributes begin. NULL when there is no room. */
void *genlmsg_put(struct sk_buff *skb, u32 portid, u32 seq, const struct genl_family *family, int flags, u8 cmd);

static inline void *genlmsg_put_reply(struct sk_buff *skb, const struct genl_info *info,
				      const struct genl_family *family, int flags, u8 cmd)
{
	return genlmsg_put(skb, info->snd_portid, info->snd_seq, family, flags, cmd);
}

static inline void genlmsg_end(struct sk_buff *skb, void *header)
{
	nlmsg_end(skb, (void *)((char *)header - GENL_HDRLEN - NLMSG_HDRLEN));
}

static inline void genlmsg_cancel(struct sk_buff *skb, void *header)
{
	if (header)
		nlmsg_trim(skb, (char *)header - GENL_HDRLEN - NLMSG_HDRLEN);
}

int genlmsg_parse(const struct nlmsghdr *nlh, const struct genl_family *family, struct nlattr *tb[], int max,
		  const struct nla_policy *policy, struct netlink_ext_ack *extack);

/* @skb is the engine's then. */
int genlmsg_reply(struct sk_buff *skb, struct genl_info *info);
int genlmsg_multicast_netns(const struct genl_family *family, struct net *net, struct sk_buff *skb, u32 portid,
			    unsigned int group, gfp_t flags);

bool genl_has_listeners(const struct genl_family *family, struct net *net, unsigned int group);

/* Tells those who listen to the group that they missed something. */
int genl_set_err(const struct genl_family *family, struct net *net, u32 portid, u32 group, int error);

/* Marks a message of a dump whose cb->seq has changed since the last one. */
void genl_dump_check_consistent(struct netlink_callback *cb, void *header);

#endif
