-- SPDX-License-Identifier: GPL-2.0-or-later
-- Answers questions about packets, one a line: "explain PACKET", a packet table as Lua text, with "verdict reason rule
-- state source > destination", or "count REASON" with the number of packets counted so.
for line in io.stdin:lines() do
  local cmd, rest = line:match("^(%S+) ?(.*)$")
  if cmd == "explain" then
    local j = fw.explain(load("return " .. rest)())
    local nat = j.nat and ("%s %s > %s %s"):format(j.nat.src, j.nat.sport or "-", j.nat.dst, j.nat.dport or "-")
    print(("%s %s %s %s %s"):format(j.verdict, j.reason, (j.rule or "-"):gsub(" ", "_"), j.state or "-", nat or "-"))
  else
    local counted = fw.stats()
    print(counted.drops[rest] or counted.passes[rest] or 0)
  end
  io.stdout:flush()
end
