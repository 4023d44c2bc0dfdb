-- SPDX-License-Identifier: GPL-2.0-or-later
-- The packets that were dropped last, as the module remembers them.
local address = require "ipfi.field.address"
local codec = require "ipfi.c.codec"
local columns = require "ipfi.base.columns"
local errors = require "ipfi.base.errors"
local kernel = require "ipfi.base.kernel"
local lists = require "ipfi.field.lists"
local packet = require "ipfi.packet.packet"
local ports = require "ipfi.field.ports"
local protocol = require "ipfi.field.protocol"
local running = require "ipfi.live.ruleset"
local style = require "ipfi.base.style"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local drops = {}

--- The fields of a row: { name, help }.
drops.fields = {
  { name = "time", help = "when, in seconds since the epoch" },
  { name = "reason", help = "why; help \"reasons\" explains each" },
  { name = "dir", help = "in, out or forward; what cannot be translated as it arrives counts as in" },
  { name = "iif", help = "device it came in by" },
  { name = "oif", help = "device it would have left by" },
  { name = "rule", help = "name of the rule that decided; absent for none" },
  { name = "at", help = "where that rule stands" },
  { name = "line", help = "its headers on one line" },
  { name = "family", help = "4 or 6" },
  { name = "proto", help = "protocol by name" },
  { name = "src", help = "address it came from, as it was judged" },
  { name = "sport", help = "port" },
  { name = "dst", help = "address it went to, as it was judged" },
  { name = "dport", help = "port" },
  { name = "mark", help = "its mark" },
  { name = "length", help = "bytes of the IP packet" },
  { name = "missed", help = "packets dropped between the one before and this, and only counted" },
  { name = "data", help = "its first bytes, 96 at most" },
}

local FIELD_NAMES = {}
for i, field in ipairs(drops.fields) do
  FIELD_NAMES[i] = field.name
end

local List = { __name = "drops" }
List.__index = List

local Row = { __name = "drop" }
Row.__index = Row

local function fail(message, ...)
  errors.raise("lua", "fw.drops: " .. message, ...)
end

-- Filters: each makes of its value a function (row) -> boolean.
local filter_of = {}

local function one_of(name, known)
  return function(value)
    local list = type(value) == "table" and value or { value }
    local wanted = {}
    for _, item in ipairs(list) do
      if type(item) ~= "string" or (known and not known[item]) then
        fail("%s: unknown value %s%s", name, text.quote(item),
          type(item) == "string" and suggest.hint(item, suggest.keys(known)) or "")
      end
      wanted[item] = true
    end
    return function(row)
      return wanted[row[name]] or false
    end
  end
end

local function prefix(name)
  return function(value)
    local parsed, problem = address.prefix(value)
    if not parsed then
      fail("%s: %s", name, problem)
    end
    local first, last = parsed.addr, parsed.addr
    if parsed.length then
      first, last = sys.prefix_range(parsed.addr, parsed.length)
    end
    return function(row)
      local addr = row[name]
      return addr ~= nil and sys.compare_addresses(addr, first) >= 0
        and sys.compare_addresses(addr, last) <= 0
    end
  end
end

local function port(name)
  return function(value)
    local ranges, negated = ports.parse(value, { protocol.TCP, protocol.UDP })
    if not ranges then
      fail("%s: %s", name, negated)
    end
    return function(row)
      local number = row[name]
      local inside = false
      for _, range in ipairs(number and ranges or {}) do
        inside = inside or (number >= range.from and number <= (range.to or range.from))
      end
      return number ~= nil and inside ~= negated
    end
  end
end

local function number(name, least, most)
  return function(value)
    local wanted = values.integer(value, true)
    if not wanted or wanted < least or wanted > most then
      fail("%s: expected a number from %d to %d, got %s", name, least, most, text.quote(value))
    end
    return function(row)
      return row[name] == wanted
    end
  end
end

local function proto(value)
  local wanted = values.integer(value)
  if not wanted then
    local problem
    wanted, problem = protocol.number(tostring(value))
    if not wanted then
      fail("proto: %s", problem)
    end
  end
  local name = protocol.name(wanted)
  return function(row)
    return row.proto == name
  end
end

local REASONS = {}
for _, reason in ipairs(codec.reasons()) do
  if not reason.accepted then
    REASONS[reason.name] = true
  end
end

local function any_name(name)
  return function(value)
    if type(value) ~= "string" then
      fail("%s: expected a name, got %s", name, text.quote(value))
    end
    return function(row)
      return row[name] == value
    end
  end
end

filter_of.reason = one_of("reason", REASONS)
filter_of.dir = function(value)
  local wanted = {}
  for _, item in ipairs(type(value) == "table" and value or { value }) do
    local list = lists.named(item)
    if not list then
      fail("dir: unknown value %s%s", text.quote(item),
        type(item) == "string" and suggest.hint(item, lists.names) or "")
    end
    wanted[list] = true
  end
  return function(row)
    return wanted[row.dir] or false
  end
end
filter_of.iif = any_name "iif"
filter_of.oif = any_name "oif"
filter_of.rule = any_name "rule"
filter_of.family = number("family", 4, 6)
filter_of.mark = number("mark", 0, 0xffffffff)
filter_of.proto = proto
filter_of.src, filter_of.dst = prefix "src", prefix "dst"
filter_of.sport, filter_of.dport = port "sport", port "dport"

--- Names of the fields that a filter can have.
drops.filters = suggest.keys(filter_of)

local function read_filter(filter)
  local tests = {}
  if filter ~= nil and type(filter) ~= "table" then
    fail("expected a filter { reason = 'rule-deny', src = '10.0.0.0/8' }, got %s", text.quote(filter))
  end
  for name, value in pairs(filter or {}) do
    if not filter_of[name] then
      fail("unknown filter %s%s", text.quote(name),
        type(name) == "string" and suggest.hint(name, drops.filters) or "")
    end
    tests[#tests + 1] = filter_of[name](value)
  end
  return tests
end

local function device_name(index)
  if index and index ~= 0 then
    return kernel.ifname(index) or ("#%d"):format(index)
  end
end

local function make_row(drop, rules)
  local parsed = packet.parse(drop.header)
  local rule = drop.rule and rules[drop.rule]
  return setmetatable({
    time = drop.time / 1e9,
    reason = drop.reason,
    dir = drop.list,
    iif = drop.list ~= "out" and device_name(drop.iif) or nil,
    oif = drop.list ~= "in" and device_name(drop.oif) or nil,
    rule = drop.rule and (rule and rule.name or ("#%016x"):format(drop.rule)),
    at = rule and rule.at,
    line = tostring(parsed),
    family = parsed.family,
    proto = parsed.proto,
    src = parsed.src,
    sport = parsed.sport,
    dst = parsed.dst,
    dport = parsed.dport,
    mark = drop.mark,
    length = drop.length,
    missed = drop.missed,
    data = drop.header,
  }, Row)
end

local function fits(row, tests)
  for _, test in ipairs(tests) do
    if not test(row) then
      return false
    end
  end
  return true
end

--- The packets that were dropped last, 1,024 at most.
-- @param filter optional table of reason, dir, iif, oif, rule, family, mark, proto, src, dst (addresses or
--   prefixes), sport, dport (numbers, names, ranges)
-- @return list of rows with the fields above, the newest last; a row can be given to fw.explain()
function drops.get(filter)
  local tests = read_filter(filter)
  local list, rules = setmetatable({}, List), nil
  for _, message in ipairs(kernel.list({ cmd = "drops_dump" }, "fw.drops")) do
    if message.drop then
      rules = rules or running.by_id()
      local row = make_row(message.drop, rules)
      if fits(row, tests) then
        list[#list + 1] = row
      end
    end
  end
  return list
end

local function clock(seconds)
  return os.date("%H:%M:%S", math.floor(seconds)) .. ("%.3f"):format(seconds % 1):sub(2)
end

-- The devices of its way: "eth0", "eth0>eth1".
local function way(row)
  return row.iif and row.oif and row.iif .. ">" .. row.oif or row.iif or row.oif or ""
end

function List.__show(list, st)
  if #list == 0 then
    return "no dropped packet is remembered\n"
  end
  return columns.format(st, {
    { title = "TIME", spare = 1, cell = function(row) return clock(row.time) end },
    { title = "REASON", cell = function(row) return row.reason end },
    { title = "DIR", spare = 2, cell = function(row) return row.dir end },
    { title = "WAY", cut = true, cell = way },
    { title = "PACKET", cut = true, cell = function(row) return row.line end },
    { title = "RULE", cut = true, empty = false, cell = function(row) return row.rule end },
    { title = "AT", cut = true, spare = 3, empty = false, cell = function(row) return row.at end },
    {
      title = "MISSED",
      right = true,
      empty = false,
      cell = function(row) return row.missed > 0 and st:count(row.missed) or "" end,
    },
  }, list)
end

function List.__tostring(list)
  return (List.__show(list, style.plain()):gsub("\n$", ""))
end

--- For JSON lines: the rows, their bytes as hexadecimal digits.
function List.__rows(list)
  local rows = {}
  for i, row in ipairs(list) do
    local shown = {}
    for _, name in ipairs(FIELD_NAMES) do
      shown[name] = row[name]
    end
    shown.data = row.data:gsub(".", function(c)
      return ("%02x"):format(c:byte())
    end)
    rows[i] = shown
  end
  return rows
end

function Row:__tostring()
  return ("%s %s: %s"):format(clock(self.time), self.reason, self.line)
end

return drops
