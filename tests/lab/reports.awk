# SPDX-License-Identifier: GPL-2.0-or-later
# Prints what a kernel's console reports as wrong between the lines "lab: start" and "lab: end", each with the
# lines that follow it; nothing when there is nothing. A panic counts wherever it stands.

function start(lines) {
	if (left == 0 && reports++ >= max_reports)
		return
	left = lines
}

BEGIN { max_reports = 5 }

/lab: start/ { running = 1; next }
/lab: end/ { running = left = 0 }

# Where the RCU reader is, is said four lines after the report begins. User-mode Linux 6.1 walks a process's maple
# tree at fork without the lock that lockdep wants: known, its own, and once for each place in lib/maple_tree.c.
/WARNING: suspicious RCU usage/ { held = 5; next }
held > 0 {
	held--
	if (/lib\/maple_tree\.c:[0-9]+ suspicious/)
		held = 0
	else if (/suspicious rcu/ || held == 0) {
		held = 0
		if (running)
			start(60)
	}
}

# The messages of the kernel's own checkers, by the words they begin with in 6.1 and later.
/Kernel panic|Oops|general protection fault|unable to handle/ { start(60) }
running && /------------\[ cut here \]/ { start(60) }
running && /BUG:|WARNING:|KASAN|UBSAN|KFENCE|KCSAN/ { start(60) }
running && /possible (recursive|circular|irq|deadlock)|inconsistent lock state/ { start(60) }
running && /INFO: (rcu|task |trying to register|possible)|rcu: INFO|rcu_.*detected|soft lockup|hard LOCKUP/ { start(40) }
running && /ODEBUG|refcount_t:|list_(add|del).*corruption|sleeping function called|scheduling while atomic/ { start(40) }
running && /bad: scheduling|Objects remaining|Slab .* not freed|kmemleak: .* unreferenced|unreferenced object/ { start(40) }
running && /unregister_netdevice: waiting|Out of memory|hung_task/ { start(20) }

left > 0 { print; left-- }
