# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154  # tests/check has: out, long, builders, guests
# The tiers of tests/check that need kernels: the module built for each that it must build for, and the guest tests.

declare -A started_kernels=()
# start_kernel NAME: has it built in the background; wait_kernel NAME...: until it is there.
start_kernel() {
	[ -z "${started_kernels[$1]-}" ] || return 0
	started_kernels[$1]=1
	tests/lab/kernel --have "$1" && return
	tests/lab/kernel "$1" >"$out/kernel-$1.log" 2>&1 </dev/null &
	builders+=($!)
}
wait_kernel() {
	local kernel
	for kernel; do
		tests/lab/kernel "$kernel" >/dev/null 2>"$out/kernel-$kernel.log" </dev/null && continue
		sed 's/^/# /' "$out/kernel-$kernel.log"
		echo "not ok kernel - $kernel could not be built"
		return 1
	done
}

# The module for the newest kernels of Debian 12, of Debian 13 and of its backports, each with its release's
# compiler, from the start: whatever a build says, a warning too, is a failure.
tier_kernels() {
	local kernel version
	for kernel in debian12 debian13 backports; do
		if ! version=$(tests/lab/headers "$kernel" 2>"$out/headers-$kernel.log" </dev/null); then
			sed 's/^/#   /' "$out/headers-$kernel.log"
			echo "not ok $kernel - its headers could not be fetched"
			continue
		fi
		rm -rf "build/module-$kernel"
		make -s -j"$(nproc)" "module-$kernel" >"$out/module-$kernel.log" 2>&1 </dev/null
		case $?-$(wc -c <"$out/module-$kernel.log") in
		0-0) echo "ok $kernel: $version" ;;
		*)
			sed 's/^/#   /' "$out/module-$kernel.log"
			echo "not ok $kernel: $version - it does not build, or not without a warning"
			;;
		esac
	done
}

tier_lab() {
	wait_kernel debian uml-debug || return
	tests/lab/selftest --quick debian uml-debug
}

# What must not come up open, whatever is missing; what must come up with a policy, in long runs.
tier_boot() {
	local scenarios=(module-missing policy-missing policy-broken module-of-other-version)
	[ -z "$long" ] || scenarios=()
	wait_kernel debian || return
	tests/boot/run "${scenarios[@]}"
}

# guests_of SCRIPT: the guests that it runs in.
guests_of() {
	local guests
	guests=$(sed -n 's/^# guests: *//p' "$1" | head -n 1)
	case "$long $guests" in
	1\ *' only') ;;
	1\ *) guests="debian debian13 uml-debug $guests" ;;
	esac
	echo "${guests:-uml-debug}"
}

# arguments_of SCRIPT: what the kernel that it runs in gets on its command line.
arguments_of() {
	sed -n 's/^# kernel: *//p' "$1" | head -n 1
}

# net KERNEL [NAME | PART/PARTS]: the guest tests in one boot: all, one, or every PARTS-th of them from the PART-th on.
# A guest that dies takes the script that ran with it; the scripts behind it get a new boot.
net() {
	local kernel=$1 name='*' part=1 parts=1 script scripts=() apart=() n=0
	local files=$out/net-$kernel${2+-${2//\//-of-}}
	case ${2-} in
	'') ;;
	*/*) part=${2%/*} parts=${2#*/} ;;
	*) name=$2 ;;
	esac
	# shellcheck disable=SC2086
	for script in tests/net/$name.sh; do
		[ -x "$script" ] || continue
		[[ " $(guests_of "$script") " == *" $kernel "* ]] || continue
		n=$((n + 1))
		[ $(((n - part) % parts)) -eq 0 ] || continue
		if [ -n "$(arguments_of "$script")" ]; then apart+=("$script"); else scripts+=("$script"); fi
	done
	[ ${#scripts[@]} -gt 0 ] || [ ${#apart[@]} -gt 0 ] || return 0
	wait_kernel "$kernel" || return
	make -s "module-$kernel" >"$files.build" 2>&1 </dev/null || {
		sed 's/^/#   /' "$files.build"
		echo "not ok build - the module does not build"
		return
	}
	boots "$kernel" "$files" '' "${scripts[@]}"
	for script in "${apart[@]}"; do
		boots "$kernel" "$files" "$(arguments_of "$script")" "$script"
	done
}

# boots KERNEL FILES ARGUMENTS SCRIPT...: the scripts in guests whose kernels get these arguments.
boots() {
	local kernel=$1 files=$2 arguments=$3 scripts=("${@:4}") running status line script
	while [ ${#scripts[@]} -gt 0 ]; do
		running=
		: >"$files.last"
		IPFI_LAB_NO_BUILD=1 tests/lab/guest --kernel="$kernel" --timeout=$((long ? 36000 : 5400)) --append="$arguments" \
			tests/lab/run-net "${scripts[@]}" \
			2>"$files.err" </dev/null | while IFS= read -r line; do
			case $line in
			@*' start') echo "${line%% *}" >"$files.last" ;;
			@*' end') echo "- ${line%% *}" >"$files.last" ;;
			esac
			sed -nE -e '/^@[^ ]+ (start|end)$/d' -e 's/^@([^ ]+) (ok|not ok|skip) /\2 \1: /p;t' \
				-e 's/^@([^ ]+) /# \1: /p;t' -e 's/^/# /p' <<<"$line"
		done
		status=${PIPESTATUS[0]}
		read -r running <"$files.last" || running=
		case $status in
		0 | 1) break ;;
		97) sed 's/^/# /' "$files.err"
			echo "not ok guest - the kernel reported the above"
			break
			;;
		esac
		sed 's/^/# /' "$files.err"
		case $running in
		@*) echo "not ok ${running#@} - the guest ended under it with status $status" ;;
		*)
			echo "not ok guest - it ended with status $status"
			break
			;;
		esac
		while [ ${#scripts[@]} -gt 0 ]; do
			script=$(basename "${scripts[0]}" .sh)
			scripts=("${scripts[@]:1}")
			[ "$script" != "${running#@}" ] || break
		done
	done
}

tier_debian() { net debian "$@"; }
tier_debian13() { net debian13 "$@"; }
tier_uml-debug() { net uml-debug "$@"; }

# The long runs, each one result.
tier_stress() {
	if tests/stress "$(patience 60)" 2>&1; then echo "ok stress"; else echo "not ok stress - see above"; fi
}
tier_one-engine() {
	if tests/one-engine --policies=500 2>&1; then echo "ok one-engine"; else echo "not ok one-engine - see above"; fi
}

# in_guests JOB...: runs them, each the arguments of run_tier, so many at a time. The long ones come first.
in_guests() {
	local job pid ended running
	# Once for all of them: several must not build it at the same time.
	make -s program >"$out/program.log" 2>&1 </dev/null || {
		sed 's/^/#   /' "$out/program.log"
		echo "not ok build - the program does not build"
	} | record program
	for job; do
		if [ ${#guests[@]} -ge "${GUESTS:-$(($(nproc) + 1))}" ]; then
			wait -n -p ended "${guests[@]}"
			running=()
			for pid in "${guests[@]}"; do [ "$pid" = "$ended" ] || running+=("$pid"); done
			guests=("${running[@]}")
		fi
		# Each a process group, so that all of it can be ended.
		set -m
		# shellcheck disable=SC2086  # words
		run_tier $job </dev/null &
		set +m
		guests+=($!)
	done
	wait "${guests[@]}"
	guests=()
}
