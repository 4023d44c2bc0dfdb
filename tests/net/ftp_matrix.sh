#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guests: debian
# timeout: 900
#
# FTP through the firewall as people meet it: real servers and clients, every way to announce a data connection,
# without translation, behind source and behind destination NAT, in both families. In each cell of this matrix one
# session uploads a file of 5 MB, lists the directory and downloads the file; then a download is aborted, after which
# nothing of it may be left. The table of results is printed, and docs/ftp.md must say the same: tests/net/ftp/keep
# writes it there.
#
#	ftp_matrix.sh [--peer] [--only=REGEX]
#		--peer    by nftables and the kernel's FTP helper instead: is it the firewall that fails in a cell?
#		--only    the cells whose name, as in "vsftpd curl PASV plain IPv4", is like it
. "$IPFI_TOP/tests/net/support/firewall.sh"
. "$IPFI_TOP/tests/net/ftp/servers.sh"
. "$IPFI_TOP/tests/net/ftp/clients.sh"
. "$IPFI_TOP/tests/net/ftp/firewall.sh"

by=ours
only=.
# A debugging guest looks at every line of the module's code, which needs each way once, not with every program.
if [ "$(slow 0 1)" = 1 ]; then only='^(vsftpd curl|pure-ftpd tnftp) '; fi
for option; do
	case $option in
	--peer) by=peer ;;
	--only=*) only=${option#*=} ;;
	*)
		echo "usage: ftp_matrix.sh [--peer] [--only=REGEX]" >&2
		exit 2
		;;
	esac
done

need vsftpd proftpd pure-ftpd curl lftp tnftp
topo_router || exit
${by}_start || exit

file=$lab_tmp/file
head -c 5000000 /dev/urandom >"$file"
sum=$(cksum <"$file")
# Each server has a port, and one under which it is published.
port=21
pairs=()
for server in "${ftp_servers[@]}"; do
	serve_ftp "$server" server $port || {
		not_ok "$server serves" "nobody listens on port $port"
		exit
	}
	pairs+=("$port:$((port + 100))")
	port=$((port + 2000))
done

# try_cell SERVER CLIENT MODE WAY FAMILY PORT PUBLISHED: prints "ok", "not supported by NAME", or why not.
try_cell() {
	local server=$1 client=$2 mode=$3 host port=$6 dir=$lab_tmp/$1-$2-$3-$4-$5 status trace sums left
	host=$(way_host "$4" "$5")
	[ "$4" != dnat ] || port=$7
	mkdir "$dir"
	ftp_session "$client" "$mode" "$host" "$port" "$file" "$dir"
	status=$?
	trace=$(ftp_trace "$dir/trace")
	case $trace in
	"1 $mode") ;;
	*"refused $mode"*)
		echo "not supported by $server"
		return
		;;
	*" $mode"*)
		echo "logins and commands: $trace"
		return
		;;
	'0' | '1')
		echo "it never came to ask: $(tail -n 1 "$dir/trace")"
		return
		;;
	*)
		# The client was told to ask so, and asked otherwise: it knows no better.
		echo "not supported by $client"
		return
		;;
	esac
	if ! sums=$(cksum <"$ftp_home/files/${dir##*/}" && cksum <"$dir/down") || [ "$sums" != "$sum"$'\n'"$sum" ]; then
		echo "what was uploaded or downloaded differs"
	elif ! grep -q "${dir##*/}" "$dir/list"; then
		echo "the list lacks the file"
	elif [ $status -ne 0 ]; then
		echo "the aborted download, status $status: $(tail -n 1 "$dir/trace")"
	elif ! wait_for 10 nothing_left "$6" "$7"; then
		echo "left after an abort: $left"
	else
		echo ok
	fi
	rm -f "$dir/down" "$dir/part" "$ftp_home/files/${dir##*/}"
}
nothing_left() {
	left=$(${by}_left "$1" "$2")
	[ "$left" = nothing ]
}

# lane WAY SERVER PAIR: all its cells, one after another; their results go to the file "cells" as well.
lane() {
	local way=$1 server=$2 pair=$3 client family mode name result
	for client in "${ftp_clients[@]}"; do
		for mode in PASV/4 EPSV/4 PORT/4 EPRT/4 EPSV/6 EPRT/6; do
			family=${mode#*/}
			mode=${mode%/*}
			name="$server $client $mode $way IPv$family"
			[[ $name =~ $only ]] || continue
			try_cell "$server" "$client" "$mode" "$way" "$family" "${pair%:*}" "${pair#*:}" >"$lab_tmp/result-$server"
			result=$(tail -n 1 "$lab_tmp/result-$server")
			case $result in
			ok) ok "$name" ;;
			'not supported by '*) ok "$name: $result" ;;
			*)
				not_ok "$name" "$result"
				sed 's/^/#   /' "$lab_tmp/$server-$client-$mode-$way-$family"/trace* | tail -n 60
				result=failed
				;;
			esac
			echo "$server|$client|$way|$mode/$family|$result" >>"$lab_tmp/cells"
		done
	done
}

: >"$lab_tmp/cells"
for way in plain snat dnat; do
	${by}_way $way "${pairs[@]}" || {
		not_ok "the rules for $way" "refused"
		continue
	}
	lanes=()
	for i in "${!ftp_servers[@]}"; do
		lane $way "${ftp_servers[i]}" "${pairs[i]}" &
		lanes+=($!)
	done
	wait "${lanes[@]}"
	runs "nothing is left of all of it: $way" wait_for 20 ${by}_idle
done
failures=$((failures + $(grep -c 'failed$' "$lab_tmp/cells")))

# The table, in Markdown.
awk -F '|' '
	BEGIN {
		columns = split("PASV/4 EPSV/4 PORT/4 EPRT/4 EPSV/6 EPRT/6", column, " ")
		print "| server | client | way | PASV | EPSV | PORT | EPRT | EPSV, IPv6 | EPRT, IPv6 |"
		print "|---|---|---|---|---|---|---|---|---|"
	}
	{
		row = $1 " | " $2 " | " $3
		if (!(row in seen)) { seen[row] = ++rows; name[rows] = row }
		cell[row, $4] = $5
	}
	END {
		for (r = 1; r <= rows; r++) {
			line = "| " name[r] " |"
			for (c = 1; c <= columns; c++)
				line = line " " ((name[r], column[c]) in cell ? cell[name[r], column[c]] : "not tried") " |"
			print line
		}
	}' < <(sort -s -t '|' -k 1,2 "$lab_tmp/cells") >"$lab_tmp/table"
sed 's/^/# /' "$lab_tmp/table"
# Kept in the manual, and right there.
if [ $by = ours ] && [ "$only" = . ]; then
	runs "docs/ftp.md has this table" diff <(sed -n '/^<!-- matrix -->/,/^<!-- matrix end -->/{/^|/p}' "$IPFI_TOP/docs/ftp.md") "$lab_tmp/table"
fi
