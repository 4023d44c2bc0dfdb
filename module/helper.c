// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/random.h>
#include <linux/slab.h>
#include "helper.h"
#include "log.h"
#include "nat.h"
#include "payload.h"
#include "skb.h"

/* Ports tried for the outside of an announced connection. */
#define PORT_TRIES 64
#define PORT_LEAST 1024

static struct ipfi_master *new_master(const struct ipfi_state *state)
{
	struct ipfi_master *master = kmalloc(sizeof(*master), GFP_ATOMIC | __GFP_NOWARN);

	if (!master)
		return NULL;
	refcount_set(&master->references, 1);
	master->id = ipfi_state_id(state);
	master->first = state->flow;
	return master;
}

int ipfi_control_attach(struct ipfi_passage *p, struct ipfi_wide_state *wide, const struct ipfi_rule *rule)
{
	struct ipfi_control *control = kzalloc(sizeof(*control), GFP_ATOMIC | __GFP_NOWARN);

	if (!control)
		return -ENOMEM;
	control->master = new_master(&wide->state);
	if (!control->master) {
		kfree(control);
		return -ENOMEM;
	}
	INIT_LIST_HEAD(&control->expected);
	control->foreign = rule->flags & IPFI_RULE_F_FTP_FOREIGN;
	ipfi_ftp_init(&control->ftp);
	ipfi_sequence_init(&control->sequences[IPFI_ORIGINAL]);
	ipfi_sequence_init(&control->sequences[IPFI_REPLY]);
	if (p->packet.tcp_flags & IPFI_TCP_SYN)
		ipfi_ftp_start(&control->ftp, IPFI_ORIGINAL, p->packet.seq + 1);
	wide->control = control;
	return 0;
}

void ipfi_control_rejudged(struct ipfi_net *in, struct ipfi_control *control, const struct ipfi_rule *rule)
{
	if (!rule || rule->helper != IPFI_HELPER_FTP) {
		control->stopped = true;
		ipfi_expect_forget(in, control);
		return;
	}
	control->foreign = rule->flags & IPFI_RULE_F_FTP_FOREIGN;
	WRITE_ONCE(control->master->first.rule, rule->id);
}

void ipfi_control_end(struct ipfi_net *in, struct ipfi_control *control)
{
	if (control)
		ipfi_expect_forget(in, control);
}

void ipfi_control_free(struct ipfi_control *control)
{
	if (!control)
		return;
	ipfi_master_put(control->master);
	kfree(control);
}

/* Is nothing to be read of what comes next: all of the segment was read before? */
static bool read_before(const struct ipfi_control *control, enum ipfi_direction direction,
			const struct ipfi_packet *packet)
{
	return ipfi_ftp_seen(&control->ftp, direction, packet->seq, packet->payload) == packet->payload;
}

u8 ipfi_control_before(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction, u32 *ack)
{
	struct ipfi_control *control = wide->control;

	*ack = p->packet.ack;
	/* What is read, and may be written with a checksum of its own, must be what was sent. */
	if (ipfi_skb_checksum_bad(p->skb, &p->packet))
		return IPFI_REASON_BAD_CHECKSUM;
	if (p->packet.payload && (!ipfi_ftp_in_order(&control->ftp, direction, p->packet.seq) ||
				  (!ipfi_sequence_room(&control->sequences[direction]) &&
				   !read_before(control, direction, &p->packet))))
		return IPFI_REASON_FTP_ORDER;
	if (!ipfi_payload_open(p->skb, &p->packet))
		return IPFI_REASON_NO_MEMORY;
	if (wide->translated)
		ipfi_payload_map_ack(p->skb, &p->packet, &control->sequences[!direction]);
	return 0;
}

/* The announced connection, as the one who will open it sees it and as it really is. */
static void describe(const struct ipfi_wide_state *wide, enum ipfi_direction direction,
		     const struct ipfi_ftp_finding *found, struct ipfi_expectation *one)
{
	struct ipfi_tuple back, back_real;

	/* It goes against the announcing direction, by the translations of the control connection. */
	ipfi_nat_view(wide, IPFI_VIEW_ARRIVING, !direction, &back);
	ipfi_nat_view(wide, IPFI_VIEW_REAL, !direction, &back_real);
	one->family = back.family;
	one->src = back.src;
	one->dst = back.dst;
	one->dport = found->port;
	one->real_dst = back_real.dst;
	one->real_dport = found->port;
	/* With ftp_foreign, to a third host; where the sender's own address is not translated, directly. */
	if (found->family && !ipfi_addr_equal(&found->addr, &back_real.dst) &&
	    !ipfi_addr_equal(&found->addr, &back.dst)) {
		if (ipfi_addr_equal(&back.dst, &back_real.dst))
			one->dst = found->addr;
		one->real_dst = found->addr;
	}
	ipfi_nat_view(wide, IPFI_VIEW_LEAVING, !direction, &back);
	one->leaving_src = back.src;
	one->src_translated = !ipfi_addr_equal(&back.src, &back_real.src);
	one->masqueraded = wide->masqueraded && direction == IPFI_REPLY;
	one->dst_translated = !ipfi_addr_equal(&one->dst, &one->real_dst);
}

/* Adds @one, with another outer port if the announced one is another's there. */
static int expect(struct ipfi_passage *p, struct ipfi_control *control, struct ipfi_expectation *one)
{
	int err = ipfi_expect_add(p->in, control, one);
	unsigned int tries;

	if (!one->dst_translated)
		return err;
	for (tries = 0; err == -EADDRINUSE && tries < PORT_TRIES; tries++) {
		one->dport = PORT_LEAST + (get_random_u32() % (U16_MAX + 1 - PORT_LEAST));
		err = ipfi_expect_add(p->in, control, one);
	}
	return err;
}

/* Lets the other side read where it finds the announced connection. False if it cannot be written. */
static bool announce(struct ipfi_wide_state *wide, enum ipfi_direction direction,
		     const struct ipfi_ftp_finding *found, const struct ipfi_expectation *one)
{
	struct ipfi_sequence *sequence = &wide->control->sequences[direction];
	u8 text[IPFI_FTP_TEXT];
	unsigned int length;

	if (one->dport == found->port && (!found->family || ipfi_addr_equal(&found->addr, &one->dst)))
		return true;
	length = ipfi_ftp_write(found->form, one->family, &one->dst, one->dport, text);
	return length && ipfi_sequence_edit(sequence, found->seq, found->length, text, length);
}

/*
 * Is what was found to be believed? 0 or the reason why not. A server may also announce the address that its
 * client knows it by, as one does that was told of the translation before it.
 */
static u8 refusal(const struct ipfi_wide_state *wide, enum ipfi_direction direction,
		  const struct ipfi_ftp_finding *found)
{
	struct ipfi_tuple way;
	u8 reason;

	ipfi_nat_view(wide, IPFI_VIEW_REAL, direction, &way);
	reason = ipfi_ftp_refusal(found, way.family, &way.src, wide->control->foreign);
	if (reason != IPFI_REASON_FTP_FOREIGN)
		return reason;
	ipfi_nat_view(wide, IPFI_VIEW_LEAVING, direction, &way);
	return ipfi_ftp_refusal(found, way.family, &way.src, wide->control->foreign);
}

/* Returns the reason to count the packet by: 0 when all is well. */
static u8 take_finding(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction,
		       const struct ipfi_ftp_finding *found)
{
	struct ipfi_control *control = wide->control;
	struct ipfi_expectation *one;
	u8 reason = refusal(wide, direction, found);
	int err;

	if (reason)
		return reason;
	one = kzalloc(sizeof(*one), GFP_ATOMIC | __GFP_NOWARN);
	if (!one)
		return IPFI_REASON_FTP_FULL;
	one->master = ipfi_master_get(control->master);
	describe(wide, direction, found, one);
	err = expect(p, control, one);
	if (err) {
		ipfi_expect_free(one);
		return IPFI_REASON_FTP_FULL;
	}
	if (announce(wide, direction, found, one))
		return 0;
	/* Nobody will hear of it as it would have to come. */
	ipfi_expect_withdraw(p->in, control);
	return IPFI_REASON_FTP_SYNTAX;
}

/*
 * How much of the segment from @at on is to be read at once. Once there is no room for another edit only what was
 * read before: the rest must come again.
 */
static u32 may_read(const struct ipfi_wide_state *wide, enum ipfi_direction direction,
		    const struct ipfi_packet *packet, u32 at)
{
	const struct ipfi_control *control = wide->control;

	if (!wide->translated || ipfi_sequence_room(&control->sequences[direction]))
		return packet->payload - at;
	return ipfi_ftp_seen(&control->ftp, direction, packet->seq + at, packet->payload - at);
}

/* Reads the payload, *read bytes of it. Returns 0 or the last reason why something was not believed. */
static u8 read_payload(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction, u32 *read)
{
	struct ipfi_control *control = wide->control;
	struct ipfi_ftp_finding found;
	u32 at = 0, length;
	u8 reason = 0, last;

	while ((length = may_read(wide, direction, &p->packet, at))) {
		at += ipfi_ftp_feed(&control->ftp, direction, p->packet.seq + at,
				    ipfi_payload_data(p->skb, &p->packet) + at, length, &found);
		if (found.form == IPFI_FTP_NONE || control->stopped)
			continue;
		last = take_finding(p, wide, direction, &found);
		if (last) {
			ipfi_log_refusal(p, &wide->state.flow, &found, last);
			reason = last;
		}
	}
	*read = at;
	return reason;
}

u8 ipfi_control_foresee(struct ipfi_passage *p, const struct ipfi_wide_state *wide, enum ipfi_direction direction)
{
	const struct ipfi_control *control = wide->control;
	struct ipfi_ftp *ftp = kmalloc(sizeof(*ftp), GFP_ATOMIC | __GFP_NOWARN);
	u8 reason = IPFI_REASON_STATE, refused;
	struct ipfi_ftp_finding found;
	u32 at = 0, length;

	if (!ftp)
		return reason;
	*ftp = control->ftp;
	if (p->packet.tcp_flags & IPFI_TCP_SYN)
		ipfi_ftp_start(ftp, direction, p->packet.seq + 1);
	while ((length = may_read(wide, direction, &p->packet, at))) {
		at += ipfi_ftp_feed(ftp, direction, p->packet.seq + at, ipfi_payload_data(p->skb, &p->packet) + at,
				    length, &found);
		if (found.form == IPFI_FTP_NONE || control->stopped)
			continue;
		refused = refusal(wide, direction, &found);
		if (!refused && control->expected_count >= IPFI_EXPECT_MOST)
			refused = IPFI_REASON_FTP_FULL;
		if (refused)
			reason = refused;
	}
	kfree(ftp);
	return reason;
}

/* What the line that has not ended might announce must not leave before it is known. */
static void hold_back(struct ipfi_wide_state *wide, enum ipfi_direction direction, bool fin)
{
	struct ipfi_sequence *sequence = &wide->control->sequences[direction];
	const u8 *bytes = NULL;
	u32 seq, length;

	if (!wide->control->stopped && !fin)
		bytes = ipfi_ftp_pending(&wide->control->ftp, direction, &seq, &length);
	if (bytes)
		ipfi_sequence_hold(sequence, seq, bytes, length);
	else
		ipfi_sequence_release(sequence);
}

u8 ipfi_control_after(struct ipfi_passage *p, struct ipfi_wide_state *wide, enum ipfi_direction direction, u32 ack,
		      unsigned int *verdict)
{
	struct ipfi_control *control = wide->control;
	struct ipfi_sequence *sequence = &control->sequences[direction];
	u32 payload = p->packet.payload, read;
	struct ipfi_sequence_cut cut;
	bool fin, changed;
	u8 reason;

	if (p->packet.tcp_flags & IPFI_TCP_SYN)
		ipfi_ftp_start(&control->ftp, direction, p->packet.seq + 1);
	if (p->packet.tcp_flags & IPFI_TCP_ACK)
		ipfi_sequence_acknowledge(&control->sequences[!direction], ack);
	reason = read_payload(p, wide, direction, &read);
	/* Who has hung up opens nothing more. */
	if (wide->state.flow.state == IPFI_STATE_TIME_WAIT || wide->state.flow.state == IPFI_STATE_CLOSED)
		ipfi_expect_forget(p->in, control);
	if (!wide->translated)
		return reason ? reason : IPFI_REASON_STATE;
	fin = p->packet.tcp_flags & IPFI_TCP_FIN && read == payload;
	if (payload || fin)
		hold_back(wide, direction, fin);
	changed = ipfi_sequence_apply(sequence, p->packet.seq, read, fin, &cut) || cut.seq != p->packet.seq;
	if (read < payload) {
		cut.skip = payload - cut.head;
		cut.whole = false;
		changed = true;
	}
	if (changed && !ipfi_payload_write(p->skb, &p->packet, &cut)) {
		*verdict = NF_DROP;
		return IPFI_REASON_NO_MEMORY;
	}
	return reason ? reason : IPFI_REASON_STATE;
}
