/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of TCP (RFC 9293 section 3.2, RFC 2018). */
#ifndef IPFI_ENGINE_NET_TCP_H
#define IPFI_ENGINE_NET_TCP_H

#include <linux/tcp.h>
#include <net/sock.h>

#define TCPOPT_NOP 1
#define TCPOPT_EOL 0
#define TCPOPT_MSS 2
#define TCPOPT_SACK 5
#define TCPOLEN_MSS 4

/* Does the socket stand for addresses that are not the machine's? None does here. */
static inline bool inet_sk_transparent(const struct sock *sk)
{
	(void)sk;
	return false;
}

#endif
