// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet parser on ICMP and ICMPv6: kinds, identifiers, quoted packets, neighbours. */
#include "support.h"

static const u8 families[] = { 4, 6 };

/* Every type that is no signal (RFC 792, 950, 4443, 4620, 8335). */
static const struct kind {
	u8 family, type, kind;
} kinds[] = {
	{ 4, 0, IPFI_ICMP_REPLY },   { 4, 3, IPFI_ICMP_ERROR },	  { 4, 8, IPFI_ICMP_QUERY },
	{ 4, 11, IPFI_ICMP_ERROR },  { 4, 12, IPFI_ICMP_ERROR },  { 4, 13, IPFI_ICMP_QUERY },
	{ 4, 14, IPFI_ICMP_REPLY },  { 4, 15, IPFI_ICMP_QUERY },  { 4, 16, IPFI_ICMP_REPLY },
	{ 4, 17, IPFI_ICMP_QUERY },  { 4, 18, IPFI_ICMP_REPLY },  { 4, 42, IPFI_ICMP_QUERY },
	{ 4, 43, IPFI_ICMP_REPLY },  { 6, 1, IPFI_ICMP_ERROR },	  { 6, 2, IPFI_ICMP_ERROR },
	{ 6, 3, IPFI_ICMP_ERROR },   { 6, 4, IPFI_ICMP_ERROR },	  { 6, 128, IPFI_ICMP_QUERY },
	{ 6, 129, IPFI_ICMP_REPLY }, { 6, 139, IPFI_ICMP_QUERY }, { 6, 140, IPFI_ICMP_REPLY },
	{ 6, 160, IPFI_ICMP_QUERY }, { 6, 161, IPFI_ICMP_REPLY },
};

static u8 expected_kind(u8 family, u8 type)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (kinds[i].family == family && kinds[i].type == type)
			return kinds[i].kind;
	return IPFI_ICMP_SIGNAL;
}

/* The type of the query that a reply of @type answers. */
static u8 query_of(u8 family, u8 type)
{
	return family == 4 && type == 0 ? 8 : type - 1;
}

/* The ports of a query or reply with identifier 0xabcd, 0 for other kinds. */
static u16 expected_sport(u8 family, u8 type)
{
	switch (expected_kind(family, type)) {
	case IPFI_ICMP_QUERY:
		return 0xabcd;
	case IPFI_ICMP_REPLY:
		return query_of(family, type);
	default:
		return 0;
	}
}

static u16 expected_dport(u8 family, u8 type)
{
	switch (expected_kind(family, type)) {
	case IPFI_ICMP_QUERY:
		return type;
	case IPFI_ICMP_REPLY:
		return 0xabcd;
	default:
		return 0;
	}
}

/* An ICMP error of @family with @inner behind its header. */
static struct wire error_about(u8 family, const struct wire *inner)
{
	struct wire wire = icmp_wire(family, family == 4 ? 11 : 3, 0, 0);
	u32 i;

	for (i = 0; i < inner->length; i++)
		put8(&wire, inner->at[i]);
	put_ip_end(&wire, 0);
	return wire;
}

static void knows_kinds(void **state)
{
	struct wire wire, quoted;
	struct ipfi_packet packet;
	size_t i;
	int type;

	(void)state;
	for (i = 0; i < COUNT(families); i++) {
		quoted = udp_wire(families[i], 1, 2, 0);
		for (type = 0; type < 256; type++) {
			u8 kind = expected_kind(families[i], (u8)type);

			wire = icmp_wire(families[i], (u8)type, 7, 0xabcd0102);
			if (kind == IPFI_ICMP_ERROR) {
				wire = error_about(families[i], &quoted);
				wire.at[families[i] == 4 ? 20 : 40] = (u8)type;
				wire.at[families[i] == 4 ? 21 : 41] = 7;
			}
			assert_int_equal(parse(&packet, &wire), 0);
			assert_int_equal(packet.icmp_kind, kind);
			assert_int_equal(packet.icmp, type << 8 | 7);
			assert_int_equal(packet.tuple.sport, expected_sport(families[i], (u8)type));
			assert_int_equal(packet.tuple.dport, expected_dport(families[i], (u8)type));
			assert_int_equal(packet.has_ports, 0);
			assert_int_equal(packet.inner.family,
					 kind == IPFI_ICMP_ERROR ? families[i] : 0);
		}
	}
}

/* The tuple of a message of @type with @identifier, sent by host 2 when @back. */
static struct ipfi_tuple message(u8 family, u8 type, u16 identifier, bool back)
{
	struct wire wire = icmp_wire(family, type, 0, (u32)identifier << 16 | 1);
	struct ipfi_packet packet;
	struct ipfi_addr swap;

	assert_int_equal(parse(&packet, &wire), 0);
	if (back) {
		swap = packet.tuple.src;
		packet.tuple.src = packet.tuple.dst;
		packet.tuple.dst = swap;
	}
	return packet.tuple;
}

/*
 * A query and its reply have one key, and are told apart. The reply to another query, to another
 * type of query, and a query that the other host asks by chance with the same identifier have other
 * keys.
 */
static void reply_has_key_of_query(void **state)
{
	struct ipfi_tuple query, reply, crossing, crossing_reply;
	struct ipfi_key key, other;
	size_t i, j;
	bool higher;

	(void)state;
	for (i = 0; i < COUNT(kinds); i++) {
		if (kinds[i].kind != IPFI_ICMP_REPLY)
			continue;
		query = message(kinds[i].family, query_of(kinds[i].family, kinds[i].type), 0x1234,
				false);
		reply = message(kinds[i].family, kinds[i].type, 0x1234, true);
		higher = ipfi_key_from_tuple(&key, &query);
		assert_true(ipfi_key_from_tuple(&other, &reply) != higher);
		assert_true(ipfi_key_equal(&key, &other));

		reply = message(kinds[i].family, kinds[i].type, 0x1235, true);
		ipfi_key_from_tuple(&other, &reply);
		assert_false(ipfi_key_equal(&key, &other));

		crossing = message(kinds[i].family, query_of(kinds[i].family, kinds[i].type),
				   0x1234, true);
		ipfi_key_from_tuple(&other, &crossing);
		assert_false(ipfi_key_equal(&key, &other));
		crossing_reply = message(kinds[i].family, kinds[i].type, 0x1234, false);
		ipfi_key_from_tuple(&other, &crossing_reply);
		assert_false(ipfi_key_equal(&key, &other));

		for (j = 0; j < COUNT(kinds); j++) {
			if (j == i || kinds[j].family != kinds[i].family ||
			    kinds[j].kind != IPFI_ICMP_REPLY)
				continue;
			reply = message(kinds[j].family, kinds[j].type, 0x1234, true);
			ipfi_key_from_tuple(&other, &reply);
			assert_false(ipfi_key_equal(&key, &other));
		}
	}
}

/* ICMP in IPv6 and ICMPv6 in IPv4 are protocols like any other. */
static void keeps_families_apart(void **state)
{
	struct ipfi_packet packet;
	struct wire wire;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(families); i++) {
		wire = (struct wire){ .length = 0 };
		put_ip(&wire, families[i], icmp_proto(10 - families[i]));
		put_icmp(&wire, families[i] == 4 ? 128 : 8, 0, 0xabcd0102);
		put_ip_end(&wire, 0);
		assert_int_equal(parse(&packet, &wire), 0);
		assert_int_equal(packet.icmp_kind, IPFI_ICMP_NONE);
		assert_int_equal(packet.icmp, 0);
		assert_int_equal(packet.tuple.sport, 0);
		assert_int_equal(packet.tuple.dport, 0);
	}
}

static void reads_quoted_ports(void **state)
{
	static const u8 protos[] = { IPFI_PROTO_TCP, IPFI_PROTO_UDP, IPFI_PROTO_UDPLITE,
				     IPFI_PROTO_SCTP, IPFI_PROTO_DCCP };
	struct ipfi_packet packet;
	struct ipfi_addr src, dst;
	struct wire inner, wire;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(families); i++) {
		src = host(families[i], 1);
		dst = host(families[i], 2);
		for (j = 0; j < COUNT(protos); j++) {
			/* The least that an error quotes, of a packet that was longer. */
			inner = (struct wire){ .length = 0 };
			put_ip(&inner, families[i], protos[j]);
			set16(&inner, families[i] == 4 ? 2 : 4, 1400);
			put16(&inner, 40000);
			put16(&inner, 443);
			put32(&inner, 0xdeadbeef);
			wire = error_about(families[i], &inner);
			assert_int_equal(parse(&packet, &wire), 0);
			assert_int_equal(packet.icmp_kind, IPFI_ICMP_ERROR);
			assert_int_equal(packet.inner.family, families[i]);
			assert_int_equal(packet.inner.proto, protos[j]);
			assert_int_equal(packet.inner.sport, 40000);
			assert_int_equal(packet.inner.dport, 443);
			assert_true(ipfi_addr_equal(&packet.inner.src, &src));
			assert_true(ipfi_addr_equal(&packet.inner.dst, &dst));
			assert_int_equal(packet.inner_seq,
					 protos[j] == IPFI_PROTO_TCP ? 0xdeadbeef : 0);
			assert_int_equal(packet.tuple.sport, 0);
			assert_int_equal(packet.has_ports, 0);
			/* One byte less says too little. */
			wire.length--;
			put_ip_end(&wire, 0);
			assert_int_equal(parse(&packet, &wire), -IPFI_REASON_TRUNCATED);
		}
	}
}

static void reads_quoted_identifier(void **state)
{
	struct ipfi_packet packet;
	struct wire inner, wire;
	size_t i;
	int type;

	(void)state;
	for (i = 0; i < COUNT(families); i++) {
		for (type = 0; type < 256; type++) {
			u8 kind = expected_kind(families[i], (u8)type);

			inner = icmp_wire(families[i], (u8)type, 0, 0xabcd0102);
			wire = error_about(families[i], &inner);
			assert_int_equal(parse(&packet, &wire), 0);
			assert_int_equal(packet.inner.proto, icmp_proto(families[i]));
			if (kind == IPFI_ICMP_QUERY || kind == IPFI_ICMP_REPLY) {
				assert_int_equal(packet.inner.family, families[i]);
				assert_int_equal(packet.inner.sport,
						 expected_sport(families[i], (u8)type));
				assert_int_equal(packet.inner.dport,
						 expected_dport(families[i], (u8)type));
			} else {
				/* An error about an error is related to nothing. */
				assert_int_equal(packet.inner.family, 0);
				assert_int_equal(packet.inner.sport, 0);
				assert_int_equal(packet.inner.dport, 0);
			}
		}
	}
}

static void reads_quoted_other(void **state)
{
	struct ipfi_packet packet;
	struct wire inner, wire;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(families); i++) {
		inner = (struct wire){ .length = 0 };
		put_ip(&inner, families[i], 47);
		put32(&inner, 0x00000800);
		wire = error_about(families[i], &inner);
		assert_int_equal(parse(&packet, &wire), 0);
		assert_int_equal(packet.inner.family, families[i]);
		assert_int_equal(packet.inner.proto, 47);
		assert_int_equal(packet.inner.sport, 0);
		assert_int_equal(packet.inner.dport, 0);
	}
}

/* Options and extension headers of the quoted packet are passed over. */
static void skips_quoted_options(void **state)
{
	struct wire inner = { .length = 0 }, wire;
	struct ipfi_packet packet;

	(void)state;
	put_ip(&inner, 4, IPFI_PROTO_UDP);
	put_fill(&inner, 40, 1);
	inner.at[0] = 0x4f;
	put_udp(&inner, 1024, 53, 0);
	wire = error_about(4, &inner);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.inner.dport, 53);

	inner = (struct wire){ .length = 0 };
	put_ip(&inner, 6, 0);
	put16(&inner, 0x3c00); /* hop-by-hop, then destination options, then a first fragment */
	put_fill(&inner, 6, 0);
	put16(&inner, 0x2c01);
	put_fill(&inner, 14, 0);
	put16(&inner, 0x1100);
	put16(&inner, 0x0001);
	put32(&inner, 0x12345678);
	put_udp(&inner, 1024, 53, 0);
	wire = error_about(6, &inner);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.inner.proto, IPFI_PROTO_UDP);
	assert_int_equal(packet.inner.dport, 53);
}

/* A quoted fragment that is not the first names no ports; what stands there are data. */
static void reads_no_ports_of_fragment(void **state)
{
	struct wire inner = udp_wire(4, 1024, 53, 0), wire;
	struct ipfi_packet packet;

	(void)state;
	set16(&inner, 6, 0x2001);
	wire = error_about(4, &inner);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.icmp_kind, IPFI_ICMP_ERROR);
	assert_int_equal(packet.inner.family, 0);
	assert_int_equal(packet.inner.dport, 0);

	inner = (struct wire){ .length = 0 };
	put_ip(&inner, 6, 44);
	put32(&inner, 0x11000008);
	put32(&inner, 0x12345678);
	put_udp(&inner, 1024, 53, 0);
	wire = error_about(6, &inner);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.inner.family, 0);
	assert_int_equal(packet.inner.dport, 0);
}

/* One wrong byte at @offset of the quoted packet. */
static const struct lie {
	u8 family;
	u32 offset;
	u8 value;
	int reason;
} lies[] = {
	{ 4, 0, 0x65, IPFI_REASON_BAD_HEADER },	 /* IPv6 in an ICMP error */
	{ 6, 0, 0x45, IPFI_REASON_BAD_HEADER },	 /* IPv4 in an ICMPv6 error */
	{ 4, 0, 0x44, IPFI_REASON_BAD_HEADER },	 /* a header of 16 bytes */
	{ 4, 0, 0x46, IPFI_REASON_TRUNCATED },	 /* options that push the ports past the end */
	{ 4, 12, 0xe0, IPFI_REASON_BAD_HEADER }, /* sent by a group */
	{ 6, 8, 0xff, IPFI_REASON_BAD_HEADER },
	{ 6, 6, 60, IPFI_REASON_TRUNCATED }, /* a chain that does not end */
	{ 4, 2, 0xff, 0 },		     /* longer than what is quoted: it is cut */
	{ 6, 4, 0xff, 0 },
	{ 4, 2, 0, 0 }, /* routers that spoil the length are borne with */
};

static void refuses_quoted_lies(void **state)
{
	struct ipfi_packet packet;
	struct wire inner, wire;
	size_t i;
	int answer;

	(void)state;
	for (i = 0; i < COUNT(lies); i++) {
		/* The port would do as an extension header's next header and length. */
		inner = udp_wire(lies[i].family, 0x3c00, 53, 0);
		inner.at[lies[i].offset] = lies[i].value;
		wire = error_about(lies[i].family, &inner);
		answer = parse(&packet, &wire);
		if (answer != -lies[i].reason)
			fail_msg("lie %zu: %d, expected %d", i, answer, -lies[i].reason);
	}
}

static void refuses_short_messages(void **state)
{
	struct ipfi_packet packet;
	struct wire wire;
	u32 header, length;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(families); i++) {
		header = families[i] == 4 ? 20 : 40;
		for (length = 0; length < 8; length++) {
			wire = icmp_wire(families[i], 5, 0, 0);
			wire.length = header + length;
			put_ip_end(&wire, 0);
			assert_int_equal(parse(&packet, &wire), -IPFI_REASON_TRUNCATED);
		}
	}
}

/* clang-format off */
#define LINK_LOCAL { { 0xfe800000, 0, 0x02000000, 1 } }
#define LAST_LINK_LOCAL { { 0xfebfffff, 0, 0, 1 } }
#define PAST_LINK_LOCAL { { 0xfec00000, 0, 0, 1 } }
#define UNSPECIFIED { { 0, 0, 0, 0 } }
#define LOOPBACK { { 0, 0, 0, 1 } }
#define GLOBAL { { 0x20010db8, 0, 0, 1 } }
/* clang-format on */

static const struct neighbour {
	u8 type, code, hop_limit;
	struct ipfi_addr src;
	bool is;
} neighbours[] = {
	/* Router and neighbour messages: RFC 4861 sections 6.1, 7.1, 8.1. */
	{ 133, 0, 255, UNSPECIFIED, true },
	{ 133, 0, 255, LINK_LOCAL, true },
	{ 133, 0, 254, LINK_LOCAL, false },
	{ 133, 1, 255, LINK_LOCAL, false },
	{ 134, 0, 255, LINK_LOCAL, true },
	{ 134, 0, 255, LAST_LINK_LOCAL, true },
	{ 134, 0, 255, PAST_LINK_LOCAL, false },
	{ 134, 0, 255, GLOBAL, false },
	{ 134, 0, 255, UNSPECIFIED, false },
	{ 134, 0, 1, LINK_LOCAL, false },
	{ 135, 0, 255, UNSPECIFIED, true },
	{ 135, 0, 255, GLOBAL, true },
	{ 135, 0, 64, GLOBAL, false },
	{ 135, 9, 255, GLOBAL, false },
	{ 136, 0, 255, GLOBAL, true },
	{ 136, 0, 0, GLOBAL, false },
	{ 137, 0, 255, LINK_LOCAL, true },
	{ 137, 0, 255, GLOBAL, false },
	/* Listener messages: RFC 2710 section 3, RFC 3590, RFC 3810 sections 5.1.14, 5.2.13. */
	{ 130, 0, 1, LINK_LOCAL, true },
	{ 130, 0, 255, LINK_LOCAL, false },
	{ 131, 0, 1, UNSPECIFIED, true },
	{ 132, 0, 1, LINK_LOCAL, true },
	{ 143, 0, 1, UNSPECIFIED, true },
	{ 143, 0, 1, GLOBAL, false },
	{ 143, 0, 1, LOOPBACK, false },
	{ 143, 0, 2, LINK_LOCAL, false },
	{ 143, 0, 1, { { 1, 0, 0, 0 } }, false },
	{ 143, 0, 1, { { 0, 1, 0, 0 } }, false },
	{ 143, 0, 1, { { 0, 0, 1, 0 } }, false },
	/* Nothing else, whatever its hop limit. */
	{ 128, 0, 255, LINK_LOCAL, false },
	{ 138, 0, 255, LINK_LOCAL, false },
	{ 129, 0, 1, LINK_LOCAL, false },
	{ 1, 0, 255, LINK_LOCAL, false },
	{ 100, 0, 255, LINK_LOCAL, false },
};

static void knows_neighbours(void **state)
{
	struct wire inner = udp_wire(6, 1, 2, 0), wire;
	struct ipfi_packet packet;
	const struct neighbour *row;
	u32 i;

	(void)state;
	for (row = neighbours; row < neighbours + COUNT(neighbours); row++) {
		wire = error_about(6, &inner);
		wire.at[7] = row->hop_limit;
		for (i = 0; i < 16; i++)
			wire.at[8 + i] = (u8)(row->src.w[i / 4] >> (3 - i % 4) * 8);
		wire.at[40] = row->type;
		wire.at[41] = row->code;
		assert_int_equal(parse(&packet, &wire), 0);
		if (ipfi_packet_is_neighbour(&packet) != row->is)
			fail_msg("row %zu: type %u is%s one", (size_t)(row - neighbours), row->type,
				 row->is ? "" : " not");
	}

	/* The same numbers in IPv4 and in other protocols mean nothing. */
	wire = icmp_wire(4, 135, 0, 0);
	wire.at[8] = 255;
	assert_int_equal(parse(&packet, &wire), 0);
	assert_false(ipfi_packet_is_neighbour(&packet));
	wire = icmp_wire(6, 135, 0, 0);
	wire.at[6] = 47;
	wire.at[7] = 255;
	assert_int_equal(parse(&packet, &wire), 0);
	assert_false(ipfi_packet_is_neighbour(&packet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_kinds),
		cmocka_unit_test(reply_has_key_of_query),
		cmocka_unit_test(keeps_families_apart),
		cmocka_unit_test(reads_quoted_ports),
		cmocka_unit_test(reads_quoted_identifier),
		cmocka_unit_test(reads_quoted_other),
		cmocka_unit_test(skips_quoted_options),
		cmocka_unit_test(reads_no_ports_of_fragment),
		cmocka_unit_test(refuses_quoted_lies),
		cmocka_unit_test(refuses_short_messages),
		cmocka_unit_test(knows_neighbours),
	};

	return cmocka_run_group_tests_name("icmp", tests, NULL, NULL);
}
