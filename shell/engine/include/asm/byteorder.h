/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte order. */
#ifndef IPFI_ENGINE_ASM_BYTEORDER_H
#define IPFI_ENGINE_ASM_BYTEORDER_H

#include_next <asm/byteorder.h>
#include <linux/swab.h>

#define htons(x) __cpu_to_be16(x)
#define htonl(x) __cpu_to_be32(x)
#define ntohs(x) __be16_to_cpu(x)
#define ntohl(x) __be32_to_cpu(x)
#define cpu_to_be16(x) __cpu_to_be16(x)
#define cpu_to_be32(x) __cpu_to_be32(x)
#define be16_to_cpu(x) __be16_to_cpu(x)
#define be32_to_cpu(x) __be32_to_cpu(x)
#define swab16(x) __swab16(x)

#endif
