/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes: written, read and checked by policies (../../attribute.c). */
#ifndef IPFI_ENGINE_NET_NETLINK_H
#define IPFI_ENGINE_NET_NETLINK_H

#include <linux/netlink.h>

enum {
	NLA_UNSPEC,
	NLA_U8,
	NLA_U16,
	NLA_U32,
	NLA_U64,
	NLA_STRING,
	NLA_FLAG,
	NLA_NESTED,
	NLA_NUL_STRING,
	NLA_BINARY,
	NLA_REJECT,
};

enum nla_policy_validation {
	NLA_VALIDATE_NONE,
	NLA_VALIDATE_RANGE,
	NLA_VALIDATE_RANGE_PTR,
	NLA_VALIDATE_MIN,
	NLA_VALIDATE_MAX,
	NLA_VALIDATE_MASK,
	NLA_VALIDATE_FUNCTION,
};

struct netlink_range_validation {
	u64 min, max;
};

struct nla_policy {
	u8 type;
	u8 validation_type;
	u16 len; /* of strings and binaries the most, of nests the highest attribute */
	union {
		u64 mask;
		const struct nla_policy *nested_policy;
		const struct netlink_range_validation *range;
		struct {
			s16 min, max;
		};
		int (*validate)(const struct nlattr *attr, struct netlink_ext_ack *extack);
	};
};

#define NLA_POLICY_NESTED(policy) \
	{ .type = NLA_NESTED, .nested_policy = (policy), .len = ARRAY_SIZE(policy) - 1 }
#define NLA_POLICY_RANGE(kind, least, most) \
	{ .type = (kind), .validation_type = NLA_VALIDATE_RANGE, .min = (least), .max = (most) }
#define NLA_POLICY_FULL_RANGE(kind, bounds) \
	{ .type = (kind), .validation_type = NLA_VALIDATE_RANGE_PTR, .range = (bounds) }
#define NLA_POLICY_MIN(kind, least) { .type = (kind), .validation_type = NLA_VALIDATE_MIN, .min = (least) }
#define NLA_POLICY_MAX(kind, most) { .type = (kind), .validation_type = NLA_VALIDATE_MAX, .max = (most) }
#define NLA_POLICY_MASK(kind, bits) { .type = (kind), .validation_type = NLA_VALIDATE_MASK, .mask = (bits) }
#define NLA_POLICY_VALIDATE_FN(kind, function, ...) \
	{ .type = (kind), .validation_type = NLA_VALIDATE_FUNCTION, .validate = (function), .len = __VA_ARGS__ + 0 }

#define NLMSG_GOODSIZE SKB_WITH_OVERHEAD(PAGE_SIZE)

static inline void *nla_data(const struct nlattr *attr)
{
	return (char *)attr + NLA_HDRLEN;
}

static inline int nla_len(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}

static inline int nla_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

static inline int nla_attr_size(int payload)
{
	return NLA_HDRLEN + payload;
}

static inline int nla_total_size(int payload)
{
	return NLA_ALIGN(nla_attr_size(payload));
}

/* Numbers of 64 bits need no padding where they may lie anywhere. */
static inline int nla_total_size_64bit(int payload)
{
	return nla_total_size(payload);
}

static inline bool nla_ok(const struct nlattr *attr, int rest)
{
	return rest >= (int)sizeof(*attr) && attr->nla_len >= sizeof(*attr) && attr->nla_len <= rest;
}

static inline struct nlattr *nla_next(const struct nlattr *attr, int *rest)
{
	int length = NLA_ALIGN(attr->nla_len);

	*rest -= length;
	return (struct nlattr *)((char *)attr + length);
}

#define nla_for_each_attr(at, head, length, rest) \
	for ((at) = (head), (rest) = (length); nla_ok(at, rest); (at) = nla_next(at, &(rest)))
#define nla_for_each_nested(at, nest, rest) nla_for_each_attr(at, nla_data(nest), nla_len(nest), rest)

#define NLA_GET_(name, type)                                       \
	static inline type name(const struct nlattr *attr)         \
	{                                                          \
		type value;                                        \
		memcpy(&value, nla_data(attr), sizeof(value));     \
		return value;                                      \
	}
NLA_GET_(nla_get_u8, u8)
NLA_GET_(nla_get_u16, u16)
NLA_GET_(nla_get_u32, u32)
NLA_GET_(nla_get_u64, u64)
NLA_GET_(nla_get_be32, __be32)

static inline bool nla_get_flag(const struct nlattr *attr)
{
	return attr;
}

/* Copies @count bytes at most, the number of those copied is returned; the rest of @to becomes 0. */
int nla_memcpy(void *to, const struct nlattr *from, int count);

/* Copies a string, ended by NUL in any case. Its length, or -E2BIG when it did not fit. */
ssize_t nla_strscpy(char *to, const struct nlattr *from, size_t size);

/* 0, or -EMSGSIZE when there is no room. */
int nla_put(struct sk_buff *skb, int type, int length, const void *data);
int nla_append(struct sk_buff *skb, int length, const void *data);

#define NLA_PUT_(name, kind)                                                  \
	static inline int name(struct sk_buff *skb, int type, kind value)     \
	{                                                                     \
		kind copy = value;                                            \
		return nla_put(skb, type, sizeof(copy), &copy);               \
	}
NLA_PUT_(nla_put_u8, u8)
NLA_PUT_(nla_put_u16, u16)
NLA_PUT_(nla_put_u32, u32)

static inline int nla_put_u64_64bit(struct sk_buff *skb, int type, u64 value, int padding)
{
	(void)padding;
	return nla_put(skb, type, sizeof(value), &value);
}

static inline int nla_put_s64(struct sk_buff *skb, int type, s64 value, int padding)
{
	(void)padding;
	return nla_put(skb, type, sizeof(value), &value);
}

static inline int nla_put_string(struct sk_buff *skb, int type, const char *text)
{
	return nla_put(skb, type, (int)strlen(text) + 1, text);
}

static inline int nla_put_flag(struct sk_buff *skb, int type)
{
	return nla_put(skb, type, 0, NULL);
}

static inline int nla_put_in_addr(struct sk_buff *skb, int type, __be32 addr)
{
	return nla_put(skb, type, sizeof(addr), &addr);
}

/* NULL when there is no room. */
struct nlattr *nla_nest_start(struct sk_buff *skb, int type);

static inline int nla_nest_end(struct sk_buff *skb, struct nlattr *nest)
{
	nest->nla_len = (u16)(skb_tail_pointer(skb) - (unsigned char *)nest);
	return (int)skb->len;
}

static inline void nlmsg_trim(struct sk_buff *skb, const void *mark)
{
	if (mark)
		skb_trim(skb, (unsigned int)((const unsigned char *)mark - skb->data));
}

static inline void nla_nest_cancel(struct sk_buff *skb, struct nlattr *nest)
{
	nlmsg_trim(skb, nest);
}

static inline int nlmsg_msg_size(int payload)
{
	return NLMSG_HDRLEN + payload;
}

static inline int nlmsg_total_size(int payload)
{
	return NLMSG_ALIGN(nlmsg_msg_size(payload));
}

static inline void *nlmsg_data(const struct nlmsghdr *nlh)
{
	return (char *)nlh + NLMSG_HDRLEN;
}

static inline int nlmsg_len(const struct nlmsghdr *nlh)
{
	return (int)nlh->nlmsg_len - NLMSG_HDRLEN;
}

static inline struct nlattr *nlmsg_attrdata(const struct nlmsghdr *nlh, int header)
{
	return (struct nlattr *)((char *)nlmsg_data(nlh) + NLMSG_ALIGN(header));
}

static inline int nlmsg_attrlen(const struct nlmsghdr *nlh, int header)
{
	return nlmsg_len(nlh) - NLMSG_ALIGN(header);
}

static inline struct sk_buff *nlmsg_new(size_t payload, gfp_t flags)
{
	(void)flags;
	return skb_make((unsigned int)nlmsg_total_size((int)payload), 0);
}

static inline void nlmsg_free(struct sk_buff *skb)
{
	kfree_skb(skb);
}

/* NULL when there is no room. */
struct nlmsghdr *nlmsg_put(struct sk_buff *skb, u32 portid, u32 seq, int type, int payload, int flags);

static inline void nlmsg_end(struct sk_buff *skb, struct nlmsghdr *nlh)
{
	nlh->nlmsg_len = (u32)(skb_tail_pointer(skb) - (unsigned char *)nlh);
}

/* Strictly. @policy may be NULL. 0 or -errno with @extack set, in the kernel's words. */
int nla_parse(struct nlattr *tb[], int max, const struct nlattr *head, int length, const struct nla_policy *policy,
	      struct netlink_ext_ack *extack);
int nla_parse_nested(struct nlattr *tb[], int max, const struct nlattr *nest, const struct nla_policy *policy,
		     struct netlink_ext_ack *extack);

/* Liberally, as requests of commands that ask for that are: what is unknown is passed over. */
int nla_parse_deprecated(struct nlattr *tb[], int max, const struct nlattr *head, int length,
			 const struct nla_policy *policy, struct netlink_ext_ack *extack);

#endif
