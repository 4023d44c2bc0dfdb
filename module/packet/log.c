// SPDX-License-Identifier: GPL-2.0-or-later
#define pr_fmt(fmt) "ipfi: " fmt

#include <linux/kmod.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <net/netfilter/nf_log.h>
#include "module/netlink/family.h"
#include "module/netlink/attr.h"
#include "module/packet/log.h"
#include "module/packet/context.h"

static ushort nflog_group;
module_param(nflog_group, ushort, 0644);
MODULE_PARM_DESC(nflog_group, "NFLOG group that packets of rules with log go to (default 0)");

/* What the attributes of one packet take at most: numbers, two addresses and two strings. */
#define LOG_PAYLOAD 512

static int put_ports(struct sk_buff *skb, const struct ipfi_packet *packet)
{
	if (packet->has_ports)
		return nla_put_u16(skb, IPFI_LOG_A_SPORT, packet->tuple.sport) ||
		       nla_put_u16(skb, IPFI_LOG_A_DPORT, packet->tuple.dport);
	if (packet->icmp_kind != IPFI_ICMP_NONE)
		return nla_put_u16(skb, IPFI_LOG_A_ICMP, packet->icmp);
	return 0;
}

static int put_packet(struct sk_buff *skb, const struct ipfi_packet *packet)
{
	const struct ipfi_tuple *tuple = &packet->tuple;

	return nla_put_u8(skb, IPFI_LOG_A_LIST, packet->list) ||
	       nla_put_u8(skb, IPFI_LOG_A_FAMILY, tuple->family) ||
	       nla_put_u8(skb, IPFI_LOG_A_PROTO, tuple->proto) ||
	       ipfi_put_address(skb, IPFI_LOG_A_SRC, tuple->family, &tuple->src) ||
	       ipfi_put_address(skb, IPFI_LOG_A_DST, tuple->family, &tuple->dst) ||
	       put_ports(skb, packet) || nla_put_u32(skb, IPFI_LOG_A_IIF, packet->iif) ||
	       nla_put_u32(skb, IPFI_LOG_A_OIF, packet->oif) ||
	       nla_put_u32(skb, IPFI_LOG_A_LENGTH, packet->length);
}

bool ipfi_log_allowed(const struct ipfi_net *in)
{
	return net_eq(in->net, &init_net) || READ_ONCE(sysctl_nf_log_all_netns);
}

/* What is told of a packet, and on whose behalf: @rule is an id, @name NULL where only that is known. */
struct entry {
	const char *prefix;
	u64 rule;
	const char *name;
	u8 verdict, reason, state_id;
};

static int put_log(struct sk_buff *skb, const struct ipfi_packet *packet, const struct entry *entry)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_LOG);

	if (!nest || nla_put_string(skb, IPFI_LOG_A_PREFIX, entry->prefix) ||
	    nla_put_u64_64bit(skb, IPFI_LOG_A_RULE, entry->rule, IPFI_LOG_A_PAD) ||
	    (entry->name && nla_put_string(skb, IPFI_LOG_A_NAME, entry->name)) ||
	    nla_put_u8(skb, IPFI_LOG_A_VERDICT, entry->verdict) ||
	    nla_put_u8(skb, IPFI_LOG_A_REASON, entry->reason) ||
	    nla_put_u8(skb, IPFI_LOG_A_STATE, entry->state_id) || put_packet(skb, packet) ||
	    nla_put_u64_64bit(skb, IPFI_LOG_A_TIME, ktime_get_real_ns(), IPFI_LOG_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static void multicast(struct ipfi_net *in, const struct ipfi_packet *packet, const struct entry *entry)
{
	struct sk_buff *skb;
	void *header;

	if (!ipfi_genl_listened(in, IPFI_GROUP_INDEX_LOG))
		return;
	header = ipfi_genl_event_start(in, IPFI_GROUP_INDEX_LOG, IPFI_CMD_EVENT_LOG, LOG_PAYLOAD,
				       &skb);
	if (!header)
		return;
	if (WARN_ON_ONCE(put_log(skb, packet, entry)))
		nlmsg_free(skb);
	else
		ipfi_genl_event_send(in, IPFI_GROUP_INDEX_LOG, skb, header);
}

void ipfi_log_packet(struct ipfi_net *in, const struct sk_buff *skb,
		     const struct nf_hook_state *hook, const struct ipfi_packet *packet,
		     const struct ipfi_decision *decision, u8 state_id)
{
	const struct entry entry = {
		.prefix = decision->rule->log,
		.rule = decision->rule->id,
		.name = decision->rule->name,
		.verdict = decision->verdict,
		.reason = decision->reason,
		.state_id = state_id,
	};
	struct nf_loginfo where = {
		.type = NF_LOG_TYPE_ULOG,
		.u.ulog.group = READ_ONCE(nflog_group),
	};

	/* Asked for by its type, not as the namespace's default logger: it serves all of them. */
	nf_log_packet(in->net, hook->pf, hook->hook, skb, hook->in, hook->out, &where, "%s",
		      decision->rule->log);
	multicast(in, packet, &entry);
}

/* An address and a port as text: "[addr]:port". */
#define END_LEN 56

static void print_end(char text[END_LEN], u8 family, const struct ipfi_addr *addr, u16 port)
{
	__be32 words[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		words[i] = htonl(addr->w[i]);
	if (family == 4)
		snprintf(text, END_LEN, "%pI4:%u", words, port);
	else
		snprintf(text, END_LEN, "[%pI6c]:%u", words, port);
}

static const char *reason_name(u8 reason)
{
	static const char *const names[] = {
#define X(id, name, accepted, help) [IPFI_REASON_##id] = name,
		IPFI_REASONS(X)
#undef X
	};

	return names[reason];
}

void ipfi_log_refusal(struct ipfi_passage *p, const struct ipfi_flow *flow, const struct ipfi_ftp_finding *found,
		      u8 reason)
{
	const struct ipfi_tuple *tuple = &p->packet.tuple;
	char from[END_LEN], to[END_LEN], what[END_LEN] = "nothing valid";
	const struct entry entry = {
		.prefix = reason_name(reason),
		.rule = flow->rule,
		.verdict = IPFI_VERDICT_ALLOW,
		.reason = reason,
		.state_id = flow->state,
	};

	if (!__ratelimit(&p->in->refusals_said))
		return;
	multicast(p->in, &p->packet, &entry);
	if (!ipfi_log_allowed(p->in))
		return;
	print_end(from, tuple->family, &tuple->src, tuple->sport);
	print_end(to, tuple->family, &tuple->dst, tuple->dport);
	if (found->port && found->family)
		print_end(what, found->family, &found->addr, found->port);
	else if (found->port)
		snprintf(what, sizeof(what), "port %u", found->port);
	pr_notice("ftp: %s announces %s to %s: not believed (%s)\n", from, what, to, reason_name(reason));
}

static int put_nat_full(struct sk_buff *skb, const struct ipfi_packet *packet, const struct ipfi_rule *rule)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_LOG);

	if (!nest || put_packet(skb, packet) ||
	    nla_put_u64_64bit(skb, IPFI_LOG_A_TIME, ktime_get_real_ns(), IPFI_LOG_A_PAD))
		return -EMSGSIZE;
	if (rule && (nla_put_u64_64bit(skb, IPFI_LOG_A_RULE, rule->id, IPFI_LOG_A_PAD) ||
		     nla_put_string(skb, IPFI_LOG_A_NAME, rule->name)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static void print_nat_full(const struct ipfi_tuple *tuple, const struct ipfi_rule *rule)
{
	char from[END_LEN], to[END_LEN];

	print_end(from, tuple->family, &tuple->src, tuple->sport);
	print_end(to, tuple->family, &tuple->dst, tuple->dport);
	pr_warn("nat: no translation left for protocol %u from %s to %s%s%s%s\n", tuple->proto, from, to,
		rule ? " (rule '" : "", rule ? rule->name : "", rule ? "')" : "");
}

void ipfi_log_nat_full(struct ipfi_passage *p, const struct ipfi_rule *rule)
{
	struct sk_buff *skb;
	void *header;

	if (!__ratelimit(&p->in->nat.full_said))
		return;
	if (ipfi_log_allowed(p->in))
		print_nat_full(&p->packet.tuple, rule);
	if (!ipfi_genl_listened(p->in, IPFI_GROUP_INDEX_STATE))
		return;
	header = ipfi_genl_event_start(p->in, IPFI_GROUP_INDEX_STATE, IPFI_CMD_EVENT_NAT_FULL, LOG_PAYLOAD, &skb);
	if (!header)
		return;
	if (WARN_ON_ONCE(put_nat_full(skb, &p->packet, rule)))
		nlmsg_free(skb);
	else
		ipfi_genl_event_send(p->in, IPFI_GROUP_INDEX_STATE, skb, header);
}

/* Is it there? It may be removed again: a logger is looked up for every packet. */
static bool has_nflog(void)
{
	if (nf_logger_find_get(NFPROTO_INET, NF_LOG_TYPE_ULOG))
		return false;
	nf_logger_put(NFPROTO_INET, NF_LOG_TYPE_ULOG);
	return true;
}

void ipfi_log_load(struct ipfi_net *in)
{
	if (has_nflog())
		return;
	request_module("nfnetlink_log");
	if (!has_nflog() && ipfi_log_allowed(in))
		pr_warn_once("nfnetlink_log cannot be loaded: nothing goes to NFLOG\n");
}
