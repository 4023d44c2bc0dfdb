# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# FTP servers in a namespace of the lab, for guest tests that have read tests/net/support/firewall.sh. They answer both
# families, ask for the account that ftp_account makes, and let it read and write in its home.

# shellcheck disable=SC2034  # for the tests
ftp_servers=(vsftpd proftpd pure-ftpd)
ftp_user=ftplab
ftp_password=lab
ftp_home=$lab_tmp/ftp

# ftp_account: the account, in the guest's own /etc/passwd, which is thrown away.
ftp_account() {
	[ -d "$ftp_home" ] && return
	mkdir -p "$ftp_home/empty"
	chmod 755 "$lab_tmp"
	if quietly id $ftp_user; then userdel $ftp_user; fi
	useradd --no-create-home --home-dir "$ftp_home" --shell /bin/bash --password "$(openssl passwd -1 $ftp_password)" $ftp_user
	install -d -o $ftp_user "$ftp_home/files"
	# What is never downloaded whole: more than the buffers on the way hold. It takes no room.
	truncate -s 12M "$ftp_home/files/big"
	# The server that asks PAM, by the name of the service in its configuration.
	printf '%s\n' 'auth required pam_unix.so' 'account required pam_unix.so' 'session required pam_permit.so' \
		>/etc/pam.d/ftplab
}

# serve_ftp SERVER SPACE PORT: starts one of $ftp_servers there. vsftpd has the lines of $vsftpd_more in its configuration
# too.
serve_ftp() {
	local server=$1 space=$2 port=$3
	ftp_account
	"serve_${server//-/_}" "$space" "$port" && wait_for 20 listening "$space" tcp "$port"
}

serve_vsftpd() {
	cat >"$ftp_home/vsftpd.conf" <<-EOF
		listen=NO
		listen_ipv6=YES
		listen_port=$2
		background=YES
		anonymous_enable=NO
		local_enable=YES
		write_enable=YES
		pam_service_name=ftplab
		secure_chroot_dir=$ftp_home/empty
		nopriv_user=nobody
		${vsftpd_more-}
	EOF
	in_ns "$1" vsftpd "$ftp_home/vsftpd.conf"
}

serve_proftpd() {
	cat >"$ftp_home/proftpd.conf" <<-EOF
		ServerType standalone
		ServerName lab
		UseIPv6 on
		DefaultAddress 127.0.0.1 ::1
		DefaultServer on
		Port $2
		User nobody
		Group nogroup
		AuthOrder mod_auth_unix.c
		AllowOverwrite on
		UseReverseDNS off
		DelayEngine off
		WtmpLog off
		TransferLog none
		SystemLog $ftp_home/proftpd.log
		PidFile $ftp_home/proftpd.pid
		ScoreboardFile $ftp_home/proftpd.scoreboard
		DelayTable none
		TimeoutLinger 1
	EOF
	in_ns "$1" proftpd --config "$ftp_home/proftpd.conf" 2>"$ftp_home/proftpd.err"
}

serve_pure_ftpd() {
	in_ns "$1" pure-ftpd --daemonize --bind "$2" --login unix --noanonymous --dontresolve --pidfile "$ftp_home/pure-ftpd.pid"
}
