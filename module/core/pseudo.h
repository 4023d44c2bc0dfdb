/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses that an IPv6 packet's transport checksum covers (RFC 8200 section 8.1). */
#ifndef IPFI_CORE_PSEUDO_H
#define IPFI_CORE_PSEUDO_H

#include "module/core/platform.h"

/*
 * Where in @packet, an IPv6 packet whose transport header begins at @transport, do the addresses stand that its
 * transport checksum covers? All bytes before @transport can be read, and have been parsed. They are those of its header,
 * but for:
 * - the destination, if a routing header is not at its end: its last address (RFC 8200 section 4.4), of type 2 its one
 *   address (RFC 6275 section 6.4), of type 4 the first of the segment list (RFC 8754 section 2);
 * - the source, if a destination option says its home address (RFC 6275 section 6.3).
 * Sets the offsets *src and *dst. False when there is a routing header that this does not know: nobody on the way can
 * say whether the checksum is right.
 */
bool ipfi_pseudo_addresses(const u8 *packet, u32 transport, u32 *src, u32 *dst);

#endif /* IPFI_CORE_PSEUDO_H */
