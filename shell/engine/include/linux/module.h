/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module's beginning and end, called when the first world is made and the last has gone. */
#ifndef IPFI_ENGINE_LINUX_MODULE_H
#define IPFI_ENGINE_LINUX_MODULE_H

#include <linux/kernel.h>
#include <linux/moduleparam.h>

struct module;
#define THIS_MODULE ((struct module *)NULL)
#define MODULE_LICENSE(text) struct module_nothing_
#define MODULE_AUTHOR(text) struct module_nothing_
#define MODULE_DESCRIPTION(text) struct module_nothing_
#define MODULE_VERSION(text) struct module_nothing_
#define MODULE_ALIAS_GENL_FAMILY(name) struct module_nothing_

extern int (*const module_begin)(void);
extern void (*const module_end)(void);
#define module_init(function) int (*const module_begin)(void) = (function)
#define module_exit(function) void (*const module_end)(void) = (function)

#endif
