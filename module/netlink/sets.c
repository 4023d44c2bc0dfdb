// SPDX-License-Identifier: GPL-2.0-or-later
/* Dynamic sets: members are added and deleted, sets and members dumped. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "module/compat.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/netlink/attr.h"
#include "module/netlink/handlers.h"
#include "module/netlink/message.h"
#include "module/ruleset/network.h"
#include "module/ruleset/ruleset.h"
#include "module/ruleset/set.h"
#include "module/ruleset/set_expiry.h"

static const struct nla_policy member_policy[IPFI_MEMBER_A_MAX + 1] = {
	[IPFI_MEMBER_A_ADDR] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, ipfi_validate_address),
	[IPFI_MEMBER_A_LENGTH] = NLA_POLICY_MAX(NLA_U8, 128),
	[IPFI_MEMBER_A_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* MEMBERS and CHANGED come from the kernel only: without a policy they are refused. */
static const struct nla_policy set_policy[IPFI_SET_A_MAX + 1] = {
	[IPFI_SET_A_NAME] = IPFI_SET_NAME_POLICY,
	[IPFI_SET_A_MEMBER] = NLA_POLICY_NESTED(member_policy),
};

const struct nla_policy ipfi_set_message_policy[IPFI_A_MAX + 1] = {
	[IPFI_A_SET] = NLA_POLICY_NESTED(set_policy),
};

static bool has_host_bits(const struct ipfi_network *network)
{
	struct ipfi_addr mask;
	int i;

	ipfi_prefix_mask(&mask, network->length);
	for (i = 0; i < 4; i++)
		if (network->addr.w[i] & ~mask.w[i])
			return true;
	return false;
}

static int take_network(struct nlattr *tb[], const struct nlattr *nest, struct ipfi_network *network,
			struct netlink_ext_ack *extack)
{
	const struct nlattr *length = tb[IPFI_MEMBER_A_LENGTH];
	u8 most;

	memset(network, 0, sizeof(*network));
	if (!tb[IPFI_MEMBER_A_ADDR])
		return IPFI_MISSING(extack, nest, IPFI_MEMBER_A_ADDR, "a member needs an address");
	network->family = ipfi_get_address(tb[IPFI_MEMBER_A_ADDR], &network->addr);
	most = network->family == 4 ? 32 : 128;
	network->length = length ? nla_get_u8(length) : most;
	if (network->length > most)
		return IPFI_WRONG(extack, length, "a prefix longer than its address");
	if (has_host_bits(network))
		return IPFI_WRONG(extack, tb[IPFI_MEMBER_A_ADDR],
				  "an address with bits set behind its prefix is no network");
	return 0;
}

/* What SET_ADD and SET_DELETE ask for. */
struct request {
	const struct nlattr *name;
	u32 count;
	struct ipfi_new_element *elements;
	struct ipfi_network *networks; /* to be deleted */
};

static void free_request(struct request *request)
{
	kvfree(request->elements);
	kvfree(request->networks);
}

static int take_member(struct request *request, const struct nlattr *nest,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IPFI_MEMBER_A_MAX + 1], *timeout;
	int err = ipfi_parse_nest(tb, IPFI_MEMBER_A_MAX, nest, NULL, extack);
	struct ipfi_new_element *element;

	if (err)
		return err;
	timeout = tb[IPFI_MEMBER_A_TIMEOUT];
	if (request->networks) {
		if (timeout)
			return IPFI_WRONG(extack, timeout, "what is deleted has no time-out");
		return take_network(tb, nest, &request->networks[request->count++], extack);
	}
	element = &request->elements[request->count++];
	element->timeout = timeout ? nla_get_u32(timeout) : 0;
	return take_network(tb, nest, &element->network, extack);
}

/* Reads all of a message before anything is done. What it makes is freed with free_request(), also after errors. */
static int take_request(struct genl_info *info, struct request *request)
{
	bool adds = info->genlhdr->cmd == IPFI_CMD_SET_ADD;
	const struct nlattr *nest = info->attrs[IPFI_A_SET], *attr;
	struct nlattr *tb[IPFI_SET_A_MAX + 1];
	u32 members;
	int rest, err;

	memset(request, 0, sizeof(*request));
	err = ipfi_check_once(info->attrs, info->nlhdr, info->extack);
	if (err)
		return err;
	if (!nest)
		return IPFI_MISSING(info->extack, NULL, IPFI_A_SET,
				    "the message lacks the attribute that it is about");
	err = ipfi_parse_repeating(tb, IPFI_SET_A_MAX, nest, IPFI_SET_A_MEMBER, info->extack);
	if (err)
		return err;
	if (!tb[IPFI_SET_A_NAME])
		return IPFI_MISSING(info->extack, nest, IPFI_SET_A_NAME, "a set needs a name");
	request->name = tb[IPFI_SET_A_NAME];
	members = ipfi_count_attrs(nest, IPFI_SET_A_MEMBER);
	if (!members)
		return 0;
	if (adds)
		request->elements = kvmalloc_array(members, sizeof(*request->elements), GFP_KERNEL);
	else
		request->networks = kvmalloc_array(members, sizeof(*request->networks), GFP_KERNEL);
	if (!request->elements && !request->networks)
		return -ENOMEM;
	nla_for_each_nested(attr, nest, rest) {
		if (nla_type(attr) != IPFI_SET_A_MEMBER)
			continue;
		err = take_member(request, attr, info->extack);
		if (err)
			return err;
	}
	return 0;
}

/* The set of that name, with a reference. NULL for none, with the extack set. */
static struct ipfi_set *get_set(struct ipfi_net *in, const struct nlattr *name,
				struct netlink_ext_ack *extack)
{
	struct ipfi_set *set = ipfi_set_get(in, nla_data(name));

	if (!set)
		NL_SET_ERR_MSG_ATTR(extack, name, "no rule set declares a dynamic set of this name");
	return set;
}

/* Members whose time is over are neither counted nor told, even before they are removed. Holds in->mutex. */
static void end_due(struct ipfi_net *in, struct ipfi_set *set)
{
	if (ipfi_set_expire(set, U32_MAX))
		ipfi_generations_renew(in, set);
}

#define SET_PAYLOAD \
	nla_total_size(nla_total_size(IPFI_SET_NAME_LEN + 1) + 2 * nla_total_size(sizeof(u32)))

static void reply_changed(struct genl_info *info, struct sk_buff *skb, void *header,
			  const struct ipfi_set *set, u32 changed)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_SET);

	WARN_ON_ONCE(!nest || nla_put_string(skb, IPFI_SET_A_NAME, set->name) ||
		     nla_put_u32(skb, IPFI_SET_A_MEMBERS, set->count) ||
		     nla_put_u32(skb, IPFI_SET_A_CHANGED, changed));
	nla_nest_end(skb, nest);
	ipfi_genl_reply_end(info, skb, header);
}

static int add_members(struct ipfi_net *in, struct ipfi_set *set, const struct request *request,
		       u32 *changed, struct netlink_ext_ack *extack)
{
	int err = ipfi_set_add(set, request->elements, request->count, changed);

	if (err == -ENOSPC)
		NL_SET_ERR_MSG(extack, "a dynamic set has a million members at most");
	if (!RB_EMPTY_ROOT(&set->due.rb_root))
		ipfi_set_expiry_watch(in);
	return err;
}

static u32 delete_members(struct ipfi_set *set, const struct request *request)
{
	if (!request->networks)
		return ipfi_set_clear(set);
	return ipfi_set_remove(set, request->networks, request->count);
}

/* Does as asked. The reply is made first: what has been changed cannot fail any more. */
static int change_set(struct ipfi_net *in, struct ipfi_set *set, const struct request *request,
		      struct genl_info *info)
{
	struct sk_buff *skb;
	u32 changed = 0, changes;
	void *header;
	int err = 0;

	lockdep_assert_held(&in->mutex);
	skb = ipfi_genl_reply_start(info, SET_PAYLOAD, &header);
	if (!skb)
		return -ENOMEM;
	end_due(in, set);
	changes = set->changes;
	if (info->genlhdr->cmd == IPFI_CMD_SET_DELETE)
		changed = delete_members(set, request);
	else if (request->count)
		err = add_members(in, set, request, &changed, info->extack);
	/* Also when they went again because not all could come. */
	if (changed || set->changes != changes)
		ipfi_generations_renew(in, set);
	if (err)
		nlmsg_free(skb);
	else
		reply_changed(info, skb, header, set, changed);
	return err;
}

static int take_and_change(struct genl_info *info)
{
	struct ipfi_net *in = ipfi_net(genl_info_net(info));
	struct request request;
	struct ipfi_set *set;
	int err = take_request(info, &request);

	if (!err) {
		mutex_lock(&in->mutex);
		set = get_set(in, request.name, info->extack);
		err = set ? change_set(in, set, &request, info) : -ENOENT;
		mutex_unlock(&in->mutex);
		if (set)
			ipfi_set_put(set);
	}
	free_request(&request);
	return err;
}

int ipfi_genl_set_add(struct sk_buff *skb, struct genl_info *info)
{
	return take_and_change(info);
}

int ipfi_genl_set_delete(struct sk_buff *skb, struct genl_info *info)
{
	return take_and_change(info);
}

/* As many members a message as the kernel lets a dump have: it stops at 32 KiB. */
#define DUMP_BUFFER SKB_WITH_OVERHEAD(32768)

/*
 * Where a dump is: of all sets behind the last name told, of one set behind the last member told. So whatever
 * comes and goes between two parts, what is there throughout is told once.
 */
struct cursor {
	struct ipfi_set *set; /* the one asked for, with a reference; NULL: all */
	char name[IPFI_SET_NAME_LEN + 1];
	struct ipfi_network network;
	bool parsed;
	bool named;      /* the set's head has been told */
	bool begun;      /* there is a network: the last one told */
	bool env;     /* there is another: only what contains that is asked for */
};

static struct cursor **cursor_of(struct netlink_callback *cb)
{
	return (struct cursor **)cb->ctx;
}

int ipfi_genl_sets_start(struct netlink_callback *cb)
{
	struct cursor *cursor = kzalloc(sizeof(*cursor), GFP_KERNEL);

	if (!cursor)
		return -ENOMEM;
	*cursor_of(cb) = cursor;
	cb->min_dump_alloc = DUMP_BUFFER;
	return 0;
}

int ipfi_genl_sets_done(struct netlink_callback *cb)
{
	struct cursor *cursor = *cursor_of(cb);

	if (cursor->set)
		ipfi_set_put(cursor->set);
	kfree(cursor);
	return 0;
}

/* The member of a dump's request: an address or a network, whose members around it are asked for. */
static int parse_around(const struct nlattr *nest, struct ipfi_network *network,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IPFI_MEMBER_A_MAX + 1];
	int err = ipfi_parse_nest(tb, IPFI_MEMBER_A_MAX, nest, NULL, extack);

	if (err)
		return err;
	if (tb[IPFI_MEMBER_A_TIMEOUT])
		return IPFI_WRONG(extack, tb[IPFI_MEMBER_A_TIMEOUT], "what is asked for has no time-out");
	return take_network(tb, nest, network, extack);
}

/* Not when the dump was started: only now is there an extack to say what is wrong. */
static int parse_cursor(struct ipfi_net *in, struct netlink_callback *cb, struct cursor *cursor)
{
	struct nlattr **attrs = ipfi_dump_attrs(cb), *tb[IPFI_SET_A_MAX + 1];
	int err = ipfi_check_once(attrs, cb->nlh, cb->extack);

	if (err || !attrs[IPFI_A_SET])
		return err;
	err = ipfi_parse_nest(tb, IPFI_SET_A_MAX, attrs[IPFI_A_SET], NULL, cb->extack);
	if (err)
		return err;
	if (!tb[IPFI_SET_A_NAME])
		return IPFI_MISSING(cb->extack, attrs[IPFI_A_SET], IPFI_SET_A_NAME, "a set needs a name");
	if (tb[IPFI_SET_A_MEMBER]) {
		err = parse_around(tb[IPFI_SET_A_MEMBER], &cursor->network, cb->extack);
		if (err)
			return err;
		cursor->env = true;
	}
	cursor->set = get_set(in, tb[IPFI_SET_A_NAME], cb->extack);
	return cursor->set ? 0 : -ENOENT;
}

static void *start_message(struct sk_buff *skb, struct netlink_callback *cb, const struct ipfi_set *set,
			   struct nlattr **nest)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &ipfi_genl_family, NLM_F_MULTI, IPFI_CMD_SETS_DUMP);

	if (!header)
		return NULL;
	*nest = nla_nest_start(skb, IPFI_A_SET);
	if (*nest && !nla_put_string(skb, IPFI_SET_A_NAME, set->name))
		return header;
	genlmsg_cancel(skb, header);
	return NULL;
}

static void end_message(struct sk_buff *skb, struct netlink_callback *cb, void *header,
			struct nlattr *nest)
{
	nla_nest_end(skb, nest);
	genl_dump_check_consistent(cb, header);
	genlmsg_end(skb, header);
}

/* SET { NAME, MEMBERS } */
static int put_head(struct sk_buff *skb, struct netlink_callback *cb, struct ipfi_set *set)
{
	struct nlattr *nest;
	void *header = start_message(skb, cb, set, &nest);

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u32(skb, IPFI_SET_A_MEMBERS, set->count)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	end_message(skb, cb, header, nest);
	return 0;
}

static int put_member(struct sk_buff *skb, const struct ipfi_member *member)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_SET_A_MEMBER);
	s64 left = ipfi_member_left(member);

	if (nest && !ipfi_put_address(skb, IPFI_MEMBER_A_ADDR, member->network.family, &member->network.addr) &&
	    !nla_put_u8(skb, IPFI_MEMBER_A_LENGTH, member->network.length) &&
	    (left < 0 || !nla_put_u32(skb, IPFI_MEMBER_A_TIMEOUT, min_t(s64, left, U32_MAX)))) {
		nla_nest_end(skb, nest);
		return 0;
	}
	if (nest)
		nla_nest_cancel(skb, nest);
	return -EMSGSIZE;
}

/* As many members as fit, in one message: the buffer is shorter than the longest nest. */
static int dump_members(struct sk_buff *skb, struct netlink_callback *cb, struct cursor *cursor)
{
	const struct ipfi_member *member =
		ipfi_set_member_behind(cursor->set, cursor->begun ? &cursor->network : NULL);
	struct nlattr *nest;
	void *header;
	int put = 0;

	if (!member)
		return 0;
	header = start_message(skb, cb, cursor->set, &nest);
	if (!header)
		return -EMSGSIZE;
	for (; member && !put_member(skb, member); put++) {
		cursor->network = member->network;
		cursor->begun = true;
		member = ipfi_set_member_behind(cursor->set, &cursor->network);
	}
	if (put)
		end_message(skb, cb, header, nest);
	else
		genlmsg_cancel(skb, header);
	return member ? -EMSGSIZE : 0;
}

/* The members that contain cursor->network, the longest first: at most one of each length, so they fit. */
static void dump_around(struct sk_buff *skb, struct netlink_callback *cb, struct cursor *cursor)
{
	const struct ipfi_member *member;
	struct nlattr *nest;
	void *header;

	header = start_message(skb, cb, cursor->set, &nest);
	if (WARN_ON_ONCE(!header))
		return;
	while ((member = ipfi_set_member_around(cursor->set, &cursor->network))) {
		WARN_ON_ONCE(put_member(skb, member));
		if (!member->network.length)
			break;
		cursor->network = member->network;
		ipfi_network_widen(&cursor->network);
	}
	end_message(skb, cb, header, nest);
}

static void dump_one(struct ipfi_net *in, struct sk_buff *skb, struct netlink_callback *cb,
		     struct cursor *cursor)
{
	end_due(in, cursor->set);
	/* Never 0, which means that nothing has been told yet. */
	cb->seq = cursor->set->changes | 1U << 31;
	if (!cursor->named && put_head(skb, cb, cursor->set))
		return;
	if (!cursor->env)
		dump_members(skb, cb, cursor);
	else if (!cursor->named)
		dump_around(skb, cb, cursor);
	cursor->named = true;
}

static void dump_all(struct ipfi_net *in, struct sk_buff *skb, struct netlink_callback *cb,
		     struct cursor *cursor)
{
	struct ipfi_set *set;
	int err = 0;

	cb->seq = 1;
	while (!err && (set = ipfi_set_next(in, cursor->name))) {
		end_due(in, set);
		err = put_head(skb, cb, set);
		if (!err)
			strscpy(cursor->name, set->name, sizeof(cursor->name));
		ipfi_set_put(set);
	}
}

int ipfi_genl_sets_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ipfi_net *in = ipfi_net(sock_net(cb->skb->sk));
	struct cursor *cursor = *cursor_of(cb);
	int err;

	if (!cursor->parsed) {
		err = parse_cursor(in, cb, cursor);
		if (err)
			return err;
		cursor->parsed = true;
	}
	mutex_lock(&in->mutex);
	if (cursor->set)
		dump_one(in, skb, cb, cursor);
	else
		dump_all(in, skb, cb, cursor);
	mutex_unlock(&in->mutex);
	return skb->len;
}
