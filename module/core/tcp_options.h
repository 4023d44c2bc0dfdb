/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TCP options that tell of windows and acknowledgements. */
#ifndef IPFI_CORE_TCP_OPTIONS_H
#define IPFI_CORE_TCP_OPTIONS_H

#include "module/core/platform.h"

struct ipfi_packet;

/* What a SYN or SYN+ACK offers. */
struct ipfi_tcp_offer {
	u8 scale; /* window scale shift, at most 14; IPFI_TCP_UNSCALED without the option */
	bool sack;
	bool timestamps;
};

/*
 * Reads the options of @packet, which has the SYN flag, into *offer. An option whose length is not
 * what its RFC says counts as absent; one that reaches beyond the header, or is shorter than an
 * option can be, ends the list (RFC 9293 section 3.1).
 */
void ipfi_tcp_offer(const struct ipfi_packet *packet, struct ipfi_tcp_offer *offer);

/*
 * The right edge of @packet's SACK blocks that lies furthest beyond its acknowledgement number, or
 * that number if none does: blocks below it are duplicates reported (RFC 2883). For segments with
 * ACK.
 */
u32 ipfi_tcp_sack_edge(const struct ipfi_packet *packet);

#endif /* IPFI_CORE_TCP_OPTIONS_H */
