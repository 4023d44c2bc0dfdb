# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154  # lab_cache: common.sh has it
# Debian's archive, asked about a release that need not be the machine's: apt with lists of its own, below the
# cache. It knows of no installed package, and installs none: packages are only downloaded and unpacked.
# Read by tests/lab/headers and tests/lab/kernel, behind common.sh.

# archive_suites NAME: the suites that the kernel NAME of a guest, or its headers, come from, in one line; the first
# has the kernel.
archive_suites() {
	case $1 in
	debian12) echo 'bookworm bookworm-updates bookworm-security' ;;
	debian13) echo 'trixie trixie-updates trixie-security' ;;
	backports) echo 'trixie-backports trixie trixie-updates trixie-security' ;;
	*) die "no release '$1': debian12, debian13 or backports" ;;
	esac
}

# archive_sites: the mirrors that this machine uses, Debian's own where it names none: the archive's, and that of
# the security updates.
archive_sites() {
	apt-get indextargets --format '$(SITE)' 2>/dev/null | awk '
		/debian-security\/?$/ { security = $0; next }
		/\/debian\/?$/ { archive = $0 }
		END {
			print archive == "" ? "http://deb.debian.org/debian" : archive
			print security == "" ? "http://security.debian.org/debian-security" : security
		}'
}

# archive NAME COMMAND...: one of apt's commands, about the suites of NAME.
archive() {
	local state=$lab_cache/apt-$1 command=$2
	shift 2
	"$command" -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache" \
		-o "Dir::Etc::sourcelist=$state/sources.list" -o "Dir::Etc::sourceparts=$state/none" \
		-o Dir::Etc::preferences=/dev/null -o "Dir::Etc::preferencesparts=$state/none" -o APT::Sandbox::User=root \
		-o Acquire::Languages=none -o APT::Install-Recommends=false -o APT::Get::List-Cleanup=false "$@"
}

# archive_update NAME: reads what the archive has, once a day; without a network, what was read before will do.
archive_update() {
	local state=$lab_cache/apt-$1 key suite suites sites
	mkdir -p "$state/none" "$state/lists/partial" "$state/cache/archives/partial"
	[ -z "$(find "$state/updated" -mmin -1440 2>/dev/null)" ] || return 0
	: >"$state/status"
	for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do [ ! -e "$key" ] || break; done
	[ -e "$key" ] || die "no keys of Debian's archive: install debian-archive-keyring"
	mapfile -t sites < <(archive_sites)
	read -ra suites < <(archive_suites "$1")
	for suite in "${suites[@]}"; do
		case $suite in
		*-security) echo "deb [signed-by=$key] ${sites[1]} $suite main" ;;
		*) echo "deb [signed-by=$key] ${sites[0]} $suite main" ;;
		esac
	done >"$state/sources.list"
	if archive "$1" apt-get -q --error-on=any update >"$state/log" 2>&1; then
		touch "$state/updated"
	elif [ -e "$state/updated" ]; then
		say "the archive cannot be read, what it had on $(date -r "$state/updated" +%F) is used"
	else
		tail -n 5 "$state/log" >&2
		die "Debian's archive cannot be read"
	fi
}

# archive_kernel NAME: the newest kernel that it has, as in uname -r.
archive_kernel() {
	local package=linux-headers-amd64 suite version release
	read -r suite _ < <(archive_suites "$1")
	# "package | version | site suite/main amd64 Packages"; a suite's updates count as the suite.
	version=$(archive "$1" apt-cache madison "$package" | awk -F ' *[|] *' -v suite="$suite" '
		{ split($3, words, " "); sub(/\/.*/, "", words[2]) }
		words[2] == suite || suite !~ /-/ && index(words[2], suite "-") == 1 { print $2 }' | sort -V | tail -n 1)
	release=$(archive "$1" apt-cache show "$package=$version" |
		sed -nE 's/^Depends:.* ?linux-headers-([0-9][^ ]*-amd64) .*/\1/p' | head -n 1)
	[ -n "$release" ] || die "the archive has no kernel for $1"
	echo "$release"
}
