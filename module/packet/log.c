// SPDX-License-Identifier: GPL-2.0-or-later
#define pr_fmt(fmt) "ipfi: " fmt

#include <linux/kmod.h>
#include <linux/moduleparam.h>
#include <net/netfilter/nf_log.h>
#include "module/core/decide.h"
#include "module/core/flow.h"
#include "module/core/ftp.h"
#include "module/core/packet.h"
#include "module/core/rule.h"
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/notify.h"
#include "module/packet/context.h"
#include "module/packet/log.h"

static ushort nflog_group;
module_param(nflog_group, ushort, 0644);
MODULE_PARM_DESC(nflog_group, "NFLOG group that packets of rules with log go to (default 0)");

void ipfi_log_packet(struct ipfi_net *in, const struct sk_buff *skb,
		     const struct nf_hook_state *hook, const struct ipfi_packet *packet,
		     const struct ipfi_decision *decision, u8 state_id)
{
	const struct ipfi_log_entry entry = {
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
	ipfi_notify_log(in, packet, &entry);
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

void ipfi_log_helper_error(struct ipfi_pkt *p, const struct ipfi_flow *flow, const struct ipfi_ftp_finding *found,
		      u8 reason)
{
	const struct ipfi_tuple *tuple = &p->packet.tuple;
	char from[END_LEN], to[END_LEN], what[END_LEN] = "nothing valid";
	const struct ipfi_log_entry entry = {
		.prefix = reason_name(reason),
		.rule = flow->rule,
		.verdict = IPFI_VERDICT_ALLOW,
		.reason = reason,
		.state_id = flow->state,
	};

	if (!__ratelimit(&p->in->helper_errors_logged))
		return;
	ipfi_notify_log(p->in, &p->packet, &entry);
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

static void print_nat_full(const struct ipfi_tuple *tuple, const struct ipfi_rule *rule)
{
	char from[END_LEN], to[END_LEN];

	print_end(from, tuple->family, &tuple->src, tuple->sport);
	print_end(to, tuple->family, &tuple->dst, tuple->dport);
	pr_warn("nat: no translation left for protocol %u from %s to %s%s%s%s\n", tuple->proto, from, to,
		rule ? " (rule '" : "", rule ? rule->name : "", rule ? "')" : "");
}

void ipfi_log_nat_full(struct ipfi_pkt *p, const struct ipfi_rule *rule)
{
	if (!__ratelimit(&p->in->nat.full_logged))
		return;
	if (ipfi_log_allowed(p->in))
		print_nat_full(&p->packet.tuple, rule);
	ipfi_notify_nat_full(p->in, &p->packet, rule);
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
