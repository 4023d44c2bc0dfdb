# SPDX-License-Identifier: GPL-2.0-or-later
#
# The test programs that run on the host: make -f tests/programs.mk unit|fuzz. Each tests/unit/NAME_test.c is a
# cmocka program, each tests/fuzz/NAME_fuzz.c a libFuzzer target, under AddressSanitizer and UBSan like the
# core and the shell (all but main.c) that they are linked with, from an archive: they get what they use.

sanitizers := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
warnings := -Wall -Wextra -Werror -Wno-missing-field-initializers
libraries := lua5.4 libnl-genl-3.0 readline libpcap
includes := -Iinclude/uapi -I. -Itests/unit
flags = -std=gnu11 -g $(warnings) -D_GNU_SOURCE $(includes) $$(pkg-config --cflags $(libraries)) -MMD -MP

sources := $(wildcard module/core/*.c) $(filter-out shell/main.c shell/engine/%,$(wildcard shell/*.c shell/*/*.c))
unit := $(patsubst tests/unit/%.c,build/tests/unit/%,$(wildcard tests/unit/*_test.c))
fuzz := $(patsubst tests/fuzz/%.c,build/tests/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

.PHONY: unit fuzz
.DELETE_ON_ERROR:
.SECONDARY:
unit: $(unit)
fuzz: $(fuzz)

# The built-in engine is one object, as in the program: nothing but its own interface is seen from outside.
engine := $(wildcard shell/engine/*.c) $(filter-out %.mod.c module/core/%,$(wildcard module/*.c module/*/*.c))
engine_flags = -std=gnu11 -g -fno-strict-aliasing -fno-strict-overflow -Wall -Werror \
	-Ishell/engine/include -Iinclude/uapi -I. -include linux/build_bug.h -MMD -MP
unit_engine := $(engine:%.c=build/tests/asan/engine/%.o)
fuzz_engine := $(engine:%.c=build/tests/fuzzer/engine/%.o)

unit_objects := $(sources:%.c=build/tests/asan/%.o) build/tests/asan/engine.o
fuzz_objects := $(sources:%.c=build/tests/fuzzer/%.o) build/tests/fuzzer/engine.o

build/tests/asan/engine/%.o: %.c
	@mkdir -p $(@D)
	@gcc -O1 $(sanitizers) $(engine_flags) -c -o $@ $<

build/tests/fuzzer/engine/%.o: %.c
	@mkdir -p $(@D)
	@clang -O1 $(sanitizers) -fsanitize=fuzzer-no-link $(engine_flags) -c -o $@ $<

build/tests/asan/engine.o: $(unit_engine)
build/tests/fuzzer/engine.o: $(fuzz_engine)
build/tests/%/engine.o:
	@ld -r -o $@ $^
	@objcopy --wildcard --keep-global-symbol='engine_*' $@

build/tests/asan/%.o: %.c
	@mkdir -p $(@D)
	@gcc -O1 $(sanitizers) $(flags) -c -o $@ $<

build/tests/fuzzer/%.o: %.c
	@mkdir -p $(@D)
	@clang -O1 $(sanitizers) -fsanitize=fuzzer-no-link $(flags) -c -o $@ $<

build/tests/asan.a: $(unit_objects)
build/tests/fuzzer.a: $(fuzz_objects)
build/tests/%.a:
	@rm -f $@
	@ar rc $@ $^

# Programs that test functions of the module itself: they are compiled as it is, over the engine's stand-in for the
# kernel, and linked with its objects as they are, names and all.
inside_unit := build/tests/unit/rewrite_test
inside_fuzz := build/tests/fuzz/rewrite_fuzz
$(inside_unit) $(inside_fuzz): private flags = $(engine_flags) -Itests/unit
$(inside_unit): private archive = build/tests/asan/inside.a
$(inside_unit): build/tests/asan/inside.a
$(inside_fuzz): private archive = build/tests/fuzzer/inside.a
$(inside_fuzz): build/tests/fuzzer/inside.a
core := $(wildcard module/core/*.c)
build/tests/asan/inside.a: $(unit_engine) $(core:%.c=build/tests/asan/%.o)
build/tests/fuzzer/inside.a: $(fuzz_engine) $(core:%.c=build/tests/fuzzer/%.o)

# What user-mode Linux is started with (tests/lab/guest). Guests may start at once: none sees half of it.
build/tests/lab/%.so: tests/lab/%.c
	@mkdir -p $(@D)
	@gcc -O2 $(warnings) -fPIC -shared -o $@.$$$$ $< && mv $@.$$$$ $@

archive = build/tests/$(if $(filter build/tests/unit/%,$@),asan,fuzzer).a
build/tests/unit/%: tests/unit/%.c build/tests/asan.a
	@mkdir -p $(@D)
	@gcc -O1 $(sanitizers) $(flags) -o $@ $< $(archive) $$(pkg-config --libs cmocka $(libraries))

build/tests/fuzz/%: tests/fuzz/%.c build/tests/fuzzer.a
	@mkdir -p $(@D)
	@clang -O1 $(sanitizers) -fsanitize=fuzzer $(flags) -o $@ $< $(archive) $$(pkg-config --libs $(libraries))

-include $(unit_objects:.o=.d) $(fuzz_objects:.o=.d) $(unit_engine:.o=.d) $(fuzz_engine:.o=.d) $(unit:=.d) $(fuzz:=.d)
