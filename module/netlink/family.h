/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic netlink family: its table of commands. Each object has a file with the policies above its handlers, which
 * handlers.h lists.
 */
#ifndef IPFI_NETLINK_FAMILY_H
#define IPFI_NETLINK_FAMILY_H

/* Registers the family, and lets events go to those who listen. -errno leaves nothing. Sleeps. */
int ipfi_genl_init(void);
void ipfi_genl_exit(void);

#endif /* IPFI_NETLINK_FAMILY_H */
