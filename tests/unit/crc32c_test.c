// SPDX-License-Identifier: GPL-2.0-or-later
/* What CRC32c changes by, against the CRC made bit by bit of all bytes. */
#include "support.h"
#include "module/core/crc32c.h"

/* RFC 9260 appendix A. */
static u32 crc32c(const u8 *data, size_t length)
{
	u32 crc = ~0U;
	int bit;

	for (; length; length--, data++) {
		crc ^= *data;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static u32 little(const u8 *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24;
}

static void the_reference_is_crc32c(void **state)
{
	(void)state;
	assert_int_equal(crc32c((const u8 *)"123456789", 9), 0xe3069283);
}

static void any_change_at_any_length(void **state)
{
	static const u32 lengths[] = { 4,   5,	  11,	12,   32,    63,    64,	   65,
				       576, 1500, 4096, 9000, 65475, 65515, 65534, 65535 };
	static u8 data[IPFI_CRC32C_LENGTH_MAX];
	u32 random = 1, before, crc;
	size_t i, at, round;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (at = 0; at < lengths[i]; at++)
			data[at] = (u8)((random = random * 1103515245 + 12345) >> 16);
		for (round = 0; round < 4; round++) {
			before = little(data);
			crc = crc32c(data, lengths[i]);
			/* One bit, one port, both, none. */
			data[0] ^= round == 0;
			for (at = 0; at < (round == 1 ? 2 : round == 2 ? 4 : 0); at++)
				data[at] = (u8)((random = random * 1103515245 + 12345) >> 16);
			assert_int_equal(
				crc ^ ipfi_crc32c_change(before ^ little(data), lengths[i]),
				crc32c(data, lengths[i]));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_is_crc32c),
		cmocka_unit_test(any_change_at_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
