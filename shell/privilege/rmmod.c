// SPDX-License-Identifier: GPL-2.0-or-later
/* module: see module.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "shell/privilege/rmmod.h"
#include "shell/privilege/privilege.h"

/* This side's end of the socket to the process, or -1. */
static int remover = -1;
static pid_t remover_pid;

/* Runs in the process: waits for the word, does the one thing it is for, and tells the result. */
static void serve(int fd)
{
	int32_t result = 0;
	char word;

	/* Ctrl-C and a terminal that goes are for the prompt. */
	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	privilege_close_others(fd);
	if (privilege_keep(PRIVILEGE(CAP_SYS_MODULE)) != 0)
		_exit(1);
	(void)privilege_filter(PRIVILEGE_REMOVE_MODULE);
	if (read(fd, &word, 1) != 1)
		_exit(0);
	/*
	 * O_NONBLOCK: one that is in use stays, instead of being half gone for as long as it is
	 * used. ENOSYS: a kernel without modules.
	 */
	if (syscall(SYS_delete_module, "ipfi", O_NONBLOCK) != 0 && errno != ENOENT &&
	    errno != ENOSYS)
		result = -errno;
	_exit(write(fd, &result, sizeof(result)) == sizeof(result) ? 0 : 1);
}

int module_prepare(void)
{
	int ends[2], error = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	remover_pid = fork();
	if (remover_pid == 0)
		serve(ends[1]);
	if (remover_pid < 0)
		error = -errno;
	close(ends[1]);
	remover = ends[0];
	return error;
}

int module_remove(void)
{
	int32_t result = -EPIPE;
	ssize_t got;

	/* The name of what is to be done; there is only one. */
	if (send(remover, "r", 1, MSG_NOSIGNAL) == 1) {
		do {
			got = recv(remover, &result, sizeof(result), MSG_WAITALL);
		} while (got < 0 && errno == EINTR);
		if (got != sizeof(result))
			result = -EPIPE;
	}
	close(remover);
	remover = -1;
	if (remover_pid > 0)
		while (waitpid(remover_pid, NULL, 0) < 0 && errno == EINTR)
			;
	return result;
}
