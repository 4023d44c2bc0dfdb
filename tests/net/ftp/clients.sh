# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# FTP clients in the namespace "client", for guest tests that have read tests/net/ftp/servers.sh. Each does the same in
# one of four modes (the command that announces its data connections: PASV, EPSV, PORT, EPRT), in one session:
#
#	ftp_session CLIENT MODE HOST PORT FILE DIR
#
# FILE is uploaded as files/NAME (NAME is DIR's last part), the directory is listed into DIR/list, the file downloaded
# into DIR/down; then files/big is downloaded into DIR/part, slowly, which is aborted as soon as its first bytes have
# come. What client and server said is in DIR/trace. The status is 1 when that last download never began, 2 when the
# client did not end.

# shellcheck disable=SC2034  # for the tests
ftp_clients=(curl lftp tnftp)

# Bytes a second of the slow download, and seconds after which a client hangs.
ftp_slow=400000
ftp_patience=$(slow 20 60)

ftp_session() {
	local client=$1 dir=$6 part=$6/part pid signal=INT status=0 tries=$((20 * ftp_patience)) never
	shift
	# curl has no way to abort a transfer but to die of it.
	[ "$client" != curl ] || signal=KILL
	exec {never}<> <(:)
	"client_$client" "$@" >"$dir/trace" 2>&1 &
	pid=$!
	# Counted, not timed: a machine that was stopped for a while is not the client's fault.
	while [ ! -s "$part" ] && ((tries-- > 0)) && lives $pid; do pause 0.1; done
	if [ ! -s "$part" ]; then
		status=1
		hangs $pid "with no byte of the last download" >>"$dir/trace"
	fi
	kill -$signal $pid 2>/dev/null
	tries=$((10 * ftp_patience))
	while ((tries-- > 0)) && lives $pid; do pause 0.1; done
	if lives $pid; then
		hangs $pid "after $signal" >>"$dir/trace"
		kill -9 $pid
		status=2
	fi
	wait $pid 2>/dev/null
	exec {never}>&-
	return $status
}

# hangs PID WHEN: what a client does that does not come to its end, for the reader.
hangs() {
	echo "$2: $(grep ^State: "/proc/$1/status") $(paste -sd, "/proc/$1/stack")"
	in_ns client ss -tni | tail -n +2
	in_ns server ss -tni | tail -n +2
} 2>/dev/null

# These start no process: there is one of them ten times a second, in each lane. A child that has ended is waited for
# by the shell at once, so its number is nobody's then.
lives() { kill -0 "$1" 2>/dev/null; }
pause() { read -rt "$1" -u "$never"; }

# as_client COMMAND...: in the client's place; an interrupt reaches it, which a shell's background would ignore.
as_client() { exec nsenter --net=/run/netns/client env --default-signal=INT "$@"; }

client_curl() { # client_curl MODE HOST PORT FILE DIR, as the others
	# An answer's address is used as it is: that the firewall has translated it is the point.
	local options=(-sS -v -g -u "$ftp_user:$ftp_password" --no-ftp-skip-pasv-ip --max-time "$ftp_patience") host=$2 url
	case $1 in
	PASV) options+=(--disable-epsv) ;;
	PORT) options+=(--ftp-port - --disable-eprt) ;;
	EPRT) options+=(--ftp-port -) ;;
	esac
	case $host in *:*) host="[$host]" ;; esac
	url=ftp://$host:$3/files
	as_client curl "${options[@]}" -T "$4" -o /dev/null "$url/${5##*/}" -o "$5/list" "$url/" -o "$5/down" "$url/${5##*/}" \
		--next "${options[@]}" --limit-rate $ftp_slow -o "$5/part" "$url/big"
}

client_lftp() {
	cat >"$5/script" <<-EOF
		set net:max-retries 1
		set net:timeout $ftp_patience
		set net:persist-retries 0
		set xfer:clobber on
		set ftp:ssl-allow no
		set ftp:use-mdtm no
		set ftp:fix-pasv-address no
		set cmd:fail-exit yes
		set ftp:passive-mode $(case $1 in PASV | EPSV) echo on ;; *) echo off ;; esac)
		set ftp:prefer-epsv $(case $1 in EPSV) echo on ;; *) echo off ;; esac)
		debug 5
		open -u $ftp_user,$ftp_password -p $3 $2
		put $4 -o files/${5##*/}
		ls files >$5/list
		get files/${5##*/} -o $5/down
		set net:limit-rate $ftp_slow
		get files/big -o $5/part
	EOF
	as_client lftp --norc -f "$5/script"
}

# The classic one. Interrupted, it tells the server to abort, and goes on with the session.
client_tnftp() {
	cat >"$5/script" <<-EOF
		open $2 $3
		user $ftp_user $ftp_password
		binary
		passive $(case $1 in PASV | EPSV) echo on ;; *) echo off ;; esac)
		epsv4 $(case $1 in EPSV | EPRT) echo on ;; *) echo off ;; esac)
		put $4 files/${5##*/}
		ls files $5/list
		get files/${5##*/} $5/down
		rate get $ftp_slow
		get files/big $5/part
		bye
	EOF
	as_client tnftp -i -n -v -d -q "$ftp_patience" <"$5/script"
}

# ftp_trace TRACE: how often the client logged in, which of the four commands it sent, and which of them the server
# refused, as in "1 EPSV PASV refused EPSV".
ftp_trace() {
	awk '{ sub(/\r$/, "") }
		match($0, /^(---)?> (PASV|EPSV|PORT|EPRT)/) {
			command = substr($0, RSTART + RLENGTH - 4, 4)
			if (!asked[command]++) said = said " " command
			next
		}
		# A reply, with what the client puts before it.
		match($0, /^(<---? ?|< )?[1-5][0-9][0-9] /) {
			code = substr($0, RLENGTH - 3, 3)
			if (code == 230) logins++
			if (command != "" && code >= 500 && !refused[command]++) no = no " refused " command
			command = ""
		}
		END { print logins + 0 said no }' "$1"
}
