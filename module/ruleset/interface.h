/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces that are called otherwise than before. Rules name interfaces, states remember their indexes: which of them
 * the rules have allowed (core/via.h) has to be asked again when an index gets another name, be it by renaming an
 * interface or by giving the index of one that is gone to another.
 */
#ifndef IPFI_INTERFACE_H
#define IPFI_INTERFACE_H

#include <linux/types.h>
#include <linux/workqueue.h>

struct ipfi_net;

void ipfi_interface_names_init(struct ipfi_net *in);
void ipfi_interface_names_exit(struct ipfi_net *in);

int ipfi_interface_init(void);
void ipfi_interface_exit(void);

#endif /* IPFI_INTERFACE_H */
