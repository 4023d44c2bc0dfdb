/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of what notify.h is told. */
#ifndef IPFI_NETLINK_EVENTS_H
#define IPFI_NETLINK_EVENTS_H

/* The family is registered, or about to go. */
void ipfi_events_init(void);
void ipfi_events_exit(void);

#endif /* IPFI_NETLINK_EVENTS_H */
