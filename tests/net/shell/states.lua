-- SPDX-License-Identifier: GPL-2.0-or-later
-- Dumps of many states of both families through ipfi.c.netlink. Argument: the flows of each family that were sent
-- from ten sources. Runs in a guest.
local netlink = require "ipfi.c.netlink"
local sys = require "ipfi.c.sys"
local tap = dofile "tests/net/shell/tap.lua"

local FLOWS = math.tointeger(tonumber(arg[1]))
local SOURCES = 10

local conn = assert(netlink.open())
local ALL = { cmd = "states_dump", filter = { proto = 17, dport = { from = 5000, to = 5100 } } }

local function count(filter)
  return assert(conn:request { cmd = "states_count", filter = filter })[1].stats.states
end

local live = count(ALL.filter)
tap.is(live, 2 * FLOWS, "every flow has a state")

-- Every row, whole.
local seen, whole, doubled, by_source = 0, true, 0, {}
local keys = {}
for row in conn:dump(ALL) do
  local state = row.state
  seen = seen + 1
  local key = state.src .. " " .. state.sport
  doubled = doubled + (keys[key] and 1 or 0)
  keys[key] = true
  by_source[state.src] = (by_source[state.src] or 0) + 1
  whole = whole and row.cmd == "states_dump" and state.proto == 17 and state.state == "UDP_NEW"
    and state.dst == (state.family == 4 and "10.8.1.1" or "fd00:8::1") and state.list == "forward"
    and state.packets == 1 and state.timeout <= 3600000 and state.iif ~= state.oif
end
tap.is(conn:dump_error(), nil, "the dump ends well")
tap.is(seen, live, "it has every state")
tap.is(doubled, 0, "each once")
tap.ok(whole, "with the fields it ought to have")

-- Counted without rows: the same.
local counts, rows = conn:dump_count(ALL, "src")
tap.is(rows, seen, "counting sees as many")
local agree, sources = true, 0
for source, number in pairs(by_source) do
  sources = sources + 1
  agree = agree and counts[source] == number
end
tap.ok(agree, "and counts what the rows say")
tap.is(sources, 2 * SOURCES, "by source")
tap.is(conn:dump_count(ALL, "state.state").UDP_NEW, seen, "by state, by its whole name")
tap.is(conn:dump_count(ALL, "family")[6], FLOWS, "by family")

-- Left early, with requests in between.
local some = 0
for _ in conn:dump(ALL) do
  some = some + 1
  if some % 100 == 0 then
    count { family = 4 }
  end
  if some == 1000 then
    break
  end
end
tap.is(some, 1000, "a dump may be left")

local start = sys.monotonic()
for _ in conn:dump(ALL) do
  seen = seen - 1
end
tap.is(seen, 0, "and made again")
print(("# %d rows in %.2f s"):format(live, sys.monotonic() - start))

-- Deleting what a dump is looking at.
local deleted = 0
for row in conn:dump { cmd = "states_dump", filter = { family = 6, proto = 17 } } do
  local state = row.state
  deleted = deleted + assert(conn:request { cmd = "states_delete", filter = {
    src = { addr = state.src }, sport = { from = state.sport } } })[1].stats.states
  if deleted >= 50 then
    break
  end
end
tap.ok(deleted >= 50, "states are deleted while they are dumped", deleted)
tap.is(count { family = 6, proto = 17 }, FLOWS - deleted, "and gone")

tap.finish()
