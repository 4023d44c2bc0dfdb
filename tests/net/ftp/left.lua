#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- ipfi left.lua: reads lines of two ports, those of an FTP server as its clients know it and as it is, and answers
-- each with one line: what there is of data connections that its control connections have announced, or "nothing".
-- A connection that is closing, by both sides or by a reset, is no longer counted: its time ends it.
io.stdout:setvbuf("line")
local lives = { SYN_SENT = true, SYN_RECV = true, ESTABLISHED = true }

for line in io.lines() do
  local ports = {}
  for port in line:gmatch("%d+") do
    ports[tonumber(port)] = true
  end
  local other, found = {}, {}
  local rows = {}
  for state in fw.states{ helper = "ftp" }:each() do
    rows[#rows + 1] = state
    if not state.master and not ports[state.dport] then
      other[state.id] = true
    end
  end
  for _, state in ipairs(rows) do
    if state.master and not other[state.master] and lives[state.state] then
      found[#found + 1] = ("%s %s:%d > %s:%d"):format(state.state, state.src, state.sport, state.dst, state.dport)
    end
  end
  for _, expected in ipairs(fw.expectations()) do
    if not other[expected.master] then
      found[#found + 1] = ("expected %s > %s:%d"):format(expected.src, expected.dst, expected.dport)
    end
  end
  print(#found == 0 and "nothing" or table.concat(found, ", "))
end
