-- SPDX-License-Identifier: GPL-2.0-or-later
-- The version of the program: IPFI_VERSION of the uapi header (a test compares them).
return "0.1.0"
