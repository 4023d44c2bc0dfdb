// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process gives up is gone. Each test does it in a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "shell/privilege/privilege.h"

/* What a process ends with: 0, or the line of the check that failed. */
#define CHECK(condition)                         \
	do {                                     \
		if (!(condition))                \
			_exit(__LINE__ % 255 + 1); \
	} while (0)

static void in_a_process(void (*run)(void))
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A row of /proc/self/status with capabilities. */
static uint64_t capabilities(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long long value = ~0ULL;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = strtoull(line + strlen(name) + 1, NULL, 16);
	if (file)
		fclose(file);
	return value;
}

static void keep_one(void)
{
	const uint64_t before = capabilities("CapPrm");
	const uint64_t one = PRIVILEGE(CAP_NET_ADMIN);

	CHECK(privilege_keep(one) == 0);
	CHECK(capabilities("CapPrm") == (before & one));
	CHECK(capabilities("CapEff") == (before & one));
	CHECK(capabilities("CapInh") == 0);
	CHECK(capabilities("CapAmb") == 0);
	CHECK(!(before & PRIVILEGE(CAP_SETPCAP)) || !(capabilities("CapBnd") & ~one));
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(!(before & one) || privilege_any());
	/* What is given up does not come back. */
	CHECK(privilege_keep(~UINT64_C(0)) == 0);
	CHECK(capabilities("CapEff") == (before & one));
}

static void keep_none(void)
{
	CHECK(privilege_keep(0) == 0);
	CHECK(capabilities("CapPrm") == 0);
	CHECK(capabilities("CapEff") == 0);
	if (geteuid() == 0)
		CHECK(chown("/proc/self", 1, 1) != 0 && sethostname("x", 1) != 0 && errno == EPERM);
}

static void filter_to_compute(void)
{
	static volatile char dirty;
	void *memory, *room;
	int error;

	CHECK(privilege_keep(0) == 0);
	error = privilege_filter(PRIVILEGE_COMPUTE);
	if (error == -ENOSYS)
		return;
	CHECK(error == 0);
	CHECK(open("/dev/null", O_RDONLY) < 0 && errno == EPERM);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
	CHECK(fork() < 0 && errno == EPERM);
	CHECK(kill(getppid(), 0) != 0 && errno == EPERM);
	CHECK(execl("/bin/true", "true", NULL) < 0 && errno == EPERM);
	CHECK(read(0, (char *)&dirty, 1) < 0 && errno == EPERM);
	CHECK(syscall(SYS_delete_module, "ipfi", O_NONBLOCK) < 0 && errno == EPERM);
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	CHECK(memory == MAP_FAILED && errno == EPERM);
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(mprotect(memory, 4096, PROT_READ | PROT_EXEC) != 0 && errno == EPERM);
	CHECK(mprotect(memory, 4096, PROT_READ) == 0);
	room = malloc(50 << 20);
	CHECK(room);
	memset(room, 1, 50 << 20);
	free(room);
	CHECK(write(-1, "", 1) < 0 && errno == EBADF);
}

static void filter_to_remove(void)
{
	int ends[2], error;
	char word;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK(write(ends[0], "x", 1) == 1);
	CHECK(privilege_keep(0) == 0);
	error = privilege_filter(PRIVILEGE_REMOVE_MODULE);
	if (error == -ENOSYS)
		return;
	CHECK(error == 0);
	CHECK(read(ends[1], &word, 1) == 1 && word == 'x');
	/* It gets as far as the kernel's own check. */
	CHECK(syscall(SYS_delete_module, "no_such_module", O_NONBLOCK) < 0);
	CHECK(errno == EPERM || errno == ENOENT || errno == ENOSYS);
	CHECK(open("/dev/null", O_RDONLY) < 0 && errno == EPERM);
}

static void close_others(void)
{
	int keep = open("/dev/null", O_RDWR), other = open("/dev/null", O_RDWR);

	CHECK(keep >= 0 && other >= 0);
	privilege_close_others(keep);
	CHECK(fcntl(keep, F_GETFD) >= 0);
	CHECK(fcntl(other, F_GETFD) < 0);
	for (int fd = 0; fd < 100; fd++)
		CHECK(fd == keep || fcntl(fd, F_GETFD) < 0);
}

static void test_keep_one(void **state)
{
	(void)state;
	in_a_process(keep_one);
}

static void test_keep_none(void **state)
{
	(void)state;
	in_a_process(keep_none);
}

static void test_filter_to_compute(void **state)
{
	(void)state;
	in_a_process(filter_to_compute);
}

static void test_filter_to_remove(void **state)
{
	(void)state;
	in_a_process(filter_to_remove);
}

static void test_close_others(void **state)
{
	(void)state;
	in_a_process(close_others);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_one),	  cmocka_unit_test(test_keep_none),
		cmocka_unit_test(test_filter_to_compute), cmocka_unit_test(test_filter_to_remove),
		cmocka_unit_test(test_close_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
