// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/random.h>
#include <linux/slab.h>
#include "module/core/flow.h"
#include "module/core/ftp.h"
#include "module/core/nat.h"
#include "module/core/packet.h"
#include "module/core/platform.h"
#include "module/core/rule.h"
#include "module/core/sequence.h"
#include "module/core/tuple.h"
#include "module/helper/ftp.h"
#include "module/helper/payload.h"
#include "module/memory.h"
#include "module/nat/view.h"
#include "module/net.h"
#include "module/packet/context.h"
#include "module/packet/log.h"
#include "module/packet/skb.h"
#include "module/table/copies.h"
#include "module/table/expect.h"
#include "module/table/state.h"

/* Ports tried for the outside of an announced connection. */
#define PORT_TRIES 64
#define PORT_LEAST 1024

static void init_master(struct ipfi_master *master, const struct ipfi_state *state)
{
	refcount_set(&master->references, 1);
	master->id = ipfi_state_id(state);
	ipfi_flow_copy(&master->first, &state->flow);
}

static void init_control(struct ipfi_pkt *p, struct ipfi_control *control, struct ipfi_master *master,
			 const struct ipfi_rule *rule)
{
	memset(control, 0, sizeof(*control));
	control->master = master;
	INIT_LIST_HEAD(&control->expected);
	control->foreign = rule->flags & IPFI_RULE_F_FTP_FOREIGN;
	ipfi_ftp_init(&control->ftp);
	ipfi_seqadj_init(&control->sequences[IPFI_ORIGINAL]);
	ipfi_seqadj_init(&control->sequences[IPFI_REPLY]);
	if (p->packet.tcp_flags & IPFI_TCP_SYN)
		ipfi_ftp_start(&control->ftp, IPFI_ORIGINAL, p->packet.seq + 1);
}

/* Where the two are to be: on their own, or, of a question, in the copy that the state is. */
static struct ipfi_control *take_control(struct ipfi_pkt *p, struct ipfi_state_ext *ext,
					 struct ipfi_master **master)
{
	struct ipfi_control *control;

	if (unlikely(p->dry_run)) {
		*master = &ipfi_copy_of(&ext->state)->master;
		return &ipfi_copy_of(&ext->state)->control;
	}
	*master = kmalloc(sizeof(**master), GFP_ATOMIC | __GFP_NOWARN);
	if (!*master)
		return NULL;
	control = ipfi_memory_alloc(p->in, NULL, sizeof(*control));
	if (control)
		atomic_inc(&p->in->table.controls);
	else
		kfree(*master);
	return control;
}

int ipfi_control_attach(struct ipfi_pkt *p, struct ipfi_state_ext *ext, const struct ipfi_rule *rule)
{
	struct ipfi_master *master;
	struct ipfi_control *control = take_control(p, ext, &master);

	if (!control)
		return -ENOMEM;
	init_master(master, &ext->state);
	init_control(p, control, master, rule);
	ext->control = control;
	return 0;
}

void ipfi_control_reevaluated(struct ipfi_net *in, struct ipfi_control *control, const struct ipfi_rule *rule)
{
	if (!rule || rule->helper != IPFI_HELPER_FTP) {
		control->stopped = true;
		ipfi_expect_forget(in, control);
		return;
	}
	/* Rules that came back. What has been sent of a line meanwhile cannot be changed any more. */
	if (control->stopped) {
		control->stopped = false;
		ipfi_ftp_skip_line(&control->ftp, IPFI_ORIGINAL);
		ipfi_ftp_skip_line(&control->ftp, IPFI_REPLY);
	}
	control->foreign = rule->flags & IPFI_RULE_F_FTP_FOREIGN;
	WRITE_ONCE(control->master->first.rule, rule->id);
}

void ipfi_control_restart(struct ipfi_net *in, struct ipfi_control *control, u32 seq)
{
	ipfi_expect_forget(in, control);
	ipfi_ftp_init(&control->ftp);
	ipfi_seqadj_init(&control->sequences[IPFI_ORIGINAL]);
	ipfi_seqadj_init(&control->sequences[IPFI_REPLY]);
	ipfi_ftp_start(&control->ftp, IPFI_ORIGINAL, seq);
}

/* The number of a segment's first byte of data: a SYN, which may have some (RFC 7413), stands before it. */
static u32 data_seq(const struct ipfi_packet *packet)
{
	return packet->seq + !!(packet->tcp_flags & IPFI_TCP_SYN);
}

/* Must the segment wait for what is missing before it, or, if it is not only sent again, for room to edit it? */
static bool comes_too_early(const struct ipfi_control *control, enum ipfi_direction direction,
			    const struct ipfi_packet *packet)
{
	const u32 seq = data_seq(packet);

	if (!packet->payload)
		return false;
	return !ipfi_ftp_in_order(&control->ftp, direction, seq) ||
	       (!ipfi_seqadj_room(&control->sequences[direction]) &&
		ipfi_ftp_seen(&control->ftp, direction, seq, packet->payload) < packet->payload);
}

u8 ipfi_control_before(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction, u32 *ack)
{
	struct ipfi_control *control = ext->control;

	*ack = p->packet.ack;
	/* What is read, and may be written with a checksum of its own, must be what was sent. */
	if (ipfi_skb_checksum_bad(p->skb, &p->packet))
		return IPFI_REASON_BAD_CHECKSUM;
	if (!ipfi_payload_open(p->skb, &p->packet))
		return IPFI_REASON_NO_MEMORY;
	if (ext->translated)
		ipfi_payload_map_ack(p->skb, &p->packet, &control->sequences[!direction]);
	return 0;
}

/* The announced connection, as the one who will open it sees it and as it really is. */
static void describe(const struct ipfi_state_ext *ext, enum ipfi_direction direction,
		     const struct ipfi_ftp_finding *found, struct ipfi_expectation *one)
{
	struct ipfi_tuple back, back_real;

	/* It goes against the announcing direction, by the translations of the control connection. */
	ipfi_nat_view(ext, IPFI_VIEW_ARRIVING, !direction, &back);
	ipfi_nat_view(ext, IPFI_VIEW_REAL, !direction, &back_real);
	one->key.family = back.family;
	one->key.vrf = back.src_vrf;
	one->key.src = back.src;
	one->key.dst = back.dst;
	one->key.dport = found->port;
	one->real_dst = back_real.dst;
	one->real_dport = found->port;
	/* With ftp_foreign, to a third host; where the sender's own address is not translated, directly. */
	if (found->family && !ipfi_addr_equal(&found->addr, &back_real.dst) &&
	    !ipfi_addr_equal(&found->addr, &back.dst)) {
		if (ipfi_addr_equal(&back.dst, &back_real.dst))
			one->key.dst = found->addr;
		one->real_dst = found->addr;
	}
	ipfi_nat_view(ext, IPFI_VIEW_LEAVING, !direction, &back);
	one->leaving_src = back.src;
	one->src_translated = !ipfi_addr_equal(&back.src, &back_real.src);
	one->masqueraded = ext->masqueraded && direction == IPFI_REPLY;
	one->dst_translated = !ipfi_addr_equal(&one->key.dst, &one->real_dst);
}

/* ipfi_expect_add(), or of a question only whether it would. */
static int add(struct ipfi_pkt *p, struct ipfi_state_ext *ext, struct ipfi_expectation *one)
{
	if (unlikely(p->dry_run))
		return ipfi_expect_would_add(p->in, ipfi_copy_of(&ext->state)->watched, ext->control, one);
	return ipfi_expect_add(p->in, ext->control, one);
}

/* Adds @one, with another outer port if the announced one is another's there and may be written anew: @movable. */
static int expect(struct ipfi_pkt *p, struct ipfi_state_ext *ext, struct ipfi_expectation *one, bool movable)
{
	int err = add(p, ext, one);
	unsigned int tries;

	if (!one->dst_translated || !movable)
		return err;
	for (tries = 0; err == -EADDRINUSE && tries < PORT_TRIES; tries++) {
		one->key.dport = PORT_LEAST + (get_random_u32() % (U16_MAX + 1 - PORT_LEAST));
		err = add(p, ext, one);
	}
	return err;
}

/* Lets the other side read where it finds the announced connection. False if it cannot be written. */
static bool announce(struct ipfi_state_ext *ext, enum ipfi_direction direction,
		     const struct ipfi_ftp_finding *found, const struct ipfi_expectation *one)
{
	struct ipfi_seqadj *sequence = &ext->control->sequences[direction];
	u8 text[IPFI_FTP_TEXT];
	unsigned int length;

	if (one->key.dport == found->port && (!found->family || ipfi_addr_equal(&found->addr, &one->key.dst)))
		return true;
	length = ipfi_ftp_write(found->form, one->key.family, &one->key.dst, one->key.dport, text);
	return length && ipfi_seqadj_edit(sequence, found->seq, found->length, text, length);
}

/*
 * Is what was found to be believed, as said by who has the address @real and is known as @outer to the other side? 0 or
 * the reason why not. A server may announce the latter too, as one does that was told of the translation before it.
 */
static u8 refusal(const struct ipfi_ftp_finding *found, u8 family, const struct ipfi_addr *real,
		  const struct ipfi_addr *outer, bool foreign)
{
	u8 reason = ipfi_ftp_validate(found, family, real, foreign);

	return reason == IPFI_REASON_FTP_FOREIGN ? ipfi_ftp_validate(found, family, outer, foreign) : reason;
}

/* The addresses by which @wide is known to one and the other side as the sender of @direction. Returns the family. */
static u8 sender_addrs(const struct ipfi_state_ext *ext, enum ipfi_direction direction, struct ipfi_addr *real,
		       struct ipfi_addr *outer)
{
	struct ipfi_tuple way;

	ipfi_nat_view(ext, IPFI_VIEW_REAL, direction, &way);
	*real = way.src;
	ipfi_nat_view(ext, IPFI_VIEW_LEAVING, direction, &way);
	*outer = way.src;
	return way.family;
}

/*
 * Expects what @found announces. @write: and lets the other side read where that is for it; else it will go by what was
 * sent. Returns the reason why it is not expected, or 0.
 */
static u8 expect_found(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction,
		       const struct ipfi_ftp_finding *found, bool write)
{
	struct ipfi_expectation *one = kzalloc(sizeof(*one), GFP_ATOMIC | __GFP_NOWARN);
	u8 reason = IPFI_REASON_NONE;

	if (!one)
		return IPFI_REASON_FTP_FULL;
	one->master = ipfi_master_get(ext->control->master);
	describe(ext, direction, found, one);
	if (expect(p, ext, one, write)) {
		ipfi_expect_free(one);
		return IPFI_REASON_FTP_FULL;
	}
	if (write && !announce(ext, direction, found, one))
		reason = IPFI_REASON_FTP_SYNTAX;
	if (unlikely(p->dry_run))
		ipfi_expect_free(one);
	else if (reason)
		/* Nobody will hear of it as it would have to come. */
		ipfi_expect_take(p->in, one);
	return reason;
}

/*
 * Returns the reason to count the packet by: 0 when all is well. An address that is not believed counts as that, and
 * passes as it was sent, even where the port alone is.
 */
static u8 take_finding(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction,
		       const struct ipfi_ftp_finding *found)
{
	struct ipfi_ftp_finding own;
	struct ipfi_addr real, outer;
	u8 family = sender_addrs(ext, direction, &real, &outer);
	u8 reason = refusal(found, family, &real, &outer, ext->control->foreign);
	u8 failed;

	if (reason == IPFI_REASON_FTP_FOREIGN && ipfi_ftp_own_end(found, family, &own)) {
		failed = expect_found(p, ext, direction, &own, false);
		return failed ? failed : reason;
	}
	if (!reason)
		reason = expect_found(p, ext, direction, found, true);
	/*
	 * A foreign one that is believed, and the sender's own: where that is translated the two have one place outside,
	 * and it is what was announced that is found there.
	 */
	if (!reason && !ipfi_addr_equal(&found->addr, &real) && ipfi_addr_equal(&real, &outer) &&
	    ipfi_ftp_own_end(found, family, &own))
		expect_found(p, ext, direction, &own, false);
	return reason;
}

/*
 * How much of the segment from @at on is to be read at once. Once there is no room for another edit only what was
 * read before: the rest must come again.
 */
static u32 may_read(const struct ipfi_state_ext *ext, enum ipfi_direction direction,
		    const struct ipfi_packet *packet, u32 at)
{
	const struct ipfi_control *control = ext->control;

	if (!ext->translated || ipfi_seqadj_room(&control->sequences[direction]))
		return packet->payload - at;
	return ipfi_ftp_seen(&control->ftp, direction, data_seq(packet) + at, packet->payload - at);
}

/* Reads the payload, *read bytes of it. Returns 0 or the last reason why something was not believed. */
static u8 read_payload(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction, u32 *read)
{
	struct ipfi_control *control = ext->control;
	struct ipfi_ftp_finding found;
	u32 at = 0, length;
	u8 reason = 0, last;

	while ((length = may_read(ext, direction, &p->packet, at))) {
		at += ipfi_ftp_feed(&control->ftp, direction, data_seq(&p->packet) + at,
				    ipfi_payload_data(p->skb, &p->packet) + at, length, &found);
		if (found.form == IPFI_FTP_NONE || control->stopped)
			continue;
		last = take_finding(p, ext, direction, &found);
		if (last) {
			if (likely(!p->dry_run))
				ipfi_log_helper_error(p, &ext->state.flow, &found, last);
			reason = last;
		}
	}
	*read = at;
	return reason;
}

/* What the line that has not ended might announce must not leave before it is known. */
static void hold_back(struct ipfi_state_ext *ext, enum ipfi_direction direction, bool fin)
{
	struct ipfi_seqadj *sequence = &ext->control->sequences[direction];
	const u8 *bytes = NULL;
	u32 seq, length;

	if (!ext->control->stopped && !fin)
		bytes = ipfi_ftp_pending(&ext->control->ftp, direction, &seq, &length);
	if (bytes)
		ipfi_seqadj_hold(sequence, seq, bytes, length);
	else
		ipfi_seqadj_release(sequence);
}

u8 ipfi_control_opened(struct ipfi_pkt *p, struct ipfi_state_ext *ext)
{
	unsigned int verdict = NF_ACCEPT;
	u8 reason;

	if (!p->packet.payload)
		return 0;
	if (!ipfi_payload_open(p->skb, &p->packet))
		return IPFI_REASON_NO_MEMORY;
	reason = ipfi_control_after(p, ext, IPFI_ORIGINAL, p->packet.ack, &verdict);
	return reason == IPFI_REASON_STATE ? 0 : reason;
}

u8 ipfi_control_after(struct ipfi_pkt *p, struct ipfi_state_ext *ext, enum ipfi_direction direction, u32 ack,
		      unsigned int *verdict)
{
	struct ipfi_control *control = ext->control;
	struct ipfi_seqadj *sequence = &control->sequences[direction];
	u32 payload = p->packet.payload, read;
	struct ipfi_seqadj_cut cut;
	bool fin, changed;
	u8 reason;

	if (p->packet.tcp_flags & IPFI_TCP_SYN)
		ipfi_ftp_start(&control->ftp, direction, p->packet.seq + 1);
	if (p->packet.tcp_flags & IPFI_TCP_ACK) {
		ipfi_seqadj_acknowledge(&control->sequences[!direction], ack);
		ipfi_ftp_acknowledged(&control->ftp, !direction, p->packet.ack);
	}
	if (comes_too_early(control, direction, &p->packet)) {
		*verdict = NF_DROP;
		return IPFI_REASON_FTP_ORDER;
	}
	reason = read_payload(p, ext, direction, &read);
	/* Who has hung up opens nothing more. */
	if (ext->state.flow.state == IPFI_STATE_TIME_WAIT || ext->state.flow.state == IPFI_STATE_CLOSED)
		ipfi_expect_forget(p->in, control);
	if (!ext->translated)
		return reason ? reason : IPFI_REASON_STATE;
	fin = p->packet.tcp_flags & IPFI_TCP_FIN && read == payload;
	if (payload || fin)
		hold_back(ext, direction, fin);
	changed = ipfi_seqadj_apply(sequence, data_seq(&p->packet), read, fin, &cut);
	/* A SYN's own number stands before all edits. */
	if (p->packet.tcp_flags & IPFI_TCP_SYN)
		cut.seq = p->packet.seq;
	changed |= cut.seq != p->packet.seq;
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
