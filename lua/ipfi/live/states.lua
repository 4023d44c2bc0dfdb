-- SPDX-License-Identifier: GPL-2.0-or-later
-- The state table: queries whose filter is evaluated in the kernel, and rows.
local codec = require "ipfi.c.codec"
local columns = require "ipfi.base.columns"
local errors = require "ipfi.base.errors"
local filters = require "ipfi.live.filters"
local kernel = require "ipfi.base.kernel"
local protocol = require "ipfi.field.protocol"
local running = require "ipfi.live.ruleset"
local style = require "ipfi.base.style"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local states = {}

-- Rows of a query that become one text, on a terminal and elsewhere. What prints a query takes it piece by
-- piece in so many rows, and goes through all.
local SHOWN, SHOWN_ELSEWHERE = 1000, 100000

--- The fields of a row: { name, help }; those of "quantity" are sorted by size in top().
states.fields = {
  { name = "family", help = "4 or 6" },
  { name = "proto", help = "protocol by name" },
  { name = "state", help = "name of the state" },
  { name = "guessed", help = "true when the connection was met in the middle" },
  { name = "src", help = "address of who opened it" },
  { name = "sport", help = "port, or identifier of an ICMP query" },
  { name = "dst", help = "address of the other side" },
  { name = "dport", help = "port, or identifier of an ICMP query" },
  { name = "list", help = "in, out or forward: the list that its first packet met" },
  { name = "iif", help = "interface its last packet came in by, as of the direction of the first" },
  { name = "oif", help = "interface its last packet left by, likewise" },
  { name = "nat_src", help = "what src is translated to; absent without translation" },
  { name = "nat_sport", help = "what sport is translated to" },
  { name = "nat_dst", help = "what dst is translated to; absent without translation" },
  { name = "nat_dport", help = "what dport is translated to" },
  { name = "rule", help = "name of the rule that allowed it" },
  { name = "packets", help = "packets from src", quantity = true },
  { name = "bytes", help = "bytes from src", quantity = true },
  { name = "reply_packets", help = "packets from dst", quantity = true },
  { name = "reply_bytes", help = "bytes from dst", quantity = true },
  { name = "timeout", help = "seconds left", quantity = true },
  { name = "age", help = "seconds since its first packet", quantity = true },
  { name = "mark", help = "mark of its first packet" },
  { name = "reply_seen", help = "true when both sides were seen" },
  { name = "generation", help = "the rule set that last judged it" },
  { name = "id", help = "number of this state, for its life" },
  { name = "helper", help = "the helper that watches it, or has let it in: \"ftp\"" },
  { name = "master", help = "of a data connection: id of the control connection that announced it" },
  { name = "vrf", help = "the VRF that src is in; absent for none" },
  { name = "dst_vrf", help = "the VRF that dst is in where that is another, \"\" for none" },
}

local FIELDS, FIELD_NAMES = {}, {}
for i, field in ipairs(states.fields) do
  FIELDS[field.name] = field
  FIELD_NAMES[i] = field.name
end
states.field_names = FIELD_NAMES

-- States of TCP, shown in bold blue when they are known and not guessed.
local TCP_STATE = {}
for _, name in ipairs(codec.states()) do
  TCP_STATE[name] = not name:find("^UDP_") and name ~= "ICMP" and name ~= "OTHER"
end

local function fail(message, ...)
  errors.raise("lua", "fw.states: " .. message, ...)
end

local Query = { __name = "states" }
Query.__index = Query

local Row = { __name = "state" }
Row.__index = Row

--- What rows of the kernel are finished with: names that are looked up once for a whole dump.
-- @return { rule =, iif =, oif =, proto =: functions from a number of the wire to what a row has, row =
--   function from the kernel's state to a row }
function states.finisher()
  local rules = running.names()
  local devices = setmetatable({ [0] = false }, {
    __index = function(t, index)
      local name = kernel.ifname(index) or ("#%d"):format(index)
      t[index] = name
      return name
    end,
  })
  local protos = setmetatable({}, {
    __index = function(t, number)
      local name = protocol.name(number)
      t[number] = name
      return name
    end,
  })
  local finish = {}
  -- The rule that made it may have gone with a newer rule set; its id remains.
  function finish.rule(id)
    return rules[id] or ("#%016x"):format(id)
  end
  function finish.iif(index)
    return devices[index] or nil
  end
  finish.oif, finish.vrf = finish.iif, finish.iif
  -- Said only where it differs from src's: none is a value here.
  function finish.dst_vrf(index)
    return devices[index] or ""
  end
  function finish.proto(number)
    return protos[number]
  end
  -- A row of the kernel becomes a row of Lua in place: a dump may have a million.
  function finish.row(row)
    local guessed, reply_seen = false, false
    local flags = row.flags
    if flags then
      for i = 1, #flags do
        if flags[i] == "midstream" then
          guessed = true
        elseif flags[i] == "reply_seen" then
          reply_seen = true
        end
      end
      row.flags = nil
    end
    row.guessed, row.reply_seen = guessed, reply_seen
    row.proto = protos[row.proto]
    row.iif, row.oif = devices[row.iif or 0] or nil, devices[row.oif or 0] or nil
    if row.vrf or row.dst_vrf then
      row.vrf = row.vrf and finish.vrf(row.vrf)
      row.dst_vrf = row.dst_vrf and finish.dst_vrf(row.dst_vrf)
    end
    local id = row.rule
    if id then
      row.rule = rules[id] or finish.rule(id)
    end
    row.timeout = (row.timeout or 0) / 1000
    return setmetatable(row, Row)
  end
  return finish
end

--- A query of the state table; nothing is asked before one of its methods is called.
-- @param filter table of filters.list, or nil for all states
function states.query(filter)
  return setmetatable({ filter = filters.parse(filter) }, Query)
end

local function request(query, cmd)
  return { cmd = cmd, filter = query.filter }
end

--- Iterates over the rows, read from the kernel as they are used: for row in q:each() do ... end
function Query:each()
  local next_message = kernel.dump(request(self, "states_dump"), "fw.states")
  local finish
  return function()
    local message
    repeat
      message = next_message()
    until message == nil or message.state
    if message == nil then
      return nil
    end
    finish = finish or states.finisher()
    return finish.row(message.state)
  end
end

--- How many states match.
function Query:count()
  local answer = kernel.ask(request(self, "states_count"), "fw.states")
  return answer.stats and answer.stats.states or 0
end

--- Ends the states that match. Their connections must pass the rules again.
-- @return how many
function Query:kill()
  local answer = kernel.ask(request(self, "states_delete"), "fw.states")
  return answer.stats and answer.stats.states or 0
end

local function check_field(name)
  if not FIELDS[name] then
    fail("unknown field %s%s", text.quote(name), type(name) == "string" and suggest.hint(name,
      FIELD_NAMES) or "")
  end
end

-- A table from value to number that shows itself sorted, the greatest first.
local Counts = { __name = "counts" }

local function sorted(counts)
  local list = {}
  for value, count in next, counts do
    list[#list + 1] = { value, count }
  end
  table.sort(list, function(a, b)
    if a[2] ~= b[2] then
      return a[2] > b[2]
    elseif math.type(a[1]) and math.type(b[1]) then
      return a[1] < b[1]
    end
    return tostring(a[1]) < tostring(b[1])
  end)
  return list
end

function Counts.__show(counts, st)
  local list = sorted(counts)
  if #list == 0 then
    return "none\n"
  end
  return columns.format(st, {
    { title = "VALUE", cut = true, cell = function(row) return tostring(row[1]) end },
    { title = "STATES", right = true, cell = function(row) return st:count(row[2]) end },
  }, list)
end

function Counts.__tostring(counts)
  return (Counts.__show(counts, style.plain()):gsub("\n$", ""))
end

-- Fields that a dump can be counted by without making rows.
local COUNTED = {
  family = true, proto = true, state = true, src = true, dst = true, sport = true, dport = true, list = true,
  iif = true, oif = true, rule = true, mark = true, generation = true, nat_src = true, nat_sport = true,
  nat_dst = true, nat_dport = true, helper = true, master = true, vrf = true, dst_vrf = true,
}

--- Counts the states by the value of a field.
-- @param field a name of states.fields
-- @return { value = count }; states without the field count under "none"
function Query:count_by(field)
  check_field(field)
  local counts = setmetatable({}, Counts)
  local raw, rest
  if COUNTED[field] then
    raw, rest = kernel.count(request(self, "states_dump"), "state." .. field, "fw.states")
  end
  if raw then
    local finish = states.finisher()[field]
    for value, count in pairs(raw) do
      local name = value
      if finish then
        name = finish(value)
      end
      if name == nil then
        name = "none"
      end
      counts[name] = (counts[name] or 0) + count
      rest = rest - count
    end
    if rest > 0 then
      counts.none = (counts.none or 0) + rest
    end
    return counts
  end
  for row in self:each() do
    local value = row[field]
    if value == nil then
      value = "none"
    end
    counts[value] = (counts[value] or 0) + 1
  end
  return counts
end

local function rows_of(fields)
  return {
    __name = "list",
    __show = function(list, st)
      return fields(list, st)
    end,
  }
end

-- The n rows with the most of a quantity, in order; never more than n are kept.
local function largest(query, n, field)
  local best = {}
  for row in query:each() do
    local amount = row[field] or 0
    if #best < n or amount > (best[n][field] or 0) then
      local place = #best + 1
      while place > 1 and (best[place - 1][field] or 0) < amount do
        place = place - 1
      end
      table.insert(best, place, row)
      best[n + 1] = nil
    end
  end
  return best
end

local table_of

--- The top of the list: by default the sources with the most states.
-- @param n how many
-- @param field of states.fields ("src" when absent). Of a quantity, like bytes, the rows that have most of
--   it; of any other, its commonest values as { [field] = value, states = count }
-- @return list
function Query:top(n, field)
  field = field or "src"
  check_field(field)
  local most = values.integer(n)
  if not most or most < 1 then
    fail("top: expected how many, from 1 on, got %s", text.quote(n))
  end
  if FIELDS[field].quantity then
    return setmetatable(largest(self, most, field), rows_of(function(list, st)
      return table_of(st, list)
    end))
  end
  local list = {}
  for i, pair in ipairs(sorted(self:count_by(field))) do
    if i > most then
      break
    end
    list[i] = { [field] = pair[1], states = pair[2] }
  end
  return setmetatable(list, rows_of(function(rows, st)
    if #rows == 0 then
      return "none\n"
    end
    return columns.format(st, {
      { title = field:upper(), cut = true, cell = function(row) return tostring(row[field]) end },
      { title = "STATES", right = true, cell = function(row) return st:count(row.states) end },
    }, rows)
  end))
end

--- An address and a port as one text: "10.0.0.1:80", "[fd00::1]:80"; port 0 or nil is left out.
function states.end_point(host, number)
  if not number or number == 0 then
    return host
  elseif host:find(":", 1, true) then
    return ("[%s]:%d"):format(host, number)
  end
  return ("%s:%d"):format(host, number)
end

-- The "ports" of an ICMP query are both its identifier.
local function is_icmp(row)
  return row.proto == "icmp" or row.proto == "icmpv6"
end

local function side(row, host, number)
  return is_icmp(row) and ("%s id %d"):format(host, number or 0) or states.end_point(host, number)
end

local function source(row)
  return side(row, row.src, row.sport)
end

local function destination(row)
  return is_icmp(row) and row.dst or states.end_point(row.dst, row.dport)
end

-- What a side is translated to, or nil.
local function new_source(row)
  return row.nat_src and side(row, row.nat_src, row.nat_sport)
end

local function new_destination(row)
  return row.nat_dst and (is_icmp(row) and row.nat_dst or states.end_point(row.nat_dst, row.nat_dport))
end

-- A column with a side of the connection. On a terminal its translation stands in a line below, elsewhere
-- behind it: lines are what other programs count.
local function side_column(st, title, old, new)
  if st.width then
    return {
      title = title,
      cut = true,
      cell = old,
      under = function(row)
        local to = new(row)
        return to and "→ " .. to
      end,
    }
  end
  return {
    title = title,
    cell = function(row)
      local to = new(row)
      return to and ("%s → %s"):format(old(row), to) or old(row)
    end,
  }
end

-- "ftp 7" is a control connection and its number, "of 7" a data connection that it announced.
local function helper(row)
  if row.master then
    return ("of %d"):format(row.master)
  end
  return row.helper and ("%s %d"):format(row.helper, row.id or 0) or ""
end

-- "blue", or "blue>red" between two; of what is in none nothing is shown.
local function vrf(row)
  return (row.vrf or "") .. (row.dst_vrf and ">" .. row.dst_vrf or "")
end

--- The name of a row's state as it is shown: a guess has a question mark.
function states.shown(row)
  return row.guessed and row.state .. "?" or row.state
end

local function columns_of(st)
  local function devices(row)
    return (row.iif or "") .. (row.oif and ">" .. row.oif or "")
  end
  return {
    { title = "PROTO", cell = function(row) return row.proto end },
    {
      title = "STATE",
      cell = states.shown,
      paint = function(cell, row)
        return TCP_STATE[row.state] and not row.guessed and st:paint("state", cell) or cell
      end,
    },
    side_column(st, "SOURCE", source, new_source),
    side_column(st, "DESTINATION", destination, new_destination),
    { title = "HELPER", empty = false, cell = helper },
    { title = "VRF", spare = 3, empty = false, cell = vrf },
    { title = "DEVICES", spare = 3, empty = false, cell = devices },
    { title = "RULE", cut = true, spare = 1, cell = function(row) return row.rule end },
    { title = "PKTS", right = true, spare = 4, cell = function(row) return st:count(row.packets) end },
    { title = "REPLY", right = true, spare = 5, cell = function(row) return st:count(row.reply_packets) end },
    { title = "BYTES", right = true, cell = function(row) return st:bytes(row.bytes) end },
    { title = "REPLY", right = true, spare = 2, cell = function(row) return st:bytes(row.reply_bytes) end },
    { title = "LEFT", right = true, cell = function(row) return st:duration(row.timeout) end },
  }
end

function table_of(st, rows)
  return #rows > 0 and columns.format(st, columns_of(st), rows) or "no states\n"
end

--- Prints a query: all its rows, in pieces, as long as somebody reads them.
function Query:__print(st, write)
  local most = st.human and SHOWN or SHOWN_ELSEWHERE
  local formatter, rows, written = columns.formatter(st, columns_of(st)), {}, false
  for row in self:each() do
    rows[#rows + 1] = row
    if #rows == most then
      if not write(formatter:add(rows)) then
        return
      end
      rows, written = {}, true
    end
  end
  if #rows > 0 then
    write(formatter:add(rows))
  elseif not written then
    write "no states\n"
  end
end

--- A query as one text: its rows, cut when there are very many.
function Query:__show(st)
  local most = st.human and SHOWN or SHOWN_ELSEWHERE
  local rows = {}
  for row in self:each() do
    rows[#rows + 1] = row
    if #rows == most then
      break
    end
  end
  local shown = table_of(st, rows)
  local all = #rows == most and self:count() or 0
  if all > most then
    shown = ("%s... and %d more (q:each() goes through all)\n"):format(shown, all - most)
  end
  return shown
end

function Query:__tostring()
  return (Query.__show(self, style.plain()):gsub("\n$", ""))
end

--- For JSON lines: an iterator over all rows.
function Query:__rows()
  return self:each()
end

function Row:__tostring()
  local function both(old, new)
    return new and ("%s (%s)"):format(old, new) or old
  end
  return ("%s %s %s > %s"):format(self.proto, states.shown(self), both(source(self), new_source(self)),
    both(destination(self), new_destination(self)))
end

return states
