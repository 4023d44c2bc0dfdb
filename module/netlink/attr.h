/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the policies and the readers of attributes share. */
#ifndef IPFI_GENL_PARSE_H
#define IPFI_GENL_PARSE_H

#include <net/genetlink.h>
#include "module/core/rule.h"
#include "module/core/tuple.h"

/* -EINVAL for an attribute that @nest (NULL: the message) lacks, with a text for a person. */
#define IPFI_MISSING(extack, nest, type, text)            \
	({                                                \
		NL_SET_ERR_MSG(extack, text);             \
		NL_SET_ERR_ATTR_MISS(extack, nest, type); \
		-EINVAL;                                  \
	})

/* -EINVAL for an attribute that is wrong. */
#define IPFI_WRONG(extack, attr, text)                   \
	({                                               \
		NL_SET_ERR_MSG_ATTR(extack, attr, text); \
		-EINVAL;                                 \
	})

/*
 * Checks for NLA_POLICY_VALIDATE_FN; each returns 0, or -EINVAL with @extack set.
 * string: ends in its only NUL. text: also without control characters. name: also not empty.
 * device: an interface's name, or the start of one and '*'. address: 4 or 16 bytes.
 * Not for numbers: the kernel warns when it tells the policy of one with a function (seen in 6.1).
 */
int ipfi_validate_string(const struct nlattr *attr, struct netlink_ext_ack *extack);
int ipfi_validate_text(const struct nlattr *attr, struct netlink_ext_ack *extack);
int ipfi_validate_name(const struct nlattr *attr, struct netlink_ext_ack *extack);
int ipfi_validate_device(const struct nlattr *attr, struct netlink_ext_ack *extack);
int ipfi_validate_address(const struct nlattr *attr, struct netlink_ext_ack *extack);

/*
 * As nla_parse_nested(), strictly; an attribute that is there twice is refused too. @policy may be
 * NULL when the nest's policy has been checked with that of the nest around it.
 */
int ipfi_parse_nest(struct nlattr *tb[], int max, const struct nlattr *nest,
		    const struct nla_policy *policy, struct netlink_ext_ack *extack);

/* The same for a nest in which attributes of one type, @repeated, may come often; @tb has the last of them. */
int ipfi_parse_repeating(struct nlattr *tb[], int max, const struct nlattr *nest, int repeated,
			 struct netlink_ext_ack *extack);

/* Attributes of @type in @nest. */
u32 ipfi_count_attrs(const struct nlattr *nest, int type);

/* -EINVAL when an attribute is there twice at the top level of a message, parsed into @attrs. */
int ipfi_check_once(struct nlattr *attrs[], const struct nlmsghdr *nlh,
		    struct netlink_ext_ack *extack);

/*
 * What the kernel's core does not check in the headers of commands below resv_start_op: -EINVAL for
 * reserved bits.
 */
int ipfi_check_header(const struct genl_info *info);

/*
 * Header and top level of a message that the core has not checked, as strictly as
 * ipfi_parse_nest(); @tb has IPFI_A_MAX + 1 elements.
 */
int ipfi_parse_message(struct nlattr *tb[], const struct genl_info *info,
		       const struct nla_policy *policy);

/*
 * Gets the nest @type out of a message that the core has parsed and checked, and parses it into
 * @tb. -EINVAL when it is missing or there twice.
 */
int ipfi_parse_only(struct nlattr *tb[], int max, const struct genl_info *info, int type);

/* Reads a range, a nest of enum ipfi_range_attr whose policy has been checked. */
int ipfi_parse_range(const struct nlattr *nest, struct ipfi_range *range,
		     struct netlink_ext_ack *extack);

/* The policy of the name of a dynamic set. */
#define IPFI_SET_NAME_POLICY \
	NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, ipfi_validate_name, IPFI_SET_NAME_LEN)

/* The policy of an address family, 4 or 6, and who reads it and refuses 5. */
#define IPFI_FAMILY_POLICY NLA_POLICY_RANGE(NLA_U8, 4, 6)
int ipfi_parse_family(const struct nlattr *attr, u8 *family, struct netlink_ext_ack *extack);

/* Reads an address that ipfi_validate_address() has passed; returns its family, 4 or 6. */
u8 ipfi_get_address(const struct nlattr *attr, struct ipfi_addr *addr);

/* 0, or -EMSGSIZE. */
int ipfi_put_address(struct sk_buff *skb, int type, u8 family, const struct ipfi_addr *addr);

#endif /* IPFI_GENL_PARSE_H */
