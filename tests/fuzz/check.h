/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold in a fuzz target: says where it does not, and stops, for the fuzzer to keep the input. */
#ifndef IPFI_TESTS_FUZZ_CHECK_H
#define IPFI_TESTS_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                        \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

#endif
