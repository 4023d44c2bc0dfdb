# SPDX-License-Identifier: GPL-2.0-or-later
#
# IPFire-Wall: the program build/ipfi and the kernel module module/ipfi.ko. "make help" lists the targets.
# Sources are found by wildcard: a new file needs no line here (the module's list is module/Kbuild).

PREFIX ?= /usr
DESTDIR ?=
CC ?= cc
CFLAGS ?= -O2 -g
LDFLAGS ?=
PKG_CONFIG ?= pkg-config
# Warnings are errors for who works on it, not where a release is built by compilers still to come.
WERROR ?= $(if $(wildcard .git),-Werror)

# V=1 shows the commands.
ifeq ($(V),)
quiet := @
endif
say = @echo "  $(1)	$(2)"

libraries := lua5.4 libnl-genl-3.0 readline libpcap
warnings := -Wall -Wextra $(WERROR) -Wstrict-prototypes -Wmissing-prototypes
hardening := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE

core_sources := $(wildcard module/core/*.c)
core_objects := $(core_sources:module/core/%.c=build/core/%.o)
shell_sources := $(filter-out shell/engine/%,$(wildcard shell/*.c shell/*/*.c))
shell_objects := $(shell_sources:shell/%.c=build/shell/%.o)

# The built-in engine: the module's glue once more, over a stand-in for the kernel's interfaces.
engine_sources := $(wildcard shell/engine/*.c)
engine_objects := $(engine_sources:shell/engine/%.c=build/engine/%.o)
engine_glue := $(filter-out %.mod.c module/core/%,$(wildcard module/*.c module/*/*.c))
engine_glue_objects := $(engine_glue:module/%.c=build/engine/module/%.o)

# The newest of the installed headers, by version; a dangling link of a removed package does not count.
newest_headers = $(shell for dir in /lib/modules/*/build /usr/src/linux-headers-*-amd64; do \
	[ -e "$$dir/Makefile" ] && echo "$$dir"; done | \
	sed -e 's|^/lib/modules/\(.*\)/build$$|\1 &|' -e 's|^/usr/src/linux-headers-\(.*\)$$|\1 &|' | \
	sort -V | tail -n 1 | cut -d ' ' -f 2)
KDIR ?= $(newest_headers)

.PHONY: all program module deps demo demo-shell check check-long stress bench install clean help
.DELETE_ON_ERROR:

all: program module

help:
	@sed -n 's/^#: //p' Makefile

#: make             the program, and the module for the newest installed kernel headers (or KDIR=DIR)
#: make program     only build/ipfi
#: make module      only module/ipfi.ko
#: make module-all  the module for the kernels of Debian 12, 13 and its backports: downloads them, installs nothing;
#:                  module-debian12, module-debian13, module-backports: one of them
#: make deps        install the packages that building and testing need (sudo when not root)
#: make demo        boot a guest and show the firewall at work in it; make demo-shell: its prompt
#: make check       every test; make check-long: in hours, all guest tests on all kernels, and the long runs
#: make stress      a debug kernel on two CPUs under load; make bench: measure
#: make install     with DESTDIR and PREFIX: the program, and the module if it has been built (module/ipfi.ko)
#: make clean

program: build/ipfi

build/ipfi: $(shell_objects) build/engine.o build/core.o
	$(call say,LD,$@)
	$(quiet)$(CC) $(CFLAGS) -pie -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $^ $$($(PKG_CONFIG) --libs $(libraries))

build/shell/%.o: shell/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(quiet)$(CC) -std=gnu11 $(warnings) $(hardening) $(CFLAGS) -D_GNU_SOURCE -DIPFI_PREFIX='"$(PREFIX)"' \
		-Iinclude/uapi -I. $$($(PKG_CONFIG) --cflags $(libraries)) -MMD -MP -c -o $@ $<

# The program knows where it will be installed: another PREFIX than last time compiles that anew.
build/prefix: force
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@
build/shell/main.o: build/prefix
.PHONY: force

# The core decides, and knows nobody: beside these four functions of the compiler's own it may call nothing.
core_may_call := memcpy|memmove|memset|memcmp
# In a kernel's build the compiler and its sanitizers add calls of their own; those are not the core's.
instrumentation := __fentry__|__x86_.*|__stack_chk_.*|__ref_stack_chk_guard|__asan_.*|__tsan_.*|__ubsan_.*|__sanitizer_.*|__gcov_.*|(__)?fortify_panic|_GLOBAL_OFFSET_TABLE_

# $(call check_core,OBJECT,ALLOWED): fails, naming the symbols, if OBJECT refers to anything else.
define check_core
@strangers=$$(nm -u $(1) | sed 's/^ *[Uwv] //' | grep -vxE '$(2)'); \
	[ -z "$$strangers" ] || { echo "$(1): the core must not call:" $$strangers >&2; rm -f $(1); exit 1; }
endef

build/core/%.o: module/core/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(quiet)$(CC) -std=gnu11 $(warnings) $(CFLAGS) -fPIE -ffreestanding -fno-stack-protector -U_FORTIFY_SOURCE \
		-Iinclude/uapi -I. -MMD -MP -c -o $@ $<

build/core.o: $(core_objects)
	$(call say,LD,$@)
	$(quiet)$(LD) -r -o $@ $^
	$(call check_core,$@,$(core_may_call))

# As the kernel is built: its code relies on both. Its headers are found where the engine stands in for them.
engine_flags := -std=gnu11 -fno-strict-aliasing -fno-strict-overflow -Ishell/engine/include -Iinclude/uapi -I. \
	-include linux/build_bug.h

build/engine/%.o: shell/engine/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(quiet)$(CC) $(engine_flags) $(warnings) $(hardening) $(CFLAGS) -MMD -MP -c -o $@ $<

build/engine/module/%.o: module/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$< for the engine)
	$(quiet)$(CC) $(engine_flags) -Wall $(WERROR) $(hardening) $(CFLAGS) -MMD -MP -c -o $@ $<

# Nothing but what shell/engine/engine.h declares is seen from outside: the kernel's names would meet libnl's.
build/engine.o: $(engine_objects) $(engine_glue_objects)
	$(call say,LD,$@)
	$(quiet)$(LD) -r -o $@ $^
	$(quiet)objcopy --wildcard --keep-global-symbol='engine_*' $@

-include $(core_objects:.o=.d) $(shell_objects:.o=.d) $(engine_objects:.o=.d) $(engine_glue_objects:.o=.d)

# $(call build_module,NAME,KDIR,ARGUMENTS,RUNNER): the module for one kernel, in a directory of its own, so that
# builds for several kernels never mix: module/ and include/ are mirrored there by links. What comes out is
# build/module-NAME/ipfi.ko. The lock lets several builds of one tree wait for each other. RUNNER is what make is
# run by, if it is not the machine's own.
define build_module
@mkdir -p build/module-$(1)/module
@ln -sfn ../../include build/module-$(1)/include
@find build/module-$(1)/module -xtype l -delete
@(cd module && find . \( -name '*.[ch]' -o -name Kbuild \) ! -name '*.mod.c' -type f) | while read -r file; do \
	mkdir -p "build/module-$(1)/module/$${file%/*}" && \
	ln -sf "$(CURDIR)/module/$$file" "build/module-$(1)/module/$$file" || exit 1; done
+@flock build/module-$(1).lock $(4) $(MAKE) -C $(2) M=$(CURDIR)/build/module-$(1)/module \
	CONFIG_DEBUG_INFO_BTF_MODULES= $(3) modules
@$(LD) -r -o build/module-$(1)/core.o $(core_sources:module/core/%.c=build/module-$(1)/module/core/%.o)
$(call check_core,build/module-$(1)/core.o,$(core_may_call)|$(instrumentation))
@cmp -s build/module-$(1)/module/ipfi.ko build/module-$(1)/ipfi.ko || \
	cp build/module-$(1)/module/ipfi.ko build/module-$(1)/ipfi.ko
endef

# Not include/config/kernel.release: Debian's headers have the upstream version there.
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)

module:
	@[ -e "$(KDIR)/Makefile" ] || { echo "no kernel headers: run 'make deps', or give KDIR=" >&2; exit 1; }
	$(call build_module,$(release),$(KDIR),)
	@cp build/module-$(release)/ipfi.ko module/ipfi.ko

# For the guests of tests/lab, by the name of their kernel.
guest_kernel = $(shell tests/lab/kernel --print $(1))
.PHONY: module-debian module-uml-debug module-uml-bench module-x86-debug
module-debian:
	@+$(MAKE) --no-print-directory module KDIR=/usr/src/linux-headers-$$(tests/lab/kernel --version debian)
	@ln -sfn module-$$(tests/lab/kernel --version debian) build/module-debian

module-uml-debug module-uml-bench: module-%:
	$(call build_module,$*,$(call guest_kernel,$*)/build,ARCH=um)

module-x86-debug: module-%:
	$(call build_module,$*,$(call guest_kernel,$*)/build,)

# For the newest kernels of Debian 12, of Debian 13 and of its backports, each with its release's own compiler
# (tests/lab/headers).
.PHONY: module-all module-debian12 module-debian13 module-backports
module-all: module-debian12 module-debian13 module-backports
module-debian12 module-debian13 module-backports: module-%:
	@tests/lab/headers $* >/dev/null
	$(call build_module,$*,/usr/src/linux-headers-$$(tests/lab/headers $*),,tests/lab/headers --run $*)

deps:
	@tests/lab/deps

demo demo-shell check check-long stress bench: deps
	@+$(MAKE) --no-print-directory all
	@+$(MAKE) --no-print-directory run-$@

.PHONY: run-demo run-demo-shell run-check run-check-long run-stress run-bench
run-demo:
	@tests/lab/guest --timeout=1800 tests/lab/demo.sh $(if $(NO_COLOR),plain)

run-demo-shell:
	@tests/lab/guest --timeout=86400 --interactive tests/lab/demo-shell.sh

run-check:
	@tests/check

run-check-long:
	@tests/check --long

run-stress:
	@tests/stress

run-bench:
	@tests/bench/run

# The module belongs to the kernel that it was built for. Who packages the program alone builds none.
install: program
	install -D -m 755 build/ipfi $(DESTDIR)$(PREFIX)/sbin/ipfi
	cd lua && find . -type f -name '*.lua' -exec install -D -m 644 {} $(abspath $(DESTDIR)$(PREFIX)/share/ipfi)/{} \;
	install -d -m 755 $(DESTDIR)/etc/ipfi
	cd examples && find . -type f -name '*.lua' \
		-exec install -D -m 644 {} $(abspath $(DESTDIR)$(PREFIX)/share/doc/ipfi/examples)/{} \;
	for page in docs/man/*.[1-8]; do [ ! -e "$$page" ] || install -D -m 644 "$$page" \
		"$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}" || exit 1; done
	for file in ipfi.service ipfi-closed.service boot; do \
		case $$file in boot) to=$(PREFIX)/lib/ipfi mode=755 ;; *) to=/usr/lib/systemd/system mode=644 ;; esac; \
		sed 's|/usr/\(sbin\|lib\|share\)/ipfi|$(PREFIX)/\1/ipfi|g' packaging/boot/$$file | \
			install -D -m $$mode /dev/stdin "$(DESTDIR)$$to/$$file" || exit 1; done
	install -D -m 644 packaging/boot/closed.lua $(DESTDIR)$(PREFIX)/share/ipfi/boot/closed.lua
	[ -e $(DESTDIR)/etc/ipfi/management ] || install -m 644 packaging/boot/management $(DESTDIR)/etc/ipfi/management
	install -D -m 644 packaging/ipfi.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/ipfi
	@if [ -e module/ipfi.ko ]; then $(MAKE) --no-print-directory install-module; else \
		echo "there is no module/ipfi.ko: the program is installed alone"; fi

built_for = $(shell PATH=$$PATH:/usr/sbin:/sbin modinfo -F vermagic module/ipfi.ko | cut -d ' ' -f 1)
.PHONY: install-module
install-module:
	install -D -m 644 module/ipfi.ko $(DESTDIR)/lib/modules/$(built_for)/updates/ipfi.ko
	[ -n "$(DESTDIR)" ] || depmod $(built_for)

clean:
	rm -rf build module/ipfi.ko
