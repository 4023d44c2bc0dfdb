// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: the packet parser. The first byte of the input has flags, the second says how much
 * of the packet can be read at first, the rest is the packet. Each try gets memory that ends where
 * it must stop reading; whatever it answers has to keep to the contract of core/packet.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "module/core/packet.h"

#define UNSIZED 1
#define MOST_TRIES 32

/* One try with @avail readable bytes. The options are checked here, while they can be read. */
static int try(struct ipfi_packet *packet, const u8 *data, u32 avail, u32 total, bool unsized)
{
	struct ipfi_packet before;
	u8 *exact = malloc(avail ? avail : 1);
	int answer;

	CHECK(exact);
	memcpy(exact, data, avail);
	memset(packet, 0x5a, sizeof(*packet));
	memset(&packet->inner, 0, sizeof(packet->inner));
	before = *packet;
	answer = ipfi_packet_parse(packet, avail ? exact : exact + 1, avail, total, unsized);
	CHECK(!memcmp((u8 *)packet + offsetof(struct ipfi_packet, list),
		      (u8 *)&before + offsetof(struct ipfi_packet, list),
		      sizeof(before) - offsetof(struct ipfi_packet, list)));
	if (answer == 0) {
		if (packet->tuple.proto == IPFI_PROTO_TCP) {
			CHECK(packet->tcp_options == exact + packet->transport + 20);
			CHECK(packet->transport + 20U + packet->tcp_options_length <= avail);
			CHECK(packet->tcp_options_length % 4 == 0 &&
			      packet->tcp_options_length <= 40);
		} else {
			CHECK(!packet->tcp_options);
		}
		packet->tcp_options = NULL;
	}
	free(exact);
	return answer;
}

/* Tries until it is content, as a caller does that makes readable what is asked for. */
static int parse(struct ipfi_packet *packet, const u8 *data, u32 avail, u32 total, bool unsized)
{
	int answer, tries = 0;

	while ((answer = try(packet, data, avail, total, unsized)) > 0) {
		CHECK((u32)answer > avail && (u32)answer <= total);
		CHECK(++tries < MOST_TRIES);
		avail = (u32)answer;
	}
	switch (answer) {
	case 0:
	case -IPFI_REASON_TRUNCATED:
	case -IPFI_REASON_BAD_HEADER:
	case -IPFI_REASON_FRAGMENT:
	case -IPFI_REASON_TCP_FLAGS:
		return answer;
	}
	CHECK(!"an answer that the contract knows");
	return answer;
}

static bool is_ported(u8 proto)
{
	return proto == IPFI_PROTO_TCP || proto == IPFI_PROTO_UDP || proto == IPFI_PROTO_UDPLITE ||
	       proto == IPFI_PROTO_SCTP || proto == IPFI_PROTO_DCCP;
}

/* Does what was read agree with itself and with the bytes? */
static void check_packet(const struct ipfi_packet *packet, const u8 *data, u32 total)
{
	const struct ipfi_tuple *tuple = &packet->tuple;
	const u8 *transport = data + packet->transport;
	bool icmp;

	CHECK(tuple->family == 4 || tuple->family == 6);
	CHECK(tuple->family == data[0] >> 4);
	CHECK(packet->length <= total && packet->transport <= packet->length);
	CHECK(packet->transport >= (tuple->family == 4 ? 20 : 40));
	CHECK(packet->dscp < 64);
	if (tuple->family == 4)
		CHECK(!(tuple->src.w[1] | tuple->src.w[2] | tuple->src.w[3] | tuple->dst.w[1] |
			tuple->dst.w[2] | tuple->dst.w[3]));
	CHECK(packet->has_ports == is_ported(tuple->proto));
	if (packet->has_ports) {
		CHECK(packet->length - packet->transport >= 8);
		CHECK(tuple->sport == (transport[0] << 8 | transport[1]));
		CHECK(tuple->dport == (transport[2] << 8 | transport[3]) && tuple->dport);
	}
	if (tuple->proto == IPFI_PROTO_TCP) {
		CHECK(packet->payload + packet->transport + 20 + packet->tcp_options_length ==
		      packet->length);
		CHECK(packet->tcp_flags == transport[13]);
	} else {
		CHECK(!packet->payload && !packet->tcp_flags && !packet->tcp_options_length);
		CHECK(!packet->seq && !packet->ack && !packet->window);
	}

	icmp = tuple->proto == (tuple->family == 4 ? IPFI_PROTO_ICMP : IPFI_PROTO_ICMPV6);
	CHECK(icmp == (packet->icmp_kind != IPFI_ICMP_NONE));
	CHECK(packet->icmp_kind <= IPFI_ICMP_SIGNAL);
	if (!icmp)
		CHECK(!packet->icmp);
	if (packet->icmp_kind == IPFI_ICMP_QUERY || packet->icmp_kind == IPFI_ICMP_REPLY) {
		CHECK(packet->icmp_kind != IPFI_ICMP_QUERY || tuple->dport == packet->icmp >> 8);
		CHECK((packet->icmp_kind == IPFI_ICMP_QUERY ? tuple->sport : tuple->dport) ==
		      (transport[4] << 8 | transport[5]));
	} else if (!packet->has_ports) {
		CHECK(!tuple->sport && !tuple->dport);
	}
	if (packet->icmp_kind != IPFI_ICMP_ERROR)
		CHECK(packet->inner.family == 0 && packet->inner_seq == 0);
	else
		CHECK(packet->inner.family == 0 || packet->inner.family == tuple->family);
	if (ipfi_packet_is_neighbour(packet))
		CHECK(icmp && tuple->family == 6 &&
		      (packet->hop_limit == 255 || packet->hop_limit == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct ipfi_packet whole, part;
	u32 total, avail;
	const u8 *data;
	bool unsized;
	int answer;

	if (size < 2 || size > 0x10000)
		return 0;
	unsized = input[0] & UNSIZED;
	data = input + 2;
	total = (u32)size - 2;
	avail = input[1] < total ? input[1] : total;

	answer = parse(&whole, data, total, total, unsized);
	CHECK(parse(&part, data, avail, total, unsized) == answer);
	if (answer)
		return 0;
	CHECK(!memcmp(&whole, &part, sizeof(whole)));
	check_packet(&whole, data, total);

	/* Nothing behind the packet's end has had a part in it. */
	CHECK(parse(&part, data, whole.length, whole.length, unsized) == 0);
	CHECK(!memcmp(&whole, &part, sizeof(whole)));
	return 0;
}
