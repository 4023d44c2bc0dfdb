/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of the module keep their defaults. */
#ifndef IPFI_ENGINE_LINUX_MODULEPARAM_H
#define IPFI_ENGINE_LINUX_MODULEPARAM_H

#define module_param(name, type, mode) struct module_nothing_
#define module_param_named(word, variable, type, mode) struct module_nothing_
#define MODULE_PARM_DESC(name, text) struct module_nothing_

#endif
