// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/tcp.h>
#include "module/helper/ftp.h"
#include "module/filter/hook.h"
#include "module/nat/translate.h"
#include "module/nat/destination.h"
#include "module/packet/reject.h"
#include "module/packet/rewrite.h"
#include "module/packet/skb.h"
#include "module/nat/xfrm.h"

static void reverse(const struct ipfi_tuple *tuple, struct ipfi_tuple *reversed)
{
	struct ipfi_tuple from = *tuple;

	*reversed = from;
	reversed->src = from.dst;
	reversed->dst = from.src;
	reversed->sport = from.dport;
	reversed->dport = from.sport;
	reversed->src_vrf = from.dst_vrf;
	reversed->dst_vrf = from.src_vrf;
}

void ipfi_nat_view(const struct ipfi_wide_state *wide, enum ipfi_view view, enum ipfi_direction direction,
		   struct ipfi_tuple *tuple)
{
	/* A reply arrives where the original direction leaves. */
	if (direction == IPFI_REPLY && view != IPFI_VIEW_REAL)
		view = view == IPFI_VIEW_ARRIVING ? IPFI_VIEW_LEAVING : IPFI_VIEW_ARRIVING;
	if (view == IPFI_VIEW_ARRIVING)
		*tuple = wide->arriving;
	else if (view == IPFI_VIEW_LEAVING)
		*tuple = wide->leaving;
	else
		ipfi_flow_tuple(&wide->state.flow, tuple);
	if (direction == IPFI_REPLY)
		reverse(tuple, tuple);
}

enum ipfi_direction ipfi_nat_arriving_direction(const struct ipfi_wide_state *wide, const struct ipfi_tuple *tuple)
{
	return ipfi_tuple_equal(tuple, &wide->arriving) ? IPFI_ORIGINAL : IPFI_REPLY;
}

bool ipfi_nat_show(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_view view,
		   enum ipfi_direction direction)
{
	struct ipfi_tuple to;

	ipfi_nat_view(wide, view, direction, &to);
	return ipfi_tuple_equal(&p->packet.tuple, &to) || ipfi_rewrite(p->skb, &p->packet, &to);
}

u8 ipfi_nat_show_arriving(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction)
{
	struct ipfi_tuple to;

	ipfi_nat_view(wide, IPFI_VIEW_REAL, direction, &to);
	if (ipfi_tuple_equal(&p->packet.tuple, &to))
		return 0;
	if (!ipfi_xfrm_may_arrive(p, &to.dst))
		return IPFI_REASON_IPSEC_POLICY;
	return ipfi_rewrite(p->skb, &p->packet, &to) ? 0 : IPFI_REASON_NAT_FAILED;
}

/*
 * A packet that this machine sends shows another destination now than the one that its way was looked up for.
 */
static bool find_way_again(struct ipfi_passage *p)
{
	int err;

	if (p->packet.tuple.family == 4)
		err = ip_route_me_harder(p->in->net, p->hook->sk, p->skb, RTN_UNSPEC);
	else
		err = ip6_route_me_harder(p->in->net, p->hook->sk, p->skb);
	ipfi_skb_moved(p->skb, &p->packet);
	return !err;
}

/* After a rewriting from @before: what has been found out about the old destination is to be forgotten. */
static bool forget_way(struct ipfi_passage *p, const struct ipfi_addr *before)
{
	if (ipfi_addr_equal(before, &p->packet.tuple.dst))
		return p->packet.list != IPFI_LIST_OUT || ipfi_xfrm_find_again(p);
	if (p->packet.list == IPFI_LIST_OUT)
		return find_way_again(p);
	skb_dst_drop(p->skb);
	return true;
}

bool ipfi_nat_is_over(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction)
{
	const struct ipfi_flow *flow = &wide->state.flow;

	if (p->packet.tuple.proto != IPFI_PROTO_TCP ||
	    (p->packet.tcp_flags & (IPFI_TCP_SYN | IPFI_TCP_ACK | IPFI_TCP_RST)) != IPFI_TCP_SYN)
		return false;
	return (flow->table & IPFI_TABLE_KILLED || ipfi_tcp_reopens(flow, &p->packet, direction)) &&
	       !ipfi_skb_checksum_bad(p->skb, &p->packet);
}

/* A packet of the translated connection @wide, which is locked and comes back unlocked. */
static unsigned int arrive_known(struct ipfi_passage *p, struct ipfi_wide_state *wide)
{
	enum ipfi_direction direction = ipfi_nat_arriving_direction(wide, &p->packet.tuple);
	const struct ipfi_addr before = p->packet.tuple.dst;
	u8 reason;

	if (unlikely(ipfi_nat_is_over(p, wide, direction))) {
		ipfi_table_remove(p->in, &wide->state, IPFI_CAUSE_REPLACED);
		return IPFI_LOOK_AGAIN;
	}
	reason = ipfi_nat_show_arriving(p, wide, direction);
	spin_unlock(&wide->state.lock);
	if (!reason && !forget_way(p, &before))
		reason = IPFI_REASON_NAT_FAILED;
	return reason ? ipfi_passage_count(p, reason, NF_DROP) : NF_ACCEPT;
}

static unsigned int arrive_once(struct ipfi_passage *p)
{
	struct ipfi_wide_state *wide;
	struct ipfi_addr before;
	unsigned int verdict;
	bool known;

	wide = ipfi_table_find_translated(p->in, &p->key, ipfi_table_arrives(p->higher), &known);
	if (wide)
		return arrive_known(p, wide);
	if (likely(known))
		return NF_ACCEPT;
	before = p->packet.tuple.dst;
	verdict = ipfi_nat_arrive_first(p);
	if (verdict == NF_ACCEPT && !forget_way(p, &before))
		return ipfi_passage_count(p, IPFI_REASON_NAT_FAILED, NF_DROP);
	return verdict;
}

static unsigned int arrive(struct ipfi_passage *p)
{
	unsigned int lookups, verdict;

	ipfi_passage_key(p);
	for (lookups = 0; lookups < IPFI_LOOKUPS_MAX; lookups++) {
		verdict = arrive_once(p);
		if (likely(verdict != IPFI_LOOK_AGAIN))
			return verdict;
	}
	return ipfi_passage_give_up(p);
}

/*
 * The direction of what leaves of @wide's connection and has @tuple, with p->higher. Of an unconfirmed one, which
 * nobody has answered, that is what its refusal is answered with, or an error about it, and nothing else: false.
 */
static bool find_leaving_direction(const struct ipfi_passage *p, const struct ipfi_wide_state *wide,
				   const struct ipfi_tuple *tuple, enum ipfi_direction *direction)
{
	struct ipfi_tuple back;

	if (likely(!(wide->state.flow.flags & IPFI_FLOW_F_UNJUDGED))) {
		*direction = ipfi_flow_direction(&wide->state.flow, p->higher);
		return true;
	}
	/* The key would not say so if both ends are the same. */
	*direction = IPFI_REPLY;
	ipfi_nat_view(wide, IPFI_VIEW_REAL, IPFI_REPLY, &back);
	return ipfi_tuple_equal(tuple, &back);
}

/*
 * ICMP errors. They go the way of the packets that answer the quoted one, so the quoted tuple reversed is
 * theirs, and the quoted packet itself shows what it showed where the error was made (RFC 5508 REQ-4, REQ-5).
 */

/* The translated state that @tuple, of an error's way, belongs to as @found says; locked. */
static struct ipfi_wide_state *find_of_error(struct ipfi_passage *p, const struct ipfi_tuple *tuple, bool real)
{
	bool known;

	p->higher = ipfi_key_from_tuple(&p->key, tuple);
	return ipfi_table_find_translated(p->in, &p->key, real ? IPFI_TABLE_REAL : ipfi_table_arrives(p->higher),
					  &known);
}

/* Lets the quoted packet show @view, of a state whose packets on the error's way have @direction. */
static bool show_quoted(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_view view,
			enum ipfi_direction direction)
{
	struct ipfi_tuple to;

	ipfi_nat_view(wide, view, direction, &to);
	reverse(&to, &to);
	return ipfi_tuple_equal(&p->packet.inner, &to) || ipfi_rewrite_inner(p->skb, &p->packet, &to);
}

/* Lets the quoted segment, of @wide's @direction, have the number that its sender knows it by. */
static bool show_quoted_seq(struct ipfi_passage *p, const struct ipfi_wide_state *wide, enum ipfi_direction direction)
{
	u32 seq;

	if (likely(!wide->control) || p->packet.inner.proto != IPFI_PROTO_TCP)
		return true;
	seq = ipfi_control_quoted_seq(wide->control, direction, p->packet.inner_seq);
	return seq == p->packet.inner_seq || ipfi_rewrite_inner_seq(p->skb, &p->packet, seq);
}

/* Lets an error that arrives show the real end points, in what it quotes too. 0, or the reason to drop it. */
static u8 turn_arriving_error(struct ipfi_passage *p)
{
	struct ipfi_tuple way, arriving, real;
	struct ipfi_wide_state *wide;
	enum ipfi_direction direction;
	bool done;

	if (!p->packet.inner.family || ipfi_skb_checksum_bad(p->skb, &p->packet))
		return 0;
	reverse(&p->packet.inner, &way);
	if (p->packet.list == IPFI_LIST_OUT) {
		/* This machine's own, most often made where the real end points are shown. */
		wide = find_of_error(p, &way, true);
		if (wide) {
			spin_unlock(&wide->state.lock);
			return 0;
		}
	}
	wide = find_of_error(p, &way, false);
	if (!wide)
		return 0;
	/* What arrives here quotes nothing of a connection that has not passed. */
	if (wide->state.flow.flags & IPFI_FLOW_F_UNJUDGED) {
		spin_unlock(&wide->state.lock);
		return 0;
	}
	direction = ipfi_nat_arriving_direction(wide, &way);
	ipfi_nat_view(wide, IPFI_VIEW_ARRIVING, direction, &arriving);
	ipfi_nat_view(wide, IPFI_VIEW_REAL, direction, &real);
	if (ipfi_addr_equal(&p->packet.tuple.dst, &arriving.dst) && !ipfi_addr_equal(&arriving.dst, &real.dst) &&
	    !ipfi_xfrm_may_arrive(p, &real.dst)) {
		spin_unlock(&wide->state.lock);
		return IPFI_REASON_IPSEC_POLICY;
	}
	done = show_quoted(p, wide, IPFI_VIEW_REAL, direction) && show_quoted_seq(p, wide, !direction);
	if (done && ipfi_addr_equal(&p->packet.tuple.dst, &arriving.dst) &&
	    !ipfi_addr_equal(&arriving.dst, &real.dst))
		done = ipfi_rewrite_outer(p->skb, &p->packet, NULL, &real.dst);
	spin_unlock(&wide->state.lock);
	return done ? 0 : IPFI_REASON_NAT_FAILED;
}

static unsigned int arrive_error(struct ipfi_passage *p)
{
	const struct ipfi_addr before = p->packet.tuple.dst;
	u8 reason = turn_arriving_error(p);

	if (!reason && !forget_way(p, &before))
		reason = IPFI_REASON_NAT_FAILED;
	return reason ? ipfi_passage_count(p, reason, NF_DROP) : NF_ACCEPT;
}

/*
 * Lets an error that leaves show what the other side knows. 0, or the reason to drop it. *known: it is about a
 * translated connection.
 */
static u8 turn_leaving_error(struct ipfi_passage *p, bool *known)
{
	const struct ipfi_addr *src = NULL, *dst = NULL;
	struct ipfi_tuple way, leaving, real;
	struct ipfi_wide_state *wide;
	enum ipfi_direction direction;
	bool done;

	*known = false;
	if (!p->packet.inner.family)
		return 0;
	reverse(&p->packet.inner, &way);
	wide = find_of_error(p, &way, true);
	if (!wide)
		return 0;
	if (!find_leaving_direction(p, wide, &way, &direction)) {
		spin_unlock(&wide->state.lock);
		return 0;
	}
	*known = true;
	ipfi_nat_view(wide, IPFI_VIEW_LEAVING, direction, &leaving);
	ipfi_nat_view(wide, IPFI_VIEW_REAL, direction, &real);
	/* Whoever behind the translation speaks, the other side knows only its outer address. */
	if (!ipfi_addr_equal(&leaving.src, &real.src) &&
	    !ipfi_addr_is_own(p->in->net, ipfi_vrf_of_packet(p->in, &p->packet), p->packet.tuple.family,
			      &p->packet.tuple.src))
		src = &leaving.src;
	if (ipfi_addr_equal(&p->packet.tuple.dst, &real.dst))
		dst = &leaving.dst;
	done = show_quoted(p, wide, IPFI_VIEW_LEAVING, direction) &&
	       ipfi_rewrite_outer(p->skb, &p->packet, src, dst);
	spin_unlock(&wide->state.lock);
	return done ? 0 : IPFI_REASON_NAT_FAILED;
}

/*
 * What leaves shows another source than @before, by which IPsec's policy was looked up. (To this machine nothing of
 * that kind happens: what it shows was checked as it came.)
 */
static bool find_policy(struct ipfi_passage *p, const struct ipfi_addr *before)
{
	return p->packet.list == IPFI_LIST_IN || ipfi_addr_equal(before, &p->packet.tuple.src) ||
	       ipfi_xfrm_find_again(p);
}

u8 ipfi_nat_turn_error(struct ipfi_passage *p, bool arriving)
{
	bool known;

	return arriving ? turn_arriving_error(p) : turn_leaving_error(p, &known);
}

unsigned int ipfi_nat_arrive(struct ipfi_passage *p)
{
	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_ERROR))
		return arrive_error(p);
	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_SIGNAL))
		return NF_ACCEPT;
	return arrive(p);
}

bool ipfi_nat_enter(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction)
{
	const struct ipfi_tuple before = p->packet.tuple;
	struct ipfi_tuple arrived, to;

	ipfi_nat_view(wide, IPFI_VIEW_ARRIVING, direction, &arrived);
	ipfi_nat_view(wide, IPFI_VIEW_LEAVING, direction, &to);
	/* What has been translated before was checked then. */
	if (ipfi_tuple_equal(&p->packet.tuple, &arrived) && !ipfi_tuple_equal(&arrived, &to) &&
	    !ipfi_xfrm_may_arrive(p, &to.dst))
		return false;
	if (!ipfi_nat_show(p, wide, IPFI_VIEW_LEAVING, direction))
		return false;
	/* The socket was found early by what the packet showed: it may be another connection's. */
	if (p->skb->sk && !inet_sk_transparent(p->skb->sk) && !ipfi_tuple_equal(&before, &p->packet.tuple))
		skb_orphan(p->skb);
	return true;
}

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

void ipfi_nat_mark(struct ipfi_passage *p)
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

static unsigned int leave_unknown(struct ipfi_passage *p, bool marked)
{
	return marked ? ipfi_passage_count(p, IPFI_REASON_NAT_GONE, NF_DROP) : NF_ACCEPT;
}

static unsigned int leave_error(struct ipfi_passage *p, bool marked)
{
	const struct ipfi_addr before = p->packet.tuple.src;
	bool known;
	u8 reason = turn_leaving_error(p, &known);

	if (!reason && !find_policy(p, &before))
		reason = IPFI_REASON_IPSEC_POLICY;
	if (reason)
		return ipfi_passage_count(p, reason, NF_DROP);
	return known ? NF_ACCEPT : leave_unknown(p, marked);
}

/* @marked: as ipfi_nat_mark() did. */
static unsigned int leave(struct ipfi_passage *p, bool marked)
{
	enum ipfi_direction direction;
	struct ipfi_wide_state *wide;
	struct ipfi_tuple before;
	bool known, leaves, shown;
	bool again;

	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_ERROR))
		return leave_error(p, marked);
	if (unlikely(p->packet.icmp_kind == IPFI_ICMP_SIGNAL))
		return leave_unknown(p, marked);
	ipfi_passage_key(p);
	wide = ipfi_table_find_translated(p->in, &p->key, IPFI_TABLE_REAL, &known);
	if (!wide)
		return leave_unknown(p, marked);
	leaves = find_leaving_direction(p, wide, &p->packet.tuple, &direction);
	before = p->packet.tuple;
	shown = leaves && ipfi_nat_show(p, wide, IPFI_VIEW_LEAVING, direction);
	again = !ipfi_addr_equal(&before.src, &p->packet.tuple.src) || before.sport != p->packet.tuple.sport;
	spin_unlock(&wide->state.lock);
	if (shown && again && p->packet.list == IPFI_LIST_OUT && !ipfi_xfrm_find_again(p))
		return ipfi_passage_count(p, IPFI_REASON_IPSEC_POLICY, NF_DROP);
	if (!leaves)
		return ipfi_passage_count(p, IPFI_REASON_NAT_GONE, NF_DROP);
	return shown ? NF_ACCEPT : ipfi_passage_count(p, IPFI_REASON_NAT_FAILED, NF_DROP);
}

unsigned int ipfi_nat_leave(struct ipfi_passage *p)
{
	return leave(p, false);
}

/* Begins a passage at one of the hooks below; false when it is none of theirs. */
static bool begin(struct ipfi_passage *p, struct sk_buff *skb, const struct nf_hook_state *hook)
{
	p->in = ipfi_net(hook->net);
	p->rs = rcu_dereference(p->in->ruleset);
	p->skb = skb;
	p->hook = hook;
	p->rehearsal = NULL;
	return p->rs && !ipfi_vrf_is_other_pass(skb, hook);
}

/* What cannot be read, or belongs to a VRF too many, is dropped, and counted, by the filter. */
static bool read_packet(struct ipfi_passage *p, enum ipfi_list list)
{
	int err = ipfi_skb_parse(p->skb, &p->packet);
	u8 refused = ipfi_skb_surroundings(p->skb, p->hook, list, &p->packet);

	return !err && !refused;
}

static unsigned int pass_arriving(struct sk_buff *skb, const struct nf_hook_state *hook)
{
	struct ipfi_passage p;

	/* Over a loopback device it has arrived on its way out. */
	if (!begin(&p, skb, hook) || !read_packet(&p, IPFI_LIST_IN) || p.packet.loopback)
		return NF_ACCEPT;
	return ipfi_nat_arrive(&p);
}

static unsigned int pass_leaving(struct sk_buff *skb, const struct nf_hook_state *hook)
{
	struct ipfi_passage p;
	bool marked;

	if (!begin(&p, skb, hook))
		return NF_ACCEPT;
	marked = take_mark(skb, hook->pf);
	return read_packet(&p, IPFI_LIST_OUT) ? leave(&p, marked) : leave_unknown(&p, marked);
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
	if (!err)
		WRITE_ONCE(in->nat.active, true);
	return err;
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

void ipfi_nat_stop_idle(struct ipfi_net *in)
{
	if (likely(!READ_ONCE(in->nat.active)) || atomic_read(&in->table.translated) || !mutex_trylock(&in->mutex))
		return;
	if (is_idle(in)) {
		/* A packet may still be opening a connection by rules that have just gone. */
		synchronize_rcu();
		if (is_idle(in))
			ipfi_nat_unregister(in);
	}
	mutex_unlock(&in->mutex);
}

int ipfi_nat_init(struct ipfi_net *in)
{
	in->nat.secret = get_random_u32();
	ratelimit_state_init(&in->nat.full_said, HZ, 1);
	ratelimit_set_flags(&in->nat.full_said, RATELIMIT_MSG_ON_RELEASE);
	return ipfi_mappings_init(in);
}

void ipfi_nat_exit(struct ipfi_net *in)
{
	ipfi_mappings_exit(in);
}
