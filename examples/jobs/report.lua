#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- For cron, or for a look: the live states by protocol, rule and source. As text, or with -j as JSON lines:
--
--     55 23 * * *  root  ipfi /etc/ipfi/jobs/report.lua | mail -s "firewall" admin
--     ipfi -j report.lua top=20 | jq -r 'select(.src) | .src'
--
--   top   how many values of each to show (10)

local top = math.tointeger(tonumber(args.top or 10))
if not top then
  error(("report: top=%s is no number"):format(args.top), 0)
end

-- JSON lines explain themselves by their keys; text has headings.
local function heading(line)
  if fw.output == "text" then
    print(("\n%s"):format(line))
  end
end

local stats = fw.stats()
if fw.output == "text" then
  print(("%d states of %d, most ever %d"):format(stats.states, stats.max_states, stats.states_peak))
else
  fw.print { states = stats.states, max_states = stats.max_states, states_peak = stats.states_peak }
end

local states = fw.states()
for _, by in ipairs { { "proto", "By protocol" }, { "rule", "By rule" }, { "src", "By source" } } do
  local field, title = table.unpack(by)
  heading(title)
  fw.print(states:top(top, field))
end

-- Why packets were dropped since the module was loaded, the commonest reason first.
local reasons = {}
for reason, packets in pairs(stats.drops) do
  if packets > 0 then
    reasons[#reasons + 1] = { reason = reason, packets = packets }
  end
end
table.sort(reasons, function(a, b)
  return a.packets > b.packets or (a.packets == b.packets and a.reason < b.reason)
end)
if #reasons > 0 then
  heading("Dropped packets")
  for _, row in ipairs(reasons) do
    if fw.output == "text" then
      print(("%-14s %d"):format(row.reason, row.packets))
    else
      fw.print(row)
    end
  end
end
