# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the lab's own scripts share on the host: where things stand and how they speak.
# Read by tests/lab/*, tests/check and tests/stress; guest tests read lib.sh instead.

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck disable=SC2034
top=$(cd "$lab_dir/../.." && pwd -P)
# shellcheck disable=SC2034
lab_cache=${XDG_CACHE_HOME:-$HOME/.cache}/ipfi-lab
# shellcheck disable=SC2034
lab_unpacked=$lab_cache/unpacked

# say TEXT...: progress, on standard error, so that standard output stays the tests'.
say() { printf 'lab: %s\n' "$*" >&2; }

die() {
	printf 'lab: %s\n' "$*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -- "$@"; fi
}

# headers_version: the newest Debian kernel whose headers are installed, as in uname -r.
headers_version() {
	local version
	version=$(find /usr/src -maxdepth 1 -name 'linux-headers-*-amd64' -printf '%f\n' |
		sed 's/^linux-headers-//' | grep -v -e cloud -e '-rt-' | sort -V | tail -n 1)
	[ -n "$version" ] || die "no Debian kernel headers under /usr/src: run 'make deps'"
	echo "$version"
}

# headers_dir VERSION: where a module for that kernel is built.
headers_dir() { echo "/usr/src/linux-headers-$1"; }
