// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/packet.h"
#include "module/core/tcp.h"
#include "module/core/tcp_options.h"

/* Kinds and lengths: RFC 9293 section 3.1, RFC 7323 sections 2.2 and 3.2, RFC 2018 sections 2
 * and 3. */
#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_SCALE 3
#define OPTION_SACK_PERMITTED 4
#define OPTION_SACK 5
#define OPTION_TIMESTAMPS 8

#define SCALE_LENGTH 3
#define SACK_PERMITTED_LENGTH 2
#define TIMESTAMPS_LENGTH 10
#define SACK_BLOCK 8 /* two sequence numbers, after the two bytes of kind and length */

#define SCALE_MOST 14 /* a larger shift counts as this (RFC 7323 section 2.3) */

/* Two NOPs and timestamps, all that most segments carry (RFC 7323 appendix A). */
#define ONLY_TIMESTAMPS 0x0101080aU
#define ONLY_TIMESTAMPS_LENGTH 12

/* An option with a length; @at is its kind. */
struct option {
	const u8 *at;
	u8 length;
};

/* Moves *offset past the next option that has a length, and tells it; false when there is none. */
static bool next_option(const struct ipfi_packet *packet, u32 *offset, struct option *option)
{
	u32 left;

	while (*offset < packet->tcp_options_length) {
		option->at = packet->tcp_options + *offset;
		left = packet->tcp_options_length - *offset;
		if (option->at[0] == OPTION_END)
			return false;
		if (option->at[0] == OPTION_NOP) {
			++*offset;
			continue;
		}
		if (left < 2 || option->at[1] < 2 || option->at[1] > left)
			return false;
		option->length = option->at[1];
		*offset += option->length;
		return true;
	}
	return false;
}

void ipfi_tcp_offer(const struct ipfi_packet *packet, struct ipfi_tcp_offer *offer)
{
	struct option option;
	u32 offset = 0;

	offer->scale = IPFI_TCP_UNSCALED;
	offer->sack = false;
	offer->timestamps = false;
	while (next_option(packet, &offset, &option)) {
		if (option.at[0] == OPTION_SCALE && option.length == SCALE_LENGTH)
			offer->scale = option.at[2] > SCALE_MOST ? SCALE_MOST : option.at[2];
		else if (option.at[0] == OPTION_SACK_PERMITTED &&
			 option.length == SACK_PERMITTED_LENGTH)
			offer->sack = true;
		else if (option.at[0] == OPTION_TIMESTAMPS && option.length == TIMESTAMPS_LENGTH)
			offer->timestamps = true;
	}
}

u32 ipfi_tcp_sack_edge(const struct ipfi_packet *packet)
{
	struct option option;
	u32 edge = packet->ack;
	u32 offset = 0;
	u32 right;
	u8 block;

	if (packet->tcp_options_length == 0 ||
	    (packet->tcp_options_length == ONLY_TIMESTAMPS_LENGTH &&
	     ipfi_get32(packet->tcp_options) == ONLY_TIMESTAMPS))
		return edge;
	while (next_option(packet, &offset, &option)) {
		if (option.at[0] != OPTION_SACK || option.length % SACK_BLOCK != 2)
			continue;
		for (block = 2; block < option.length; block += SACK_BLOCK) {
			right = ipfi_get32(option.at + block + 4);
			if ((s32)(right - edge) > 0)
				edge = right;
		}
	}
	return edge;
}
