// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/random.h>
#include <net/ip.h>
#include "module/core/platform.h"
#include "module/nat/hooks.h"
#include "module/nat/translate.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/packet/skb.h"
#include "module/packet/vrf.h"
#include "module/ruleset/ruleset.h"
#include "module/table/mapping.h"

/* Between two looks whether the hooks are still asked for. */
#define IDLE_PERIOD (HZ / 4)

/*
 * What the filter has accepted as a packet of a translated connection is marked until it leaves: the state may end in
 * between, by whatever, also while the packet waits in a queue to user space. The mark is a flag that IP keeps beside
 * the packet on just this way, and that IP itself does not use.
 */
#define MUST_BE_TRANSLATED (1 << 15)

static u16 *flags_of(struct sk_buff *skb, u8 pf)
{
	return pf == NFPROTO_IPV4 ? &IPCB(skb)->flags : &IP6CB(skb)->flags;
}

void ipfi_nat_mark(struct ipfi_pkt *p)
{
	if (p->packet.list != IPFI_LIST_IN)
		*flags_of(p->skb, p->hook->pf) |= MUST_BE_TRANSLATED;
}

static bool take_mark(struct sk_buff *skb, u8 pf)
{
	u16 *flags = flags_of(skb, pf);
	const bool marked = *flags & MUST_BE_TRANSLATED;

	if (unlikely(marked))
		*flags &= ~MUST_BE_TRANSLATED;
	return marked;
}

/* False for none of theirs. */
static bool begin(struct ipfi_pkt *p, struct sk_buff *skb, const struct nf_hook_state *hook)
{
	return ipfi_pkt_begin(p, skb, hook) && !ipfi_vrf_is_other_pass(skb, hook);
}

/* What cannot be read, or belongs to a VRF too many, is dropped, and counted, by the filter. */
static bool read_packet(struct ipfi_pkt *p, enum ipfi_list list)
{
	int err = ipfi_skb_parse(p->skb, &p->packet);
	u8 refused = ipfi_skb_fill_env(p->skb, p->hook, list, &p->packet);

	return !err && !refused;
}

static unsigned int pass_arriving(struct sk_buff *skb, const struct nf_hook_state *hook)
{
	struct ipfi_pkt p;

	/* Over a loopback device it has arrived on its way out. */
	if (!begin(&p, skb, hook) || !read_packet(&p, IPFI_LIST_IN) || p.packet.loopback)
		return NF_ACCEPT;
	return ipfi_nat_arrive(&p);
}

static unsigned int pass_leaving(struct sk_buff *skb, const struct nf_hook_state *hook)
{
	struct ipfi_pkt p;
	bool marked;

	if (!begin(&p, skb, hook))
		return NF_ACCEPT;
	marked = take_mark(skb, hook->pf);
	return read_packet(&p, IPFI_LIST_OUT) ? ipfi_nat_leave(&p, marked) : ipfi_nat_leave_unread(&p, marked);
}

/* BHs are off for what comes from a device; they may be on when a process sends. */
static unsigned int hook_arriving(void *priv, struct sk_buff *skb, const struct nf_hook_state *hook)
{
	unsigned int verdict;

	local_bh_disable();
	verdict = pass_arriving(skb, hook);
	local_bh_enable();
	return verdict;
}

static unsigned int hook_leaving(void *priv, struct sk_buff *skb, const struct nf_hook_state *hook)
{
	unsigned int verdict;

	local_bh_disable();
	verdict = pass_leaving(skb, hook);
	local_bh_enable();
	return verdict;
}

/* IPv4's first: ipfi_hooks_count(). */
static const struct nf_hook_ops hooks[] = {
	{ .hook = hook_arriving, .pf = NFPROTO_IPV4, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP_PRI_NAT_DST },
	{ .hook = hook_leaving, .pf = NFPROTO_IPV4, .hooknum = NF_INET_POST_ROUTING,
	  .priority = NF_IP_PRI_NAT_SRC },
	{ .hook = hook_arriving, .pf = NFPROTO_IPV6, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP6_PRI_NAT_DST },
	{ .hook = hook_leaving, .pf = NFPROTO_IPV6, .hooknum = NF_INET_POST_ROUTING,
	  .priority = NF_IP6_PRI_NAT_SRC },
};

static bool asks_for_nat(const struct ipfi_ruleset *rs)
{
	return rs && (rs->classifier.count[IPFI_LIST_DSTNAT] || rs->classifier.count[IPFI_LIST_SRCNAT]);
}

int ipfi_nat_start(struct ipfi_net *in, const struct ipfi_ruleset *rs)
{
	int err;

	lockdep_assert_held(&in->mutex);
	if (!asks_for_nat(rs) || in->nat.active)
		return 0;
	err = nf_register_net_hooks(in->net, hooks, ipfi_hooks_count(ARRAY_SIZE(hooks)));
	if (err)
		return err;
	WRITE_ONCE(in->nat.active, true);
	queue_delayed_work(ipfi_workqueue, &in->nat.idle, IDLE_PERIOD);
	return 0;
}

void ipfi_nat_unregister(struct ipfi_net *in)
{
	if (!in->nat.active)
		return;
	WRITE_ONCE(in->nat.active, false);
	nf_unregister_net_hooks(in->net, hooks, ipfi_hooks_count(ARRAY_SIZE(hooks)));
}

/* Rules that may come back need the hooks too: then it must not fail for want of memory. */
static bool is_idle(struct ipfi_net *in)
{
	return !asks_for_nat(rcu_dereference_protected(in->ruleset, lockdep_is_held(&in->mutex))) &&
	       !asks_for_nat(in->confirmation.before) && !atomic_read(&in->table.translated);
}

/* Looks whether anything asks for the hooks any more, and removes them if not. */
static void stop_idle(struct work_struct *work)
{
	struct ipfi_net *in = container_of(to_delayed_work(work), struct ipfi_net, nat.idle);

	mutex_lock(&in->mutex);
	if (in->nat.active && is_idle(in)) {
		/* A packet may still be opening a connection by rules that have just gone. */
		synchronize_rcu();
		if (is_idle(in))
			ipfi_nat_unregister(in);
	}
	if (in->nat.active)
		queue_delayed_work(ipfi_workqueue, &in->nat.idle, IDLE_PERIOD);
	mutex_unlock(&in->mutex);
}

int ipfi_nat_init(struct ipfi_net *in)
{
	in->nat.secret = get_random_u32();
	INIT_DELAYED_WORK(&in->nat.idle, stop_idle);
	ratelimit_state_init(&in->nat.full_logged, HZ, 1);
	ratelimit_set_flags(&in->nat.full_logged, RATELIMIT_MSG_ON_RELEASE);
	return ipfi_mappings_init(in);
}

void ipfi_nat_exit(struct ipfi_net *in)
{
	cancel_delayed_work_sync(&in->nat.idle);
	ipfi_mappings_exit(in);
}
