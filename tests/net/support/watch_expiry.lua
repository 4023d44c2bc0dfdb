#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- ipfi watch_expiry.lua seconds=N: watches all live states until none is left or the time is up, and prints
-- "late L early E left N": how many milliseconds after its deadline a state was still seen at most, how many
-- before it one was missed at most, and how many are left.
--
-- No slack is needed for a slow machine: a dump shows a state at some moment between its start and its end, and
-- whichever of the two speaks for the kernel is taken.
local sys = require "ipfi.c.sys"

local alive = {}
local late, early, left = 0, 0
local finish = sys.monotonic() + tonumber(args.seconds)
repeat
  local start = sys.monotonic()
  local rows = {}
  for row in fw.states():each() do
    rows[table.concat({ row.proto, row.src, row.sport, row.dst, row.dport }, " ")] = row.timeout
  end
  local stop = sys.monotonic()
  left = 0
  for key, timeout in pairs(rows) do
    left = left + 1
    local known = alive[key]
    if not known then
      alive[key] = { soonest = start + timeout, latest = stop + timeout }
    else
      late = math.max(late, start - known.latest)
    end
  end
  for key, known in pairs(alive) do
    if not rows[key] then
      early = math.max(early, known.soonest - stop)
      alive[key] = nil
    end
  end
until left == 0 or stop > finish
print(("late %.0f early %.0f left %d"):format(late * 1000, early * 1000, left))
