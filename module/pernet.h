/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a network namespace begins and ends. */
#ifndef IPFI_PERNET_H
#define IPFI_PERNET_H

int ipfi_pernet_init(void);
void ipfi_pernet_exit(void);

#endif /* IPFI_PERNET_H */
