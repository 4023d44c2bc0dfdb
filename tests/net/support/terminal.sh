# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A terminal for tests: a program in a window of tmux, keys typed into it, and screens that are compared with
# golden texts, tests/net/terminal/NAME.txt. Nothing here waits for a fixed time: what must appear is waited for,
# as long as a slow guest needs.
#
# Called with the argument "update", a test prints its screens instead of comparing them; the program
# tests/net/terminal/update makes the golden texts of that.
# It reads support/firewall.sh.
# shellcheck source=tests/net/support/firewall.sh
. "$IPFI_TOP/tests/net/support/firewall.sh"
screens=$IPFI_TOP/tests/net/terminal
terminal_update=${1-}
# Seconds, which wait_for() scales to the machine.
terminal_patience=$(slow 20 60)
[ "$terminal_update" != update ] || terminal_patience=5

tmux_of_test() { tmux -S "$lab_tmp/tmux" "$@"; }

# terminal COLUMNS ROWS COMMAND...: opens the window; the command runs in $firewall. It ends with the test.
terminal() {
	local columns=$1 rows=$2
	shift 2
	mkdir -p "$lab_tmp/home"
	# Without a history, from which lines would come back as the window grows.
	printf 'set -g status off\nset -g history-limit 0\n' >"$lab_tmp/tmux.conf"
	in_ns "$firewall" env -u PAGER -u LESS -u DISPLAY HOME="$lab_tmp/home" INPUTRC=/dev/null SHELL=/bin/sh \
		tmux -S "$lab_tmp/tmux" -f "$lab_tmp/tmux.conf" new-session -d -x "$columns" -y "$rows" "trap : INT; $*; echo status \$?; sleep 1000"
}

# resize COLUMNS ROWS
resize() { tmux_of_test resize-window -x "$1" -y "$2"; }

# press KEY...: keys by tmux's names, as in: press C-c F5 Tab Enter.
press() { tmux_of_test send-keys "$@"; }

# at_prompt: whether the program waits for a line, and has none of it yet. What is typed before that the terminal
# itself would draw, and the program once more.
at_prompt() {
	local line
	line=$(tmux_of_test display-message -p '#{cursor_y}')
	[[ $(tmux_of_test capture-pane -p -S "$line" -E "$line") =~ (^ipfi[^[:space:]]*|-)\>$ ]]
}

# enter TEXT: types a line and Enter, at the prompt; write TEXT: without Enter, wherever the cursor is.
write() { tmux_of_test send-keys -l -- "$1"; }
enter() {
	wait_for "$terminal_patience" at_prompt || not_ok "enter" "no prompt for '$1'"
	write "$1"
	press Enter
}

# paste TEXT: as a terminal pastes, in brackets if the program asks for them.
paste_text() {
	tmux_of_test set-buffer -- "$1"
	tmux_of_test paste-buffer -p
}

# What is on the screen, without blanks at the ends.
on_screen() { printf '%s\n' "$(tmux_of_test capture-pane -p)"; }

# What differs from run to run: versions, times that go by, the directory of the test.
normal() {
	sed -E -e "s|$lab_tmp|TMP|g" -e 's/^ipfi [0-9.]+;/ipfi VERSION;/' -e 's/CONFIRM [0-9]+s/CONFIRM NNs/g' \
		-e 's/\b[0-9]+m[0-9]{2}s\b/NNmNNs/g'
}

# sees REGEX: whether a line of the screen is like it, when time has been given.
sees() {
	# shellcheck disable=SC2317  # called by wait_for
	seen() {
		local line
		while IFS= read -r line; do
			[[ ! $line =~ $1 ]] || return 0
		done < <(on_screen)
		return 1
	}
	wait_for "$terminal_patience" seen "$1" && return
	on_screen | sed 's/^/# | /'
	return 1
}

# shows REGEX NAME: a result of that.
shows() {
	if sees "$1"; then ok "$2"; else not_ok "$2" "'$1' does not appear"; fi
}

# screen NAME REGEX: the screen is the golden text. What stands still for ten seconds and is not will not become it. REGEX
# is what is on it when it is complete, for the update.
screen() {
	local golden=$screens/$1.txt wanted='' shown='' last='' since=$SECONDS
	# shellcheck disable=SC2317  # called by wait_for
	settled() {
		shown=$(on_screen | normal)
		[ "$shown" != "$wanted" ] || return 0
		[ "$shown" = "$last" ] || since=$SECONDS
		last=$shown
		[ $((SECONDS - since)) -ge "$(patience 10)" ]
	}
	if [ "$terminal_update" = update ]; then
		sees "$2" || not_ok "screen $1" "'$2' does not appear"
		sleep 1
		on_screen | normal | sed "s/^/screen $1|/"
		return
	fi
	wanted=$(<"$golden")
	wait_for "$terminal_patience" settled
	if [ "$shown" = "$wanted" ]; then
		ok "screen $1"
	else
		diff -u --label "$1.txt" --label 'the screen' "$golden" <(printf '%s\n' "$shown") | sed 's/^/# /'
		not_ok "screen $1" "it is not tests/net/terminal/$1.txt"
	fi
}

# clean: an empty line on an empty screen.
clean() {
	# shellcheck disable=SC2317  # called by wait_for
	cleared() { [[ $(on_screen) =~ ^ipfi[^[:space:]]*\>$ ]]; }
	press C-e C-u C-l
	wait_for "$terminal_patience" cleared || not_ok "clean" "no prompt alone"
}
