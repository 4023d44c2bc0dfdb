-- SPDX-License-Identifier: GPL-2.0-or-later
-- Connections that helpers expect: each is let in once, when it comes in time.
local columns = require "ipfi.base.columns"
local kernel = require "ipfi.base.kernel"
local states = require "ipfi.live.states"
local style = require "ipfi.base.style"
local text = require "ipfi.base.text"

local expectations = {}

--- The fields of a row: { name, help }.
expectations.fields = {
  { name = "family", help = "4 or 6" },
  { name = "proto", help = "protocol by name" },
  { name = "src", help = "address of who will open it, from any port" },
  { name = "dst", help = "address that it will be opened to" },
  { name = "dport", help = "port that it will be opened to" },
  { name = "nat_dst", help = "what dst will be translated to; absent without translation" },
  { name = "nat_dport", help = "what dport will be translated to" },
  { name = "helper", help = "the helper that expects it" },
  { name = "master", help = "id of the state that announced it" },
  { name = "rule", help = "name of that state's rule" },
  { name = "timeout", help = "seconds left" },
}

local List = { __name = "expectations" }
List.__index = List

local Row = { __name = "expectation" }
Row.__index = Row

--- What is expected now.
-- @return list of rows with the fields above, those with the least time left first
function expectations.get()
  local list, finish = setmetatable({}, List), nil
  for message in kernel.dump({ cmd = "expectations_dump" }, "fw.expectations") do
    local row = message.expectation
    if row then
      finish = finish or states.finisher()
      row.proto = finish.proto(row.proto)
      row.rule = row.rule and finish.rule(row.rule)
      row.timeout = (row.timeout or 0) / 1000
      list[#list + 1] = setmetatable(row, Row)
    end
  end
  table.sort(list, function(a, b)
    return a.timeout < b.timeout
  end)
  return list
end

local function target(row)
  return row.nat_dst and states.end_point(row.nat_dst, row.nat_dport) or ""
end

function List.__show(list, st)
  if #list == 0 then
    return "nothing is expected\n"
  end
  return columns.format(st, {
    { title = "PROTO", cell = function(row) return row.proto end },
    { title = "SOURCE", cut = true, cell = function(row) return row.src end },
    {
      title = "DESTINATION",
      cut = true,
      cell = function(row) return states.end_point(row.dst, row.dport) end,
    },
    { title = "GOES TO", cut = true, empty = false, cell = target },
    { title = "HELPER", cell = function(row) return row.helper end },
    { title = "MASTER", right = true, spare = 2, cell = function(row) return tostring(row.master or "") end },
    { title = "RULE", cut = true, spare = 1, cell = function(row) return row.rule end },
    { title = "LEFT", right = true, cell = function(row) return st:duration(row.timeout) end },
  }, list)
end

function List.__tostring(list)
  return (List.__show(list, style.plain()):gsub("\n$", ""))
end

--- For JSON lines: the rows.
function List.__rows(list)
  return list
end

function Row:__tostring()
  return ("%s %s > %s (%s)"):format(self.proto, self.src, states.end_point(self.dst, self.dport),
    text.escape(self.rule or "?"))
end

return expectations
