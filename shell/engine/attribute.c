// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attributes: written, and read by their policies. What is refused, the order in which it is looked at, and the
 * words for it are those of the kernel, 6.1 and later: what a simulated kernel says is what the real one says.
 */
#include <linux/string.h>
#include <net/netlink.h>

/* A nest in a nest in a nest ... of policies at most. */
#define DEPTH_MOST 10

int nla_memcpy(void *to, const struct nlattr *from, int count)
{
	int length = min_t(int, count, nla_len(from));

	memcpy(to, nla_data(from), (size_t)length);
	memset((u8 *)to + length, 0, (size_t)(count - length));
	return length;
}

ssize_t nla_strscpy(char *to, const struct nlattr *from, size_t size)
{
	const size_t length = strnlen(nla_data(from), (size_t)nla_len(from));
	const size_t copied = min_t(size_t, length, size - 1);

	memcpy(to, nla_data(from), copied);
	memset(to + copied, 0, size - copied);
	return copied < length ? -E2BIG : (ssize_t)copied;
}

int nla_put(struct sk_buff *skb, int type, int length, const void *data)
{
	const unsigned int total = (unsigned int)nla_total_size(length);
	struct nlattr *attr;

	if (skb_tailroom(skb) < total)
		return -EMSGSIZE;
	attr = skb_put(skb, total);
	attr->nla_type = (u16)type;
	attr->nla_len = (u16)nla_attr_size(length);
	if (length)
		memcpy(nla_data(attr), data, (size_t)length);
	memset((u8 *)attr + attr->nla_len, 0, total - attr->nla_len);
	return 0;
}

int nla_append(struct sk_buff *skb, int length, const void *data)
{
	const unsigned int total = (unsigned int)NLA_ALIGN(length);
	u8 *to;

	if (skb_tailroom(skb) < total)
		return -EMSGSIZE;
	to = skb_put(skb, total);
	memcpy(to, data, (size_t)length);
	memset(to + length, 0, total - (unsigned int)length);
	return 0;
}

struct nlattr *nla_nest_start(struct sk_buff *skb, int type)
{
	struct nlattr *nest = (struct nlattr *)skb_tail_pointer(skb);

	return nla_put(skb, type | NLA_F_NESTED, 0, NULL) ? NULL : nest;
}

struct nlmsghdr *nlmsg_put(struct sk_buff *skb, u32 portid, u32 seq, int type, int payload, int flags)
{
	const unsigned int total = (unsigned int)nlmsg_total_size(payload);
	struct nlmsghdr *nlh;

	if (skb_tailroom(skb) < total)
		return NULL;
	nlh = skb_put(skb, total);
	memset(nlh, 0, total);
	nlh->nlmsg_type = (u16)type;
	nlh->nlmsg_len = (u32)nlmsg_msg_size(payload);
	nlh->nlmsg_flags = (u16)flags;
	nlh->nlmsg_pid = portid;
	nlh->nlmsg_seq = seq;
	return nlh;
}

/* Bytes that a number has, 0 for what is none. */
static int width_of(u8 type)
{
	switch (type) {
	case NLA_U8:
		return 1;
	case NLA_U16:
		return 2;
	case NLA_U32:
		return 4;
	case NLA_U64:
		return 8;
	default:
		return 0;
	}
}

static u64 number_of(const struct nlattr *attr, u8 type)
{
	switch (type) {
	case NLA_U8:
		return nla_get_u8(attr);
	case NLA_U16:
		return nla_get_u16(attr);
	case NLA_U32:
		return nla_get_u32(attr);
	default:
		return nla_get_u64(attr);
	}
}

static int refuse(const struct nlattr *attr, struct netlink_ext_ack *extack, const char *text, int err)
{
	NL_SET_ERR_MSG_ATTR(extack, attr, text);
	return err;
}

static int check_range(const struct nlattr *attr, const struct nla_policy *policy, struct netlink_ext_ack *extack)
{
	const u64 value = number_of(attr, policy->type);
	u64 least = 0, most = U64_MAX;

	if (policy->validation_type == NLA_VALIDATE_RANGE_PTR) {
		least = policy->range->min;
		most = policy->range->max;
	}
	if (policy->validation_type == NLA_VALIDATE_RANGE || policy->validation_type == NLA_VALIDATE_MIN)
		least = (u64)policy->min;
	if (policy->validation_type == NLA_VALIDATE_RANGE || policy->validation_type == NLA_VALIDATE_MAX)
		most = (u64)policy->max;
	if (value < least || value > most)
		return refuse(attr, extack, "integer out of range", -ERANGE);
	return 0;
}

static int check_value(const struct nlattr *attr, const struct nla_policy *policy, struct netlink_ext_ack *extack)
{
	switch (policy->validation_type) {
	case NLA_VALIDATE_NONE:
		return 0;
	case NLA_VALIDATE_MASK:
		if (number_of(attr, policy->type) & ~policy->mask)
			return refuse(attr, extack, "reserved bit set", -EINVAL);
		return 0;
	case NLA_VALIDATE_FUNCTION:
		return policy->validate(attr, extack);
	default:
		return check_range(attr, policy, extack);
	}
}

static int check_string(const struct nlattr *attr, const struct nla_policy *policy)
{
	const char *text = nla_data(attr);
	int length = nla_len(attr);
	int least = policy->len ? min_t(int, length, policy->len + 1) : length;

	if (policy->type == NLA_NUL_STRING && (!least || !memchr(text, '\0', (size_t)least)))
		return -EINVAL;
	if (length < 1)
		return -ERANGE;
	if (policy->len && text[length - 1] == '\0')
		length--;
	return policy->len && length > policy->len ? -ERANGE : 0;
}

static int parse(struct nlattr *tb[], int max, const struct nlattr *head, int length, const struct nla_policy *policy,
		 bool strict, struct netlink_ext_ack *extack, unsigned int depth);

static int check_nest(const struct nlattr *attr, const struct nla_policy *policy, bool strict,
		      struct netlink_ext_ack *extack, unsigned int depth)
{
	if (!nla_len(attr) || !policy->nested_policy)
		return 0;
	return parse(NULL, policy->len, nla_data(attr), nla_len(attr), policy->nested_policy, strict, extack, depth + 1);
}

static int check(const struct nlattr *attr, const struct nla_policy *policies, bool strict,
		 struct netlink_ext_ack *extack, unsigned int depth)
{
	const struct nla_policy *policy = &policies[nla_type(attr)];
	const int length = nla_len(attr), width = width_of(policy->type);
	int err = 0;

	if (strict && width && length != width)
		return refuse(attr, extack, "invalid attribute length", -EINVAL);
	if (strict && policy->type == NLA_NESTED && !(attr->nla_type & NLA_F_NESTED))
		return refuse(attr, extack, "NLA_F_NESTED is missing", -EINVAL);
	if (strict && policy->type != NLA_NESTED && policy->type != NLA_UNSPEC && attr->nla_type & NLA_F_NESTED)
		return refuse(attr, extack, "NLA_F_NESTED not expected", -EINVAL);
	switch (policy->type) {
	case NLA_REJECT:
		err = -EINVAL;
		break;
	case NLA_FLAG:
		err = length ? -ERANGE : 0;
		break;
	case NLA_NUL_STRING:
	case NLA_STRING:
		err = check_string(attr, policy);
		break;
	case NLA_BINARY:
		err = policy->len && length > policy->len ? -ERANGE : 0;
		break;
	case NLA_NESTED:
		if (length && length < NLA_HDRLEN) {
			err = -ERANGE;
			break;
		}
		err = check_nest(attr, policy, strict, extack, depth);
		if (err)
			return err;
		break;
	case NLA_UNSPEC:
		if (strict)
			return refuse(attr, extack, "Unsupported attribute", -EINVAL);
		break;
	default:
		err = length < width ? -ERANGE : 0;
	}
	if (err)
		return refuse(attr, extack, "Attribute failed policy validation", err);
	return check_value(attr, policy, extack);
}

static int parse(struct nlattr *tb[], int max, const struct nlattr *head, int length, const struct nla_policy *policy,
		 bool strict, struct netlink_ext_ack *extack, unsigned int depth)
{
	const struct nlattr *attr;
	int rest, err, type;

	if (depth >= DEPTH_MOST) {
		NL_SET_ERR_MSG(extack, "allowed policy recursion depth exceeded");
		return -EINVAL;
	}
	if (tb)
		memset(tb, 0, sizeof(*tb) * (size_t)(max + 1));
	nla_for_each_attr(attr, head, length, rest) {
		type = nla_type(attr);
		if (type == 0 || type > max) {
			if (strict)
				return refuse(attr, extack, "Unknown attribute type", -EINVAL);
			continue;
		}
		err = policy ? check(attr, policy, strict, extack, depth) : 0;
		if (err)
			return err;
		if (tb)
			tb[type] = (struct nlattr *)attr;
	}
	if (rest > 0 && strict) {
		NL_SET_ERR_MSG(extack, "bytes leftover after parsing attributes");
		return -EINVAL;
	}
	return 0;
}

int nla_parse(struct nlattr *tb[], int max, const struct nlattr *head, int length, const struct nla_policy *policy,
	      struct netlink_ext_ack *extack)
{
	return parse(tb, max, head, length, policy, true, extack, 0);
}

int nla_parse_deprecated(struct nlattr *tb[], int max, const struct nlattr *head, int length,
			 const struct nla_policy *policy, struct netlink_ext_ack *extack)
{
	return parse(tb, max, head, length, policy, false, extack, 0);
}

int nla_parse_nested(struct nlattr *tb[], int max, const struct nlattr *nest, const struct nla_policy *policy,
		     struct netlink_ext_ack *extack)
{
	if (!(nest->nla_type & NLA_F_NESTED))
		return refuse(nest, extack, "NLA_F_NESTED is missing", -EINVAL);
	return nla_parse(tb, max, nla_data(nest), nla_len(nest), policy, extack);
}
