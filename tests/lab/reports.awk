# SPDX-License-Identifier: GPL-2.0-or-later
# Prints what a kernel's console reports as wrong after the line "lab: start", each with the lines that
# follow it; nothing when there is nothing. A panic counts even before that line.

function start(lines) {
	if (left == 0 && reports++ >= max_reports)
		return
	left = lines
}

BEGIN { max_reports = 5 }

/lab: start/ { running = 1; next }

# The messages of the kernel's own checkers, by the words they begin with in 6.1 and later.
/Kernel panic|Oops|general protection fault|unable to handle/ { start(60) }
running && /BUG:|WARNING:|KASAN|UBSAN|KFENCE|KCSAN/ { start(60) }
running && /possible (recursive|circular|irq|deadlock)|inconsistent lock state|suspicious RCU usage/ { start(60) }
running && /INFO: (rcu|task |trying to register|possible)|rcu: INFO|rcu_.*detected|soft lockup|hard LOCKUP/ { start(40) }
running && /ODEBUG|refcount_t:|list_(add|del).*corruption|sleeping function called|scheduling while atomic/ { start(40) }
running && /bad: scheduling|Objects remaining|Slab .* not freed|kmemleak: .* unreferenced|unreferenced object/ { start(40) }
running && /unregister_netdevice: waiting|Out of memory|hung_task/ { start(20) }

left > 0 { print; left-- }
