/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and flags of devices. */
#ifndef IPFI_ENGINE_LINUX_IF_H
#define IPFI_ENGINE_LINUX_IF_H

#define IFNAMSIZ 16
#define IFF_UP (1 << 0)
#define IFF_LOOPBACK (1 << 3)

#endif
