/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPsec beside translation. Its policies speak of the addresses that packets have outside of this machine, so what has
 * been translated by the kernel's own look-ups, or is translated before they come, must be looked up by those.
 *
 * What leaves: the policy is looked up again once the source is translated; else it would leave in clear text.
 * What comes in: it is checked before its destination is translated, and not again.
 */
#ifndef IPFI_XFRM_H
#define IPFI_XFRM_H

#include "module/core/tuple.h"
#include "module/packet/context.h"

#ifdef CONFIG_XFRM
/*
 * May @p's packet, which shows still what it arrived with, be received, or forwarded, as one that goes to @dst? If so it
 * passes the checks that follow, whatever it is translated to. Under RCU.
 */
bool ipfi_xfrm_may_arrive(struct ipfi_pkt *p, const struct ipfi_addr *dst);

/* @p's packet shows another source now: looks its policy up again. False: it must not leave. Under RCU. */
bool ipfi_xfrm_find_again(struct ipfi_pkt *p);
#else
static inline bool ipfi_xfrm_may_arrive(struct ipfi_pkt *p, const struct ipfi_addr *dst)
{
	return true;
}

static inline bool ipfi_xfrm_find_again(struct ipfi_pkt *p)
{
	return true;
}
#endif

#endif /* IPFI_XFRM_H */
