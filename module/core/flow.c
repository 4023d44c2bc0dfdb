// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/flow.h"
#include "module/core/tcp_window.h"

void ipfi_limits_init(struct ipfi_limits *limits)
{
	limits->value[IPFI_LIMIT_UNSPEC] = 0;
#define X(id, name, least, most, standard) limits->value[IPFI_LIMIT_##id] = standard;
	IPFI_LIMITS(X)
#undef X
	limits->value[IPFI_LIMIT_MAX_STATES] = IPFI_MAX_STATES_LEAST;
}

void ipfi_limit_range(unsigned int id, u32 *least, u32 *most)
{
	static const struct {
		u32 least, most;
	} ranges[IPFI_LIMIT_MAX + 1] = {
#define X(id, name, least_, most_, standard) [IPFI_LIMIT_##id] = { .least = least_, .most = most_ },
		IPFI_LIMITS(X)
#undef X
	};

	*least = ranges[id].least;
	*most = ranges[id].most;
}

/* ORDER STATE: the time-outs in IPFI_LIMITS stand in the order of IPFI_STATES. */
static_assert(IPFI_LIMIT_TCP_SYN_SENT + IPFI_STATE_CLOSED - IPFI_STATE_SYN_SENT == IPFI_LIMIT_TCP_CLOSED &&
	      IPFI_LIMIT_TCP_SYN_SENT + IPFI_STATE_ICMP - IPFI_STATE_SYN_SENT == IPFI_LIMIT_ICMP &&
	      IPFI_LIMIT_TCP_SYN_SENT + IPFI_STATE_OTHER - IPFI_STATE_SYN_SENT == IPFI_LIMIT_OTHER,
	      "each state has its time-out");

bool ipfi_flow_evictable(const struct ipfi_flow *flow)
{
	switch (flow->state) {
	case IPFI_STATE_ESTABLISHED:
		return ipfi_flow_is_tentative(flow);
	case IPFI_STATE_UDP_ESTABLISHED:
		return false;
	case IPFI_STATE_ICMP:
	case IPFI_STATE_OTHER:
		return !(flow->flags & IPFI_STATE_F_REPLY_SEEN);
	default:
		return true;
	}
}

int ipfi_flow_open(struct ipfi_flow *flow, const struct ipfi_packet *packet, u64 rule, u32 generation,
		   u32 now, const struct ipfi_limits *limits)
{
	struct ipfi_interfaces interfaces = { .oif = packet->oif };
	int err = 0;

	memset(flow, 0, IPFI_FLOW_SIZE_IPV4);
	ipfi_flow_set_tuple(flow, &packet->tuple);
	if (packet->loopback)
		flow->flags |= IPFI_FLOW_F_LOOPBACK;
	flow->generation = generation;
	flow->list = packet->list;
	flow->traffic[IPFI_ORIGINAL].packets = 1;
	flow->traffic[IPFI_ORIGINAL].bytes = packet->length;
	flow->rule = rule;
	if (packet->list == IPFI_LIST_OUT)
		interfaces.user = packet->has_user ? packet->user : ~0U;
	else
		interfaces.iif = packet->iif;
	flow->traffic[IPFI_ORIGINAL].last = interfaces;
	flow->traffic[IPFI_REPLY].last = interfaces;
	flow->other = interfaces;
	flow->mark = packet->mark;
	flow->created = now;

	switch (packet->tuple.proto) {
	case IPFI_PROTO_TCP:
		err = ipfi_tcp_open(flow, packet, limits);
		break;
	case IPFI_PROTO_UDP:
		flow->state = IPFI_STATE_UDP_NEW;
		break;
	default:
		flow->state = IPFI_STATE_OTHER;
		if (packet->icmp_kind == IPFI_ICMP_NONE)
			break;
		if (packet->icmp_kind != IPFI_ICMP_QUERY)
			return -IPFI_REASON_ICMP_UNASKED;
		flow->state = IPFI_STATE_ICMP;
	}
	return err;
}

enum ipfi_advance ipfi_flow_advance(struct ipfi_flow *flow, const struct ipfi_packet *packet,
				    enum ipfi_direction direction, u8 *reason)
{
	enum ipfi_advance advance = IPFI_ADVANCE_PASS;

	switch (flow->state) {
	case IPFI_STATE_UDP_NEW:
		if (direction == IPFI_REPLY)
			flow->state = IPFI_STATE_UDP_ESTABLISHED;
		break;
	case IPFI_STATE_UDP_ESTABLISHED:
	case IPFI_STATE_ICMP:
	case IPFI_STATE_OTHER:
		break;
	default:
		advance = ipfi_tcp_advance(flow, packet, direction, reason);
	}
	if (likely(advance == IPFI_ADVANCE_PASS)) {
		flow->traffic[direction].packets++;
		flow->traffic[direction].bytes += packet->length;
		/* What TCP knows is in another cache line: it is looked at until the first reply has been seen. */
		if (direction == IPFI_REPLY && unlikely(!(flow->flags & IPFI_STATE_F_REPLY_SEEN)) &&
		    !(flow->tcp.ends[IPFI_REPLY].flags & IPFI_TCP_END_SILENT))
			flow->flags |= IPFI_STATE_F_REPLY_SEEN;
	}
	return advance;
}
