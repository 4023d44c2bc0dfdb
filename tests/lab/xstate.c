// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lets user-mode Linux run on processors with AMX, whose registers take 11 KiB: preloaded into its kernel.
 *
 * User-mode Linux knows 2696 bytes of a process's extended state: all up to AVX-512 and protection keys. The host gives
 * a part of the state, but takes back the whole or nothing (EFAULT), and the guest's first process dies of SIGSEGV. So
 * the rest is added here. It is the initial state of AMX's registers: a process gets their use only from its kernel, and
 * a guest's kernel does not know them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* The mask of the components that are not in their initial state (Intel SDM 1, 13.4.2), and AMX's two of them. */
#define COMPONENTS_AT 512
#define AMX (UINT64_C(3) << 17)

static long (*libc_ptrace)(enum __ptrace_request, ...);

/* Static: the kernel of user-mode Linux is one thread, and its stacks are small. */
static unsigned char state[65536];
static size_t state_size; /* of this host's, 0: not known */

__attribute__((constructor)) static void find_ptrace(void)
{
	libc_ptrace = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");
}

/* Asks the host how large the state of the stopped process @pid is. */
static void measure_state(pid_t pid)
{
	struct iovec all = { state, sizeof(state) };

	if (!libc_ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &all))
		state_size = all.iov_len;
	memset(state, 0, sizeof(state));
}

/* The state to give back for *part: that itself, or where it is only a part of the host's, the whole in *whole. */
static struct iovec *complete_state(pid_t pid, struct iovec *part, struct iovec *whole)
{
	uint64_t components;

	if (!state_size)
		measure_state(pid);
	if (part->iov_len >= state_size)
		return part;
	memcpy(state, part->iov_base, part->iov_len);
	memcpy(&components, state + COMPONENTS_AT, sizeof(components));
	components &= ~AMX;
	memcpy(state + COMPONENTS_AT, &components, sizeof(components));
	whole->iov_base = state;
	whole->iov_len = state_size;
	return whole;
}

/* ptrace(2) as user-mode Linux calls it, always with four arguments. */
long ptrace(enum __ptrace_request request, ...)
{
	struct iovec whole;
	void *addr, *data;
	va_list arguments;
	pid_t pid;

	va_start(arguments, request);
	pid = va_arg(arguments, pid_t);
	addr = va_arg(arguments, void *);
	data = va_arg(arguments, void *);
	va_end(arguments);
	if (request == PTRACE_SETREGSET && (uintptr_t)addr == NT_X86_XSTATE)
		data = complete_state(pid, data, &whole);
	return libc_ptrace(request, pid, addr, data);
}
