// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet parser: what it reads of good packets. */
#include "samples.h"

static void reads_tcp(void **state)
{
	static const u8 families[] = { 4, 6 };
	struct ipfi_packet packet;
	struct ipfi_addr src, dst;
	struct wire wire;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(families); i++) {
		memset(&packet, 0xa5, sizeof(packet));
		wire = tcp_wire(families[i], 40000, 443, IPFI_TCP_SYN | 0xc0, 7);
		src = host(families[i], 1);
		dst = host(families[i], 2);
		assert_int_equal(parse(&packet, &wire), 0);
		assert_int_equal(packet.tuple.family, families[i]);
		assert_int_equal(packet.tuple.proto, IPFI_PROTO_TCP);
		assert_true(ipfi_addr_equal(&packet.tuple.src, &src));
		assert_true(ipfi_addr_equal(&packet.tuple.dst, &dst));
		assert_int_equal(packet.tuple.sport, 40000);
		assert_int_equal(packet.tuple.dport, 443);
		assert_int_equal(packet.has_ports, 1);
		assert_int_equal(packet.length, wire.length);
		assert_int_equal(packet.transport, families[i] == 4 ? 20 : 40);
		assert_int_equal(packet.hop_limit, 64);
		assert_int_equal(packet.dscp, 46);
		assert_int_equal(packet.tcp_flags, IPFI_TCP_SYN | 0xc0);
		assert_int_equal(packet.seq, 0x01020304);
		assert_int_equal(packet.ack, 0x05060708);
		assert_int_equal(packet.window, 0x1234);
		assert_int_equal(packet.payload, 7);
		assert_int_equal(packet.tcp_options_length, 0);
		assert_int_equal(packet.icmp_kind, IPFI_ICMP_NONE);
		assert_int_equal(packet.icmp, 0);
		assert_int_equal(packet.inner.family, 0);
	}
}

static void reads_options(void **state)
{
	struct wire wire = with_options();
	struct ipfi_packet packet;

	(void)state;
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.transport, 32);
	assert_int_equal(packet.tuple.dport, 80);
	assert_int_equal(packet.tcp_options_length, 8);
	assert_ptr_equal(packet.tcp_options, wire.at + 52);
	assert_int_equal(packet.payload, 5);
}

static void reads_extension_headers(void **state)
{
	struct wire wire = long_chain();
	struct ipfi_packet packet;

	(void)state;
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.transport, 112);
	assert_int_equal(packet.tuple.proto, IPFI_PROTO_TCP);
	assert_int_equal(packet.tuple.dport, 443);
	assert_int_equal(packet.payload, 0);
}

/* Nothing is known of what follows ESP or "no next header", even if it looks like more headers. */
static void ends_chain_at_unknown(void **state)
{
	static const u8 ends[] = { ESP, NO_NEXT, 47, 135 };
	struct ipfi_packet packet;
	struct wire wire;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ends); i++) {
		wire = (struct wire){ .length = 0 };
		put_ip(&wire, 6, DESTINATION);
		put_extension(&wire, DESTINATION, ends[i], 2);
		put_udp(&wire, 1, 2, 4);
		put_ip_end(&wire, 0);
		assert_int_equal(parse(&packet, &wire), 0);
		assert_int_equal(packet.tuple.proto, ends[i]);
		assert_int_equal(packet.transport, 56);
		assert_int_equal(packet.has_ports, 0);
		assert_int_equal(packet.tuple.sport, 0);
		assert_int_equal(packet.tuple.dport, 0);
	}
	wire = (struct wire){ .length = 0 };
	put_ip(&wire, 6, NO_NEXT);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.length, 40);
}

/* An extension header may be the last of a packet, and has to end with it at most. */
static void ends_packet_with_chain(void **state)
{
	struct ipfi_packet packet;
	struct wire wire;

	(void)state;
	wire = (struct wire){ .length = 0 };
	put_ip(&wire, 6, DESTINATION);
	put_extension(&wire, DESTINATION, NO_NEXT, 1);
	put_ip_end(&wire, 0);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.transport, 48);
	wire.at[41] = 1;
	assert_int_equal(parse(&packet, &wire), -IPFI_REASON_TRUNCATED);

	/* Authentication without a check value, which is 12 bytes. */
	wire = (struct wire){ .length = 0 };
	put_ip(&wire, 6, AUTHENTICATION);
	put16(&wire, NO_NEXT << 8 | 1);
	put_fill(&wire, 10, 0);
	put_ip_end(&wire, 0);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.transport, 52);
}

static void bounds_chain(void **state)
{
	struct ipfi_packet packet;
	struct wire wire;
	int count, i;

	(void)state;
	for (count = 1; count < 20; count++) {
		wire = (struct wire){ .length = 0 };
		put_ip(&wire, 6, DESTINATION);
		for (i = 1; i < count; i++)
			put_extension(&wire, DESTINATION, DESTINATION, 1);
		put_extension(&wire, DESTINATION, IPFI_PROTO_UDP, 1);
		put_udp(&wire, 1, 2, 4);
		put_ip_end(&wire, 0);
		assert_int_equal(parse(&packet, &wire), count <= 8 ? 0 : -IPFI_REASON_BAD_HEADER);
	}
}

static void reads_ports_of_all(void **state)
{
	static const u8 protos[] = { IPFI_PROTO_UDP, IPFI_PROTO_UDPLITE, IPFI_PROTO_SCTP,
				     IPFI_PROTO_DCCP };
	struct ipfi_packet packet;
	struct wire wire;
	size_t i;
	int family;

	(void)state;
	for (family = 4; family <= 6; family += 2) {
		for (i = 0; i < COUNT(protos); i++) {
			wire = ported((u8)family, protos[i]);
			assert_int_equal(parse(&packet, &wire), 0);
			assert_int_equal(packet.tuple.proto, protos[i]);
			assert_int_equal(packet.has_ports, 1);
			assert_int_equal(packet.tuple.sport, 40000);
			assert_int_equal(packet.tuple.dport, 5060);
			assert_int_equal(packet.tcp_flags, 0);
			assert_int_equal(packet.payload, 0);
			assert_null(packet.tcp_options);
		}
	}
}

/* A field that a packet does not have must not keep a value from the packet before. */
static void forgets_last_packet(void **state)
{
	struct wire first = error4(), second = with_options(), third = gre4();
	struct ipfi_packet packet;

	(void)state;
	assert_int_equal(parse(&packet, &first), 0);
	assert_int_equal(packet.icmp, 0x0301);
	assert_int_equal(parse(&packet, &second), 0);
	assert_int_equal(packet.icmp, 0);
	assert_int_equal(packet.icmp_kind, IPFI_ICMP_NONE);
	assert_int_equal(packet.inner.family, 0);
	assert_int_equal(packet.inner_seq, 0);
	assert_int_equal(parse(&packet, &third), 0);
	assert_int_equal(packet.has_ports, 0);
	assert_int_equal(packet.tuple.sport, 0);
	assert_int_equal(packet.tuple.dport, 0);
	assert_int_equal(packet.tcp_flags, 0);
	assert_int_equal(packet.seq, 0);
	assert_int_equal(packet.ack, 0);
	assert_int_equal(packet.window, 0);
	assert_int_equal(packet.payload, 0);
	assert_int_equal(packet.tcp_options_length, 0);
	assert_null(packet.tcp_options);
}

static void leaves_callers_part(void **state)
{
	struct ipfi_packet packet, before;
	const size_t part = offsetof(struct ipfi_packet, list);
	struct wire wire;
	size_t i;

	(void)state;
	memset(&before, 0xa5, sizeof(before));
	for (i = 0; i < COUNT(samples); i++) {
		wire = samples[i].make();
		packet = before;
		assert_int_equal(parse(&packet, &wire), 0);
		assert_memory_equal((u8 *)&packet + part, (u8 *)&before + part,
				    sizeof(packet) - part);
	}
}

static void ignores_padding(void **state)
{
	struct ipfi_packet packet;
	struct wire wire;
	u32 length;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		wire = samples[i].make();
		length = wire.length;
		put_fill(&wire, 13, 0xff);
		assert_int_equal(parse(&packet, &wire), 0);
		assert_int_equal(packet.length, length);
	}
	wire = tcp4();
	put_fill(&wire, 6, 0);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.payload, 10);

	/* Padding is not taken for a header that is missing. */
	wire = tcp_wire(4, 1, 2, IPFI_TCP_ACK, 0);
	set16(&wire, 2, 39);
	assert_int_equal(parse(&packet, &wire), -IPFI_REASON_TRUNCATED);
}

/* An aggregate has no length of its own, or a jumbo option that repeats the caller's. */
static void takes_aggregates(void **state)
{
	struct ipfi_packet packet;
	struct wire wire = tcp4();

	(void)state;
	set16(&wire, 2, 0);
	assert_int_equal(parse_part(&packet, &wire, 40, 100000, false), -IPFI_REASON_BAD_HEADER);
	assert_int_equal(parse_part(&packet, &wire, 40, 100000, true), 0);
	assert_int_equal(packet.length, 100000);
	assert_int_equal(packet.payload, 100000 - 40);

	wire = long_chain();
	set16(&wire, 4, 0);
	assert_int_equal(parse_part(&packet, &wire, 132, 100000, false), -IPFI_REASON_TRUNCATED);
	assert_int_equal(parse_part(&packet, &wire, 132, 100000, true), 0);
	assert_int_equal(packet.length, 100000);
	assert_int_equal(packet.payload, 100000 - 132);

	/* Only a length that is missing is made good. */
	wire = tcp4();
	assert_int_equal(parse_part(&packet, &wire, 50, 60, true), 0);
	assert_int_equal(packet.length, 50);
	set16(&wire, 2, 61);
	assert_int_equal(parse_part(&packet, &wire, 50, 60, true), -IPFI_REASON_TRUNCATED);
}

/* Of a first fragment the transport header is read; the rest of its datagram is elsewhere. */
static void reads_first_fragment(void **state)
{
	struct wire wire = udp4();
	struct ipfi_packet packet;

	(void)state;
	set16(&wire, 24, 1000);
	assert_int_equal(parse(&packet, &wire), -IPFI_REASON_TRUNCATED);
	set16(&wire, 6, 0x2000);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.tuple.dport, 53);

	/* In IPv6 an atomic fragment is whole, and one that has more to come is not. */
	wire = (struct wire){ .length = 0 };
	put_ip(&wire, 6, FRAGMENT);
	put_extension(&wire, FRAGMENT, IPFI_PROTO_UDP, 1);
	put_udp(&wire, 1, 53, 8);
	put_ip_end(&wire, 0);
	set16(&wire, 52, 1000);
	assert_int_equal(parse(&packet, &wire), -IPFI_REASON_TRUNCATED);
	set16(&wire, 42, 1);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.tuple.dport, 53);

	wire = long_chain();
	set16(&wire, 82, 1);
	put_fill(&wire, 8, 0xda);
	put_ip_end(&wire, 0);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.payload, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_tcp),
		cmocka_unit_test(reads_options),
		cmocka_unit_test(reads_extension_headers),
		cmocka_unit_test(ends_chain_at_unknown),
		cmocka_unit_test(ends_packet_with_chain),
		cmocka_unit_test(bounds_chain),
		cmocka_unit_test(reads_ports_of_all),
		cmocka_unit_test(forgets_last_packet),
		cmocka_unit_test(leaves_callers_part),
		cmocka_unit_test(ignores_padding),
		cmocka_unit_test(takes_aggregates),
		cmocka_unit_test(reads_first_fragment),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
