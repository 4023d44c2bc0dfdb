/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRC32c, the checksum of SCTP (RFC 9260 appendix A), of packets whose ports change. It is linear:
 * what it changes by depends on what the packet changes by and on where, not on the rest. So the
 * packet need not be read, one that was damaged on its way stays damaged, and a packet that is
 * quoted in part has the right one too.
 */
#ifndef IPFI_CORE_CRC32C_H
#define IPFI_CORE_CRC32C_H

#include "module/core/platform.h"

/* Bytes of the longest packet: an IPv6 payload. */
#define IPFI_CRC32C_LENGTH_MAX 0xffff

/*
 * What the CRC32c of @length bytes (4 to IPFI_CRC32C_LENGTH_MAX) changes by, to be XORed to it,
 * when their first four change by @difference: old XOR new. All numbers as four bytes in
 * little-endian order, as SCTP writes its checksum.
 */
u32 ipfi_crc32c_change(u32 difference, u32 length);

#endif /* IPFI_CORE_CRC32C_H */
