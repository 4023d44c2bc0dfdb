-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the options said, for those who print, log and wait. Filled in by main before anything runs.
return {
  json = false, -- -j: JSON lines
  quiet = false, -- -q
  verbose = 0, -- how many -v
  syslog = false, -- --syslog
  color = "auto", -- --color
  lock_wait = 0, -- --lock-wait, seconds
  paged = false, -- at the prompt: what is longer than the screen goes through a pager
}
