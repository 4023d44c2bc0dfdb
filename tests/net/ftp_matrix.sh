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

need vsftpd proftpd pure-ftpd curl lftp tnftp python3
topo_router || exit
${by}_start || exit

file=$lab_tmp/file
head -c 5000000 /dev/urandom >"$file"
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

export -f ${by}_left in_ns
# lane WAY SERVER PORT PUBLISHED: all its cells, one after another; their results go to the file "cells" as well.
lane() {
	PYTHONDONTWRITEBYTECODE=1 "$IPFI_TOP/tests/net/ftp/lane.py" --server "$2" --way "$1" --port "$3" --published "$4" \
		--host4 "$(way_host "$1" 4)" --host6 "$(way_host "$1" 6)" --user "$ftp_user" --password "$ftp_password" \
		--files "$ftp_home/files" --file "$file" --work "$lab_tmp" --cells "$lab_tmp/cells" --only "$only" \
		--patience "$(patience "$(slow 20 60)")" --left ${by}_left 2>&1 || {
		not_ok "$2, $1: all cells are tried" "the lane ended with status $?"
		echo "$2||$1||failed" >>"$lab_tmp/cells"
	}
}

: >"$lab_tmp/cells"
for way in plain snat dnat; do
	${by}_way $way "${pairs[@]}" || {
		not_ok "the rules for $way" "refused"
		continue
	}
	lanes=()
	for i in "${!ftp_servers[@]}"; do
		lane $way "${ftp_servers[i]}" "${pairs[i]%:*}" "${pairs[i]#*:}" &
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
