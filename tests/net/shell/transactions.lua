-- SPDX-License-Identifier: GPL-2.0-or-later
-- Transactions, refusals and events of the module through ipfi.c.netlink. Runs in a guest.
local netlink = require "ipfi.c.netlink"
local tap = dofile "tests/net/shell/tap.lua"

local RULES = 3000

local conn = assert(netlink.open())

local function info()
  return assert(conn:request { cmd = "info" })[1].info
end

local function rule(i)
  return { cmd = "rule_add", rule = {
    name = "rule " .. i, lists = { "in", "forward" }, verdict = i % 2 == 0 and "allow" or "deny",
    src = { ranges = { { from = ("10.%d.%d.0"):format(i >> 8 & 255, i & 255), to = "10.255.255.255" } } },
    proto = { { from = 6 } }, dport = { { from = i % 65536 }, { from = 1, to = 2 } }, at = "test.lua:" .. i,
    written = ('{"i":%d}'):format(i),
  } }
end

-- A transaction of count rules; change(list) may spoil it.
local function transaction(count, change)
  local list = { { cmd = "ruleset_begin", flags = { "ack" }, ruleset = { name = "many", default_in = "allow",
    default_out = "allow", default_forward = "allow" } } }
  for i = 1, count do
    list[i + 1] = rule(i)
  end
  list[count + 2] = { cmd = "ruleset_commit", flags = { "ack" }, commit = { states = "recheck" } }
  if change then
    change(list)
  end
  return list
end

local function dump(message)
  local rows = {}
  for row in conn:dump(message) do
    rows[#rows + 1] = row
  end
  return rows, conn:dump_error()
end

tap.is(math.type(info().generation), "integer", "info has the generation")

-- Commit, and read it back.
local before = info().generation
local start = os.time()
local ok, reply = conn:stream(transaction(RULES))
tap.ok(ok, "a transaction of many rules is committed", type(reply) == "table" and reply.message)
tap.is(reply.info and reply.info.rules, RULES, "the commit answers how many rules run")
tap.is(info().generation, before + 1, "the generation is the next")
tap.ok(os.time() - start < 60, "in time", os.time() - start)
local rows, err = dump { cmd = "rules_dump" }
tap.is(err, nil, "the rules are dumped")
tap.is(#rows, RULES + 1, "all of them, and the head")
tap.is(rows[1].info.name, "many", "which has the name")
tap.is(rows[1].ruleset.default_in, "allow", "and the defaults")
local same = true
for i = 1, RULES do
  local got, wanted = rows[i + 1] and rows[i + 1].rule or {}, rule(i).rule
  same = same and got.name == wanted.name and got.verdict == wanted.verdict and got.at == wanted.at
    and got.written == wanted.written and got.packets == 0 and got.id ~= 0
end
tap.ok(same, "each as it was sent, in order")

-- Refusals: which message, which attribute, and nothing changed.
local refusals = {
  { "a range that ends before it begins", { name = "EINVAL", attr = "rule.dport[2].to" }, function(message)
    message.rule.dport = { { from = 1 }, { from = 9, to = 3 } }
  end },
  { "a port that is none", { name = "ERANGE", attr = "rule.sport[1].from" }, function(message)
    message.rule.sport = { { from = 70000 } }
  end },
  { "a rule without a name", { name = "EINVAL", attr = "rule.name" }, function(message)
    message.rule.name = nil
  end },
  { "two rules of one name", { name = "EEXIST" }, function(message)
    message.rule.name = "rule 1"
  end },
  { "flags that do not exist", { name = "EINVAL", attr = "rule.flags" }, function(message)
    message.rule.flags = { "stateful", 31 }
  end },
}
for _, refusal in ipairs(refusals) do
  local name, wanted, spoil = table.unpack(refusal)
  local generation = info().generation
  local position = RULES // 2
  local _, why, index = conn:stream(transaction(RULES, function(list) spoil(list[position]) end))
  tap.refused(why, wanted, name .. " is refused")
  tap.is(index, position, name .. " is found among many")
  conn:request { cmd = "ruleset_abort" }
  tap.is(info().generation, generation, name .. " changes nothing")
end

local _, stale = conn:stream(transaction(2, function(list)
  list[4].commit.expect = info().generation + 5
end))
tap.refused(stale, { name = "ESTALE", attr = "commit.expect" }, "a commit that was overtaken")
conn:request { cmd = "ruleset_abort" }

local _, limit = conn:request { cmd = "limits_set", limits = { icmp = 0 } }
tap.refused(limit, { name = "ERANGE", attr = "limits.icmp" }, "a limit below its least")
local _, unknown = conn:request { cmd = 200 }
tap.refused(unknown, { name = "EOPNOTSUPP" }, "a command that does not exist")
local _, broken = dump { cmd = "states_dump", filter = { src = { addr = "10.0.0.0", length = 40 } } }
-- The end of a dump that fails carries the kernel's words, and no place in the request.
tap.refused(broken, { name = "EINVAL", message = "a prefix longer than its address" }, "a filter of a dump")

-- A transaction dies with its socket.
local other = assert(netlink.open())
assert(other:request { cmd = "ruleset_begin", ruleset = { name = "unfinished" } })
other:close()
tap.is(dump { cmd = "rules_dump" }[1].info.name, "many", "an unfinished transaction changes nothing")

-- Events.
local listener = assert(netlink.open())
assert(listener:subscribe "ruleset")
tap.is(#assert(listener:events(0)), 0, "no event yet")
assert(conn:stream(transaction(1)))
local events = assert(listener:events(10))
tap.is(events[1] and events[1].cmd, "event_ruleset", "a commit is an event")
tap.is(events[1] and events[1].info.generation, info().generation, "with its generation")

tap.finish()
