/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of members of dynamic sets whose time is over. */
#ifndef IPFI_SET_EXPIRY_H
#define IPFI_SET_EXPIRY_H

struct ipfi_net;

void ipfi_set_expiry_init(struct ipfi_net *in);

/* Stops it. Rule sets may still hold sets. */
void ipfi_set_expiry_exit(struct ipfi_net *in);

/* Sees to it that members with a deadline go when it is past. */
void ipfi_set_expiry_watch(struct ipfi_net *in);

#endif /* IPFI_SET_EXPIRY_H */
