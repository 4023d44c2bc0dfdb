// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generic netlink, with the one family that registers and the one that tells of families. All who ask are
 * administrators: it is their world.
 */
#include "shell/engine/socket.h"

#define FAMILY_NUMBER (GENL_ID_CTRL + 0x10)
#define GROUP_NUMBER 0x10 /* of the family's first */

#define CONTROL_NAME "nlctrl"
#define CONTROL_VERSION 2

static struct genl_family *family;

static const struct nla_policy reject_all[] = {
	{ .type = NLA_REJECT },
	{ .type = NLA_REJECT },
};

int genl_register_family(struct genl_family *one)
{
	BUG_ON(family || one->n_mcgrps > 32);
	family = one;
	return 0;
}

int genl_unregister_family(const struct genl_family *one)
{
	BUG_ON(family != one);
	family = NULL;
	return 0;
}

int genetlink_group(u32 number)
{
	if (!family || number < GROUP_NUMBER || number >= GROUP_NUMBER + family->n_mcgrps)
		return -EINVAL;
	return (int)(number - GROUP_NUMBER);
}

void *genlmsg_put(struct sk_buff *skb, u32 portid, u32 seq, const struct genl_family *one, int flags, u8 cmd)
{
	struct nlmsghdr *nlh = nlmsg_put(skb, portid, seq, FAMILY_NUMBER, GENL_HDRLEN, flags);
	struct genlmsghdr *header;

	if (!nlh)
		return NULL;
	header = nlmsg_data(nlh);
	header->cmd = cmd;
	header->version = (u8)one->version;
	return (char *)header + GENL_HDRLEN;
}

static int parse_message(const struct nlmsghdr *nlh, struct nlattr *tb[], int max, const struct nla_policy *policy,
			 bool strict, struct netlink_ext_ack *extack)
{
	struct nlattr *head = nlmsg_attrdata(nlh, GENL_HDRLEN);
	int length = nlmsg_attrlen(nlh, GENL_HDRLEN);

	return strict ? nla_parse(tb, max, head, length, policy, extack) :
			nla_parse_deprecated(tb, max, head, length, policy, extack);
}

int genlmsg_parse(const struct nlmsghdr *nlh, const struct genl_family *one, struct nlattr *tb[], int max,
		  const struct nla_policy *policy, struct netlink_ext_ack *extack)
{
	(void)one;
	return parse_message(nlh, tb, max, policy, true, extack);
}

static struct engine_socket *socket_of(const struct net *net, u32 portid)
{
	struct engine_socket *socket;

	list_for_each_entry(socket, &world_of(net)->sockets, entry)
		if (socket->portid == portid)
			return socket;
	return NULL;
}

int genlmsg_reply(struct sk_buff *skb, struct genl_info *info)
{
	struct engine_socket *socket = socket_of(info->net, info->snd_portid);

	BUG_ON(!socket);
	socket_queue(socket, skb);
	return 0;
}

bool genl_has_listeners(const struct genl_family *one, struct net *net, unsigned int group)
{
	struct engine_socket *socket;

	(void)one;
	list_for_each_entry(socket, &world_of(net)->sockets, entry)
		if (socket->groups & 1U << group)
			return true;
	return false;
}

int genlmsg_multicast_netns(const struct genl_family *one, struct net *net, struct sk_buff *skb, u32 portid,
			    unsigned int group, gfp_t flags)
{
	struct engine_socket *socket;

	(void)one;
	(void)portid;
	(void)flags;
	list_for_each_entry(socket, &world_of(net)->sockets, entry)
		if (socket->groups & 1U << group)
			socket_tell(socket, skb);
	kfree_skb(skb);
	return 0;
}

int genl_set_err(const struct genl_family *one, struct net *net, u32 portid, u32 group, int error)
{
	struct engine_socket *socket;

	(void)one;
	(void)portid;
	(void)error;
	list_for_each_entry(socket, &world_of(net)->sockets, entry)
		if (socket->groups & 1U << group)
			socket->lost = true;
	return 0;
}

void genl_dump_check_consistent(struct netlink_callback *cb, void *header)
{
	struct nlmsghdr *nlh = (void *)((char *)header - GENL_HDRLEN - NLMSG_HDRLEN);

	if (cb->prev_seq && cb->seq != cb->prev_seq)
		nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
	cb->prev_seq = cb->seq;
}

/* The family that tells of families: GETFAMILY by name is all that the program asks. */

static int put_groups(struct sk_buff *skb)
{
	struct nlattr *groups = nla_nest_start(skb, CTRL_ATTR_MCAST_GROUPS), *nest;
	unsigned int i;

	for (i = 0; groups && i < family->n_mcgrps; i++) {
		nest = nla_nest_start(skb, (int)i + 1);
		if (!nest || nla_put_u32(skb, CTRL_ATTR_MCAST_GRP_ID, GROUP_NUMBER + i) ||
		    nla_put_string(skb, CTRL_ATTR_MCAST_GRP_NAME, family->mcgrps[i].name))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	if (!groups)
		return -EMSGSIZE;
	nla_nest_end(skb, groups);
	return 0;
}

static int put_family(struct sk_buff *skb, const char *name, u16 number, u32 version, u32 attrs)
{
	if (nla_put_string(skb, CTRL_ATTR_FAMILY_NAME, name) || nla_put_u16(skb, CTRL_ATTR_FAMILY_ID, number) ||
	    nla_put_u32(skb, CTRL_ATTR_VERSION, version) || nla_put_u32(skb, CTRL_ATTR_HDRSIZE, 0) ||
	    nla_put_u32(skb, CTRL_ATTR_MAXATTR, attrs))
		return -EMSGSIZE;
	return number == FAMILY_NUMBER ? put_groups(skb) : 0;
}

/* The name that is asked for, NULL for none. */
static const char *asked_name(const struct nlmsghdr *nlh)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1], *name;

	if (parse_message(nlh, tb, CTRL_ATTR_MAX, NULL, false, NULL))
		return NULL;
	name = tb[CTRL_ATTR_FAMILY_NAME];
	return name && memchr(nla_data(name), '\0', (size_t)nla_len(name)) ? nla_data(name) : NULL;
}

static int tell_family(struct engine_socket *socket, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *asked = nlmsg_data(nlh);
	const char *name = asked_name(nlh);
	struct genlmsghdr *header;
	struct nlmsghdr *answer;
	struct sk_buff *skb;
	int err;

	if (asked->cmd != CTRL_CMD_GETFAMILY)
		return -EOPNOTSUPP;
	if (!name)
		return -EINVAL;
	if (strcmp(name, CONTROL_NAME) && strcmp(name, family->name))
		return -ENOENT;
	skb = skb_make(NLMSG_GOODSIZE, 0);
	if (!skb)
		return -ENOMEM;
	answer = nlmsg_put(skb, socket->portid, nlh->nlmsg_seq, GENL_ID_CTRL, GENL_HDRLEN, 0);
	header = nlmsg_data(answer);
	header->cmd = CTRL_CMD_NEWFAMILY;
	header->version = CONTROL_VERSION;
	if (strcmp(name, CONTROL_NAME))
		err = put_family(skb, family->name, FAMILY_NUMBER, family->version, family->maxattr);
	else
		err = put_family(skb, CONTROL_NAME, GENL_ID_CTRL, CONTROL_VERSION, CTRL_ATTR_MAX);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	nlmsg_end(skb, answer);
	socket_queue(socket, skb);
	return 0;
}

/* The module's family */

static const struct genl_ops *find_op(u8 cmd)
{
	unsigned int i;

	for (i = 0; i < family->n_ops; i++)
		if (family->ops[i].cmd == cmd)
			return &family->ops[i];
	return NULL;
}

static bool is_dump(const struct nlmsghdr *nlh)
{
	return (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

static int check_header(const struct nlmsghdr *nlh, const struct genlmsghdr *header, struct netlink_ext_ack *extack)
{
	u16 flags = nlh->nlmsg_flags;

	if (header->cmd < family->resv_start_op)
		return 0;
	if (header->reserved) {
		NL_SET_ERR_MSG(extack, "genlmsghdr.reserved field is not 0");
		return -EINVAL;
	}
	if (is_dump(nlh))
		flags &= (u16)~NLM_F_DUMP;
	if (flags & ~(NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO)) {
		NL_SET_ERR_MSG(extack, "ambiguous or reserved bits set in nlmsg_flags");
		return -EINVAL;
	}
	return 0;
}

/* The attributes by their types, NULL where the command takes what comes; to be freed. */
static int parse_attrs(const struct nlmsghdr *nlh, const struct genl_ops *op, struct nlattr ***attrs,
		       struct netlink_ext_ack *extack)
{
	const bool none = !op->policy && op->cmd >= family->resv_start_op;
	const struct nla_policy *policy = none ? reject_all : op->policy;
	const int max = none ? 1 : (int)op->maxattr;
	int err;

	*attrs = NULL;
	if (!max)
		return 0;
	*attrs = calloc((size_t)max + 1, sizeof(**attrs));
	if (!*attrs)
		return -ENOMEM;
	err = parse_message(nlh, *attrs, max, policy, !(op->validate & GENL_DONT_VALIDATE_STRICT), extack);
	if (err)
		free(*attrs);
	return err;
}

static int start_dump(struct engine_socket *socket, const struct genl_ops *op, const struct nlmsghdr *nlh,
		      struct netlink_ext_ack *extack)
{
	struct netlink_callback *cb = &socket->dump.cb;
	struct sk_buff *request;
	int err;

	if (!op->dumpit)
		return -EOPNOTSUPP;
	if (socket->dump.runs)
		return -EBUSY;
	request = skb_make(nlh->nlmsg_len, 0);
	if (!request)
		return -ENOMEM;
	request->sk = &socket->sk;
	request->cb.portid = socket->portid;
	memset(cb, 0, sizeof(*cb));
	cb->skb = request;
	cb->nlh = memcpy(skb_put(request, nlh->nlmsg_len), nlh, nlh->nlmsg_len);
	cb->data = &socket->dump.info;
	/* What is wrong is a part of the message as it was sent. */
	err = parse_attrs(nlh, op, &socket->dump.info.attrs, extack);
	if (!err) {
		free(socket->dump.info.attrs);
		err = parse_attrs(cb->nlh, op, &socket->dump.info.attrs, NULL);
	}
	if (!err && op->start) {
		err = op->start(cb);
		if (err)
			free(socket->dump.info.attrs);
	}
	if (err) {
		kfree_skb(request);
		return err;
	}
	socket->dump.op = op;
	socket->dump.runs = true;
	socket_dump(socket);
	return -EINTR;
}

static int do_it(struct engine_socket *socket, struct sk_buff *skb, const struct genl_ops *op,
		 const struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	struct genl_info info = {
		.snd_seq = nlh->nlmsg_seq,
		.snd_portid = socket->portid,
		.nlhdr = nlh,
		.genlhdr = nlmsg_data(nlh),
		.net = socket->sk.net,
		.extack = extack,
	};
	int err;

	if (!op->doit)
		return -EOPNOTSUPP;
	err = parse_attrs(nlh, op, &info.attrs, extack);
	if (err)
		return err;
	err = op->doit(skb, &info);
	free(info.attrs);
	return err;
}

int genetlink_receive(struct engine_socket *socket, struct sk_buff *skb, const struct nlmsghdr *nlh,
		      struct netlink_ext_ack *extack)
{
	const struct genlmsghdr *header = nlmsg_data(nlh);
	const struct genl_ops *op;
	int err;

	if (nlh->nlmsg_type != FAMILY_NUMBER && nlh->nlmsg_type != GENL_ID_CTRL)
		return -ENOENT;
	if ((int)nlh->nlmsg_len < nlmsg_msg_size(GENL_HDRLEN))
		return -EINVAL;
	if (nlh->nlmsg_type == GENL_ID_CTRL)
		return tell_family(socket, nlh);
	err = check_header(nlh, header, extack);
	if (err)
		return err;
	op = find_op(header->cmd);
	if (!op)
		return -EOPNOTSUPP;
	return is_dump(nlh) ? start_dump(socket, op, nlh, extack) : do_it(socket, skb, op, nlh, extack);
}
