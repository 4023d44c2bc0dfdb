/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * login: the connection that the program is used over, from which its user would be shut out by a policy
 * that does not allow it.
 */
#ifndef IPFI_SHELL_LOGIN_H
#define IPFI_SHELL_LOGIN_H

/*
 * Finds it and keeps what it found: SSH_CONNECTION of the program or of a process that it descends from (sudo
 * and su take it away), else where the login at the terminal came from. To be called before privileges are
 * given up, without which others' environments cannot be read.
 */
void login_remember(void);

#endif
