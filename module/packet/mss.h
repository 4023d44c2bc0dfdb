/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IPFI_MSS_H
#define IPFI_MSS_H

#include "module/packet/context.h"

/*
 * Lowers the maximum segment size that the SYN of @p announces (RFC 9293 section 3.7.1) to @most bytes; IPFI_MSS_PMTU
 * for what fits into the path's packets, in both directions. An announcement that is lower stays, and so does
 * a SYN without one, whose segments are the smallest in any case. False when the header cannot be written.
 */
bool ipfi_mss_clamp(struct ipfi_pkt *p, u16 most);

#endif /* IPFI_MSS_H */
