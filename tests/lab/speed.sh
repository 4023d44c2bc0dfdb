# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Time limits follow the machine. A limit is written for a quiet machine of the kind that the lab was made on; on one
# that is slower, or has other work to do, it is longer by the same factor, so that such a machine is slow and not red.
# Read by tests/check on the host, by tests/lab/run-net and tests/lab/lib.sh in the guests.

# What the work below takes there, in milliseconds, by where: on the host, in user-mode Linux with everything checked or
# for measuring, in an emulated guest.
lab_quiet_ms() {
	case $1 in
	host) echo 40 ;;
	uml-bench) echo 100 ;;
	uml-*) echo 600 ;;
	*) echo 600 ;;
	esac
}

# The work: what tests spend their time with, processes and the shell itself.
lab_work() {
	local i
	for ((i = 0; i < 20; i++)); do /bin/true; done
	for ((i = 0; i < 10000; i++)); do :; done
}

# measure_speed WHERE: sets IPFI_SLOWNESS, in percent of a quiet machine's time, 100 to 1000, for all that is started
# from here.
measure_speed() {
	local began=${EPOCHREALTIME/[.,]/} took
	lab_work
	took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
	IPFI_SLOWNESS=$((took * 100 / $(lab_quiet_ms "$1")))
	[ $IPFI_SLOWNESS -ge 100 ] || IPFI_SLOWNESS=100
	[ $IPFI_SLOWNESS -le 1000 ] || IPFI_SLOWNESS=1000
	export IPFI_SLOWNESS
}

# patience SECONDS: so many, scaled to this machine, rounded up.
patience() { echo $((($1 * ${IPFI_SLOWNESS:-100} + 99) / 100)); }
