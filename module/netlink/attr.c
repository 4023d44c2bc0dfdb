// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/ctype.h>
#include <asm/byteorder.h>
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/netlink/attr.h"
#include "module/netlink/message.h"

int ipfi_validate_string(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *text = nla_data(attr);
	int length = nla_len(attr);

	if (length < 1 || strnlen(text, length) != length - 1)
		return IPFI_WRONG(extack, attr, "a string ends in NUL, and has no other");
	return 0;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

int ipfi_validate_text(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *c = nla_data(attr);
	int err = ipfi_validate_string(attr, extack);

	if (err)
		return err;
	for (; *c; c++)
		if (is_control(*c))
			return IPFI_WRONG(extack, attr, "control characters are not allowed here");
	return 0;
}

int ipfi_validate_name(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	int err = ipfi_validate_text(attr, extack);

	if (!err && !*(const char *)nla_data(attr))
		return IPFI_WRONG(extack, attr, "a name must not be empty");
	return err;
}

/* The kernel's own idea of a name: no slash, colon or space, neither "." nor "..". */
int ipfi_validate_device(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *name = nla_data(attr), *c;
	int err = ipfi_validate_name(attr, extack);

	if (err)
		return err;
	for (c = name; *c; c++) {
		if (*c == '/' || *c == ':' || isspace(*c))
			return IPFI_WRONG(extack, attr, "no device has such a name");
		if (*c == '*' && c[1])
			return IPFI_WRONG(extack, attr,
					  "'*' stands only at the end of a device's name");
	}
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return IPFI_WRONG(extack, attr, "no device has such a name");
	return 0;
}

int ipfi_validate_address(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (nla_len(attr) != sizeof(__be32) && nla_len(attr) != 4 * sizeof(__be32))
		return IPFI_WRONG(extack, attr, "an address has 4 or 16 bytes");
	return 0;
}

/* @tb has the last one of each type. Those of the type @repeated, 0 for none, may come often. */
static int check_once(struct nlattr *tb[], const struct nlattr *head, int length, int repeated,
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int rest;

	nla_for_each_attr(attr, head, length, rest)
		if (tb[nla_type(attr)] != attr && nla_type(attr) != repeated)
			return IPFI_WRONG(extack, attr, "this attribute is there twice");
	return 0;
}

int ipfi_parse_nest(struct nlattr *tb[], int max, const struct nlattr *nest,
		    const struct nla_policy *policy, struct netlink_ext_ack *extack)
{
	int err = nla_parse_nested(tb, max, nest, policy, extack);

	return err ? err : check_once(tb, nla_data(nest), nla_len(nest), 0, extack);
}

int ipfi_parse_repeating(struct nlattr *tb[], int max, const struct nlattr *nest, int repeated,
			 struct netlink_ext_ack *extack)
{
	int err = nla_parse_nested(tb, max, nest, NULL, extack);

	return err ? err : check_once(tb, nla_data(nest), nla_len(nest), repeated, extack);
}

u32 ipfi_count_attrs(const struct nlattr *nest, int type)
{
	const struct nlattr *attr;
	u32 count = 0;
	int rest;

	nla_for_each_nested(attr, nest, rest)
		count += nla_type(attr) == type;
	return count;
}

int ipfi_check_once(struct nlattr *attrs[], const struct nlmsghdr *nlh,
		    struct netlink_ext_ack *extack)
{
	return check_once(attrs, nlmsg_attrdata(nlh, GENL_HDRLEN), nlmsg_attrlen(nlh, GENL_HDRLEN),
			  0, extack);
}

int ipfi_check_header(const struct genl_info *info)
{
	if (!info->genlhdr->reserved &&
	    !(info->nlhdr->nlmsg_flags & ~(NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO)))
		return 0;
	NL_SET_ERR_MSG(info->extack, "reserved bits are set in the header of the message");
	return -EINVAL;
}

int ipfi_parse_message(struct nlattr *tb[], const struct genl_info *info,
		       const struct nla_policy *policy)
{
	int err = ipfi_check_header(info);

	if (!err)
		err = genlmsg_parse(info->nlhdr, &ipfi_genl_family, tb, IPFI_A_MAX, policy,
				    info->extack);
	return err ? err : ipfi_check_once(tb, info->nlhdr, info->extack);
}

int ipfi_parse_only(struct nlattr *tb[], int max, const struct genl_info *info, int type)
{
	int err = ipfi_check_once(info->attrs, info->nlhdr, info->extack);

	if (err)
		return err;
	if (!info->attrs[type])
		return IPFI_MISSING(info->extack, NULL, type,
				    "the message lacks the attribute that it is about");
	return ipfi_parse_nest(tb, max, info->attrs[type], NULL, info->extack);
}

int ipfi_parse_range(const struct nlattr *nest, struct ipfi_range *range,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IPFI_RANGE_A_MAX + 1];
	int err = ipfi_parse_nest(tb, IPFI_RANGE_A_MAX, nest, NULL, extack);

	if (err)
		return err;
	if (!tb[IPFI_RANGE_A_FROM])
		return IPFI_MISSING(extack, nest, IPFI_RANGE_A_FROM,
				    "a range needs its first value");
	range->from = nla_get_u32(tb[IPFI_RANGE_A_FROM]);
	range->to = tb[IPFI_RANGE_A_TO] ? nla_get_u32(tb[IPFI_RANGE_A_TO]) : range->from;
	if (range->from > range->to)
		return IPFI_WRONG(extack, tb[IPFI_RANGE_A_TO], "a range ends before it begins");
	return 0;
}

int ipfi_parse_family(const struct nlattr *attr, u8 *family, struct netlink_ext_ack *extack)
{
	*family = nla_get_u8(attr);
	if (*family != 4 && *family != 6)
		return IPFI_WRONG(extack, attr, "an address family is 4 or 6");
	return 0;
}

u8 ipfi_get_address(const struct nlattr *attr, struct ipfi_addr *addr)
{
	__be32 words[4] = {};
	int i;

	nla_memcpy(words, attr, sizeof(words));
	for (i = 0; i < 4; i++)
		addr->w[i] = be32_to_cpu(words[i]);
	return nla_len(attr) == sizeof(__be32) ? 4 : 6;
}

int ipfi_put_address(struct sk_buff *skb, int type, u8 family, const struct ipfi_addr *addr)
{
	__be32 words[4];
	int i;

	for (i = 0; i < 4; i++)
		words[i] = cpu_to_be32(addr->w[i]);
	return nla_put(skb, type, family == 4 ? sizeof(__be32) : sizeof(words), words);
}
