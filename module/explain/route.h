/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way that a packet would take out of this machine. */
#ifndef IPFI_WAY_H
#define IPFI_WAY_H

#include "module/core/tuple.h"

struct net;
struct net_device;

/*
 * The device by which what came in by @in (NULL: is sent from here, in no VRF) and goes to @tuple's destination would
 * leave, or NULL. Under RCU, valid until that is left.
 */
struct net_device *ipfi_route_oif(struct net *net, const struct net_device *in, const struct ipfi_tuple *tuple, u32 mark);

#endif /* IPFI_WAY_H */
