// SPDX-License-Identifier: GPL-2.0-or-later
/* What an end of a connection may be translated to, and in which order. */
#include "support.h"
#include "module/core/nat.h"

#define SECRET 0x5eed

static struct ipfi_addr v4(u32 word)
{
	return (struct ipfi_addr){ .w = { word } };
}

static struct ipfi_addr v6(u32 last)
{
	return (struct ipfi_addr){ .w = { 0xfd000001, 0, 0, last } };
}

static struct ipfi_tuple tuple_of(u8 proto, u16 sport)
{
	return (struct ipfi_tuple){
		.src = v4(0x0a000005),
		.dst = v4(0xc0000201),
		.sport = sport,
		.dport = 53,
		.proto = proto,
		.family = 4,
	};
}

/* A target of one range. */
static struct ipfi_nat_target target_of(const struct ipfi_addr_range *range, u8 family, u16 from, u16 to)
{
	return (struct ipfi_nat_target){
		.addrs = {
			.v4 = family == 4 ? range : NULL,
			.v4_count = family == 4,
			.v6 = family == 6 ? range : NULL,
			.v6_count = family == 6,
		},
		.port_from = from,
		.port_to = to,
	};
}

static void begin(struct ipfi_nat_search *search, enum ipfi_nat_end end, const struct ipfi_tuple *tuple,
		  const struct ipfi_nat_target *target, const struct ipfi_addr *addr)
{
	assert_true(ipfi_nat_search_begin(search, end, tuple, false, target, addr, false, SECRET));
}

/* Takes all that a search has; returns how many, and checks that none comes twice and all are within bounds. */
static u32 exhaust(struct ipfi_nat_search *search, u16 from, u16 to, u16 *first)
{
	static u8 seen[65536];
	struct ipfi_addr addr;
	u32 count = 0;
	u16 port;

	memset(seen, 0, sizeof(seen));
	while (ipfi_nat_search_next(search, &addr, &port)) {
		if (!count)
			*first = port;
		assert_in_range(port, from, to);
		assert_int_equal(seen[port], 0);
		seen[port] = 1;
		count++;
	}
	return count;
}

static void port_is_kept_where_it_may_be(void **state)
{
	const struct ipfi_addr outside = v4(0xcb007101);
	struct ipfi_tuple tuple = tuple_of(IPFI_PROTO_TCP, 40000);
	struct ipfi_nat_search search;
	struct ipfi_addr addr;
	u16 port;

	(void)state;
	begin(&search, IPFI_NAT_SOURCE, &tuple, NULL, &outside);
	assert_true(ipfi_nat_search_next(&search, &addr, &port));
	assert_int_equal(port, 40000);
	assert_true(ipfi_addr_equal(&addr, &outside));
}

static void classes_are_kept(void **state)
{
	static const struct {
		u16 port, from, to;
		u32 most;
	} cases[] = {
		{ 514, 1, 1023, IPFI_NAT_TRIES },
		{ 1023, 1, 1023, IPFI_NAT_TRIES },
		{ 1024, 1024, 65535, IPFI_NAT_TRIES },
		{ 65535, 1024, 65535, IPFI_NAT_TRIES },
	};
	const struct ipfi_addr outside = v4(0xcb007101);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ipfi_tuple tuple = tuple_of(IPFI_PROTO_TCP, cases[i].port);
		struct ipfi_nat_search search;
		u16 first;

		begin(&search, IPFI_NAT_SOURCE, &tuple, NULL, &outside);
		assert_int_equal(exhaust(&search, cases[i].from, cases[i].to, &first), cases[i].most);
		assert_int_equal(first, cases[i].port);
	}
}

/* Of UDP-Lite, which is UDP with another checksum, too. */
static void parity_of_udp_is_kept(void **state)
{
	const struct ipfi_addr outside = v4(0xcb007101);
	u16 wanted;

	(void)state;
	for (wanted = 40000; wanted < 40004; wanted++) {
		struct ipfi_tuple tuple =
			tuple_of(wanted & 2 ? IPFI_PROTO_UDPLITE : IPFI_PROTO_UDP, wanted);
		struct ipfi_nat_search search;
		struct ipfi_addr addr;
		u16 port;

		begin(&search, IPFI_NAT_SOURCE, &tuple, NULL, &outside);
		while (ipfi_nat_search_next(&search, &addr, &port)) {
			assert_int_equal(port & 1, wanted & 1);
			assert_in_range(port, 1024, 65535);
		}
	}
}

static void small_ranges_are_met_whole(void **state)
{
	static const struct ipfi_addr_range one = { { { 0xcb007101 } }, { { 0xcb007101 } } };
	u16 count, wanted;

	(void)state;
	for (count = 1; count < 40; count++) {
		for (wanted = 49998; wanted < 50042; wanted += 11) {
			struct ipfi_nat_target target = target_of(&one, 4, 50000, 50000 + count - 1);
			struct ipfi_tuple tuple = tuple_of(IPFI_PROTO_TCP, wanted);
			struct ipfi_nat_search search;
			u16 first;

			begin(&search, IPFI_NAT_SOURCE, &tuple, &target, NULL);
			assert_int_equal(exhaust(&search, 50000, 50000 + count - 1, &first), count);
			if (wanted >= 50000 && wanted < 50000 + count)
				assert_int_equal(first, wanted);
		}
	}
}

static void starts_cannot_be_foretold(void **state)
{
	const struct ipfi_addr outside = v4(0xcb007101);
	struct ipfi_tuple tuple = tuple_of(IPFI_PROTO_TCP, 40000);
	u16 ports[64], first;
	u32 i, j, same = 0;

	(void)state;
	for (i = 0; i < 64; i++) {
		struct ipfi_nat_search search;
		struct ipfi_addr addr;

		/* One bit of the secret or of the destination changes where the search starts. */
		tuple.dst.w[0] = i < 32 ? 0xc0000201 : 0xc0000201 ^ 1U << (i - 32);
		assert_true(ipfi_nat_search_begin(&search, IPFI_NAT_SOURCE, &tuple, false, NULL, &outside, false,
						  i < 32 ? SECRET ^ 1U << i : SECRET));
		assert_true(ipfi_nat_search_next(&search, &addr, &first));
		assert_true(ipfi_nat_search_next(&search, &addr, &ports[i]));
		for (j = 0; j < i; j++)
			same += ports[i] == ports[j];
	}
	assert_in_range(same, 0, 3);
}

static void a_source_keeps_its_address(void **state)
{
	static const struct ipfi_addr_range range = { { { 0xcb007100 } }, { { 0xcb00710f } } };
	struct ipfi_nat_target target = target_of(&range, 4, 0, 0);
	u32 source, i, used = 0;

	(void)state;
	for (source = 0; source < 256; source++) {
		struct ipfi_addr addr, before = v4(0);
		struct ipfi_nat_search search;
		u16 port;

		for (i = 0; i < 20; i++) {
			struct ipfi_tuple tuple = tuple_of(IPFI_PROTO_UDP, (u16)(1024 + i * 997));

			tuple.src = v4(0x0a000000 + source);
			tuple.dst = v4(0xc0000200 + i);
			begin(&search, IPFI_NAT_SOURCE, &tuple, &target, NULL);
			assert_true(ipfi_nat_search_next(&search, &addr, &port));
			assert_true(ipfi_nat_target_has(&target, 4, &addr));
			if (i)
				assert_true(ipfi_addr_equal(&addr, &before));
			before = addr;
		}
		used |= 1U << (addr.w[0] & 15);
	}
	assert_int_equal(used, 0xffff);
}

static void destinations_are_spread_or_persistent(void **state)
{
	static const struct ipfi_addr_range range = { { { 0x0a000010 } }, { { 0x0a000013 } } };
	struct ipfi_nat_target target = target_of(&range, 4, 0, 0);
	bool persistent = false;

	(void)state;
	do {
		u32 used = 0, i;

		for (i = 0; i < 200; i++) {
			struct ipfi_tuple tuple = tuple_of(IPFI_PROTO_TCP, (u16)(20000 + i));
			struct ipfi_nat_search search;
			struct ipfi_addr addr;
			u16 port;

			assert_true(ipfi_nat_search_begin(&search, IPFI_NAT_DESTINATION, &tuple, false, &target, NULL,
							  persistent, SECRET));
			assert_true(ipfi_nat_search_next(&search, &addr, &port));
			assert_int_equal(port, 53);
			used |= 1U << (addr.w[0] - 0x0a000010);
		}
		if (persistent)
			assert_int_equal(used & (used - 1), 0);
		else
			assert_int_equal(used, 15);
		persistent = !persistent;
	} while (persistent);
}

static void a_destination_has_no_other_port_than_it_may(void **state)
{
	static const struct ipfi_addr_range one = { { { 0x0a000010 } }, { { 0x0a000010 } } };
	struct ipfi_nat_target any = target_of(&one, 4, 0, 0), moved = target_of(&one, 4, 8080, 8080);
	struct ipfi_tuple tuple = tuple_of(IPFI_PROTO_TCP, 20000);
	struct ipfi_nat_search search;
	u16 first;

	(void)state;
	begin(&search, IPFI_NAT_DESTINATION, &tuple, &any, NULL);
	assert_int_equal(exhaust(&search, 53, 53, &first), 1);
	begin(&search, IPFI_NAT_DESTINATION, &tuple, &moved, NULL);
	assert_int_equal(exhaust(&search, 8080, 8080, &first), 1);
}

static void another_address_comes_when_ports_are_used_up(void **state)
{
	static const struct ipfi_addr_range range = { { { 0xcb007101 } }, { { 0xcb007103 } } };
	struct ipfi_nat_target target = target_of(&range, 4, 50000, 50001);
	struct ipfi_tuple tuple = tuple_of(IPFI_PROTO_TCP, 40000);
	struct ipfi_nat_search search;
	struct ipfi_addr addr;
	u32 count = 0, used = 0;
	u16 port;

	(void)state;
	begin(&search, IPFI_NAT_SOURCE, &tuple, &target, NULL);
	while (ipfi_nat_search_next(&search, &addr, &port)) {
		used |= 1U << (addr.w[0] - 0xcb007101);
		count++;
	}
	assert_int_equal(count, 6);
	assert_int_equal(used, 7);
}

/* However many ports and addresses there are: all tries together are bounded, and each address has its share. */
static void tries_are_bounded(void **state)
{
	static const struct ipfi_addr_range range = { { { 0xcb007100 } }, { { 0xcb0071ff } } };
	struct ipfi_nat_target target = target_of(&range, 4, 1024, 65535);
	struct ipfi_tuple tuple = tuple_of(IPFI_PROTO_TCP, 40000);
	u32 limit, count, addresses;

	(void)state;
	for (limit = 4; limit <= IPFI_NAT_TRIES; limit *= 2) {
		struct ipfi_addr addr, before = v4(0);
		struct ipfi_nat_search search;
		u16 port;

		begin(&search, IPFI_NAT_SOURCE, &tuple, &target, NULL);
		ipfi_nat_search_limit(&search, limit);
		for (count = addresses = 0; ipfi_nat_search_next(&search, &addr, &port); count++) {
			addresses += !ipfi_addr_equal(&addr, &before);
			before = addr;
		}
		assert_int_equal(count, limit);
		assert_int_equal(search.used, limit);
		assert_int_equal(addresses, IPFI_NAT_ADDR_TRIES);
	}
}

static void other_protocols_have_an_address_alone(void **state)
{
	const struct ipfi_addr outside = v4(0xcb007101);
	struct ipfi_tuple gre = tuple_of(47, 0);
	struct ipfi_nat_search search;
	u16 first;

	(void)state;
	gre.dport = 0;
	begin(&search, IPFI_NAT_SOURCE, &gre, NULL, &outside);
	assert_int_equal(exhaust(&search, 0, 0, &first), 1);
	assert_false(ipfi_nat_has_port(&gre, false, IPFI_NAT_SOURCE));
}

static void identifiers_are_translated_as_ports(void **state)
{
	const struct ipfi_addr outside = v4(0xcb007101);
	struct ipfi_tuple ping = tuple_of(IPFI_PROTO_ICMP, 7);
	struct ipfi_nat_search search;
	u16 first;

	(void)state;
	ping.dport = 8;
	assert_true(ipfi_nat_search_begin(&search, IPFI_NAT_SOURCE, &ping, true, NULL, &outside, false, SECRET));
	assert_in_range(exhaust(&search, 0, 65535, &first), IPFI_NAT_TRIES, IPFI_NAT_TRIES);
	assert_int_equal(first, 7);
	/* The other end's number is the type of the query. */
	assert_false(ipfi_nat_has_port(&ping, true, IPFI_NAT_DESTINATION));
}

static void prefixes_of_ipv6_are_walked(void **state)
{
	static const struct ipfi_addr_range small = { { { 0xfd000001, 0, 0, 0xfffffffe } },
						      { { 0xfd000001, 0, 1, 1 } } };
	static const struct ipfi_addr_range all = { { { 0xfd000001, 0, 0, 0 } },
						    { { 0xfd000001, 0, ~0U, ~0U } } };
	struct ipfi_nat_target target = target_of(&small, 6, 0, 0);
	struct ipfi_tuple tuple = {
		.src = v6(5), .dst = v6(6), .sport = 0, .dport = 0, .proto = 50, .family = 6,
	};
	struct ipfi_nat_search search;
	struct ipfi_addr addr;
	u32 i;
	u16 port;

	(void)state;
	for (i = 0; i < 100; i++) {
		tuple.src = v6(i);
		begin(&search, IPFI_NAT_SOURCE, &tuple, &target, NULL);
		while (ipfi_nat_search_next(&search, &addr, &port))
			assert_true(addr.w[0] == 0xfd000001 && addr.w[1] == 0);
	}
	target = target_of(&all, 6, 0, 0);
	begin(&search, IPFI_NAT_SOURCE, &tuple, &target, NULL);
	assert_true(ipfi_nat_search_next(&search, &addr, &port));
	assert_true(ipfi_nat_target_has(&target, 6, &addr));
	/* None for the other family. */
	tuple = tuple_of(IPFI_PROTO_UDP, 5000);
	assert_false(ipfi_nat_search_begin(&search, IPFI_NAT_SOURCE, &tuple, false, &target, NULL, false, SECRET));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_is_kept_where_it_may_be),
		cmocka_unit_test(classes_are_kept),
		cmocka_unit_test(parity_of_udp_is_kept),
		cmocka_unit_test(small_ranges_are_met_whole),
		cmocka_unit_test(starts_cannot_be_foretold),
		cmocka_unit_test(a_source_keeps_its_address),
		cmocka_unit_test(destinations_are_spread_or_persistent),
		cmocka_unit_test(a_destination_has_no_other_port_than_it_may),
		cmocka_unit_test(another_address_comes_when_ports_are_used_up),
		cmocka_unit_test(tries_are_bounded),
		cmocka_unit_test(other_protocols_have_an_address_alone),
		cmocka_unit_test(identifiers_are_translated_as_ports),
		cmocka_unit_test(prefixes_of_ipv6_are_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
