// SPDX-License-Identifier: GPL-2.0-or-later
/* privilege: see privilege.h. */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "shell/privilege/privilege.h"

/* Capabilities */

#define SETS _LINUX_CAPABILITY_U32S_3

static int get_capabilities(struct __user_cap_data_struct data[SETS])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, data) == 0 ? 0 : -errno;
}

static int set_capabilities(const struct __user_cap_data_struct data[SETS])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

bool privilege_any(void)
{
	struct __user_cap_data_struct data[SETS] = { 0 };

	if (geteuid() == 0 || get_capabilities(data))
		return true;
	return data[0].permitted || data[1].permitted;
}

/* What programs that are started later could get at most. */
static int drop_bounding(uint64_t capabilities)
{
	for (int capability = 0;; capability++) {
		int held = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);

		/* EINVAL behind the last one that the kernel knows. */
		if (held < 0)
			return errno == EINVAL ? 0 : -errno;
		if (held && !(capability < 64 && capabilities & PRIVILEGE(capability)) &&
		    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
			return -errno;
	}
}

int privilege_keep(uint64_t capabilities)
{
	struct __user_cap_data_struct data[SETS] = { 0 };
	int error = drop_bounding(capabilities);

	/* Without CAP_SETPCAP; no_new_privs holds what is started to what is left here. */
	if (error && error != -EPERM)
		return error;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	error = get_capabilities(data);
	if (error)
		return error;
	for (int i = 0; i < SETS; i++) {
		data[i].permitted &= (uint32_t)(capabilities >> (32 * i));
		data[i].effective = data[i].permitted;
		/* An ambient capability is an inheritable one, and goes with it. */
		data[i].inheritable = 0;
	}
	return set_capabilities(data);
}

/* Files */

void privilege_close_others(int fd)
{
	if (fd > 0)
		syscall(SYS_close_range, 0, fd - 1, 0);
	if (syscall(SYS_close_range, fd + 1, ~0U, 0) == 0)
		return;
	/* A kernel before 5.9. */
	for (int other = (int)sysconf(_SC_OPEN_MAX); other-- > 0;)
		if (other != fd)
			close(other);
}

/* System calls */

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#elif defined(__i386__)
#define MACHINE AUDIT_ARCH_I386
#elif defined(__arm__)
#define MACHINE AUDIT_ARCH_ARM
#endif

#ifdef MACHINE

/*
 * Memory, time, locks of the C library, and the end. (A program that is built with AddressSanitizer
 * asks for its signal stack when it ends.)
 */
static const uint32_t compute_calls[] = {
	__NR_write,
	__NR_brk,
	__NR_munmap,
	__NR_mremap,
	__NR_madvise,
	__NR_futex,
	__NR_clock_gettime,
	__NR_gettimeofday,
	__NR_restart_syscall,
	__NR_rt_sigreturn,
	__NR_sigaltstack,
	__NR_exit,
	__NR_exit_group,
#ifdef __NR_clock_gettime64
	__NR_clock_gettime64,
#endif
#ifdef __NR_time
	__NR_time,
#endif
};

/* Allowed when their third argument has no PROT_EXEC. */
static const uint32_t memory_calls[] = {
	__NR_mprotect,
#ifdef __NR_mmap
	__NR_mmap,
#endif
#ifdef __NR_mmap2
	__NR_mmap2,
#endif
};

static const uint32_t module_calls[] = { __NR_read, __NR_delete_module };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PROGRAM_MOST 64

struct program {
	struct sock_filter code[PROGRAM_MOST];
	unsigned short count;
};

static void put(struct program *program, struct sock_filter instruction)
{
	program->code[program->count++] = instruction;
}

static void load(struct program *program, size_t offset)
{
	put(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void answer(struct program *program, uint32_t verdict)
{
	put(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

static void allow(struct program *program, const uint32_t *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1));
		answer(program, SECCOMP_RET_ALLOW);
	}
}

/* The half of an argument that has its low 32 bits. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_HALF 4
#else
#define LOW_HALF 0
#endif

/* Leaves another word in the register than the number of the call: must be the last. */
static void allow_unless_executable(struct program *program)
{
	const size_t count = COUNT(memory_calls);

	for (size_t i = 0; i < count; i++)
		put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, memory_calls[i],
							  (uint8_t)(count - i), 0));
	answer(program, SECCOMP_RET_ERRNO | EPERM);
	load(program, offsetof(struct seccomp_data, args[2]) + LOW_HALF);
	put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0));
	answer(program, SECCOMP_RET_ALLOW);
	answer(program, SECCOMP_RET_ERRNO | EPERM);
}

int privilege_filter(enum privilege_calls calls)
{
	struct program program = { .count = 0 };
	struct sock_fprog filter = { .filter = program.code };

	/* A call of another machine's numbers means something else. */
	load(&program, offsetof(struct seccomp_data, arch));
	put(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0));
	answer(&program, SECCOMP_RET_KILL_PROCESS);
	load(&program, offsetof(struct seccomp_data, nr));
	allow(&program, compute_calls, COUNT(compute_calls));
	if (calls == PRIVILEGE_REMOVE_MODULE)
		allow(&program, module_calls, COUNT(module_calls));
	allow_unless_executable(&program);
	filter.len = program.count;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0)
		return 0;
	/* EINVAL: a kernel that was built without them. */
	return errno == EINVAL ? -ENOSYS : -errno;
}

#else

int privilege_filter(enum privilege_calls calls)
{
	(void)calls;
	return -ENOSYS;
}

#endif
