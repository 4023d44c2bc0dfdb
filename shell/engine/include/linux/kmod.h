/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other modules: all that are asked for are there. */
#ifndef IPFI_ENGINE_LINUX_KMOD_H
#define IPFI_ENGINE_LINUX_KMOD_H

#define request_module(name) ((void)(name))

#endif
