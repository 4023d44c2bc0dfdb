/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes of dynamic sets were about: so that a change has only those live states evaluated again whose addresses
 * it touches, however many states there are and however many members came or went.
 *
 * Remembered is for each network that came or went the number of the last such change (judgement.h), in a table of
 * fixed size by a hash of the network. Two networks may share a place: then a state is evaluated that need not be, and
 * never the other way round. There is nothing to run full, nothing to wait for and nothing to forget. A prefix is taken
 * a little shorter than it is, so that an address has few places to be looked for.
 *
 * Written under in->mutex, before the number of the change is published; read by packets that have read that number.
 */
#ifndef IPFI_CHANGES_H
#define IPFI_CHANGES_H

#include <linux/types.h>
#include "module/core/tuple.h"

struct ipfi_net;
struct ipfi_network;

#define IPFI_CHANGES_PLACES 16384 /* 64 KiB a namespace that has sets */

/* Prefixes are told apart by so many bits. */
#define IPFI_CHANGES_STEP(family) ((family) == 4 ? 8 : 16)

/* Makes the table, once. 0 or -ENOMEM. Sleeps. */
int ipfi_changes_start(struct ipfi_net *in);

/* No packet is on its way any more. */
void ipfi_changes_exit(struct ipfi_net *in);

/* Of the change that gets the next number: @network came or went; or everything may be different. Holds in->mutex. */
void ipfi_changes_note(struct ipfi_net *in, const struct ipfi_network *network);
void ipfi_changes_note_all(struct ipfi_net *in);

/* Has a change behind number @since been about the address? At most 9 places are looked at, mostly one. */
bool ipfi_changes_touch(const struct ipfi_net *in, u8 family, const struct ipfi_addr *addr, u32 since);

#endif /* IPFI_CHANGES_H */
