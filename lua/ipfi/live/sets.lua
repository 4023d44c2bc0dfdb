-- SPDX-License-Identifier: GPL-2.0-or-later
-- Dynamic sets: addresses and networks that come and go while the rules stay. A policy declares them, the
-- kernel keeps their members.
local address = require "ipfi.field.address"
local columns = require "ipfi.base.columns"
local duration = require "ipfi.field.duration"
local errors = require "ipfi.base.errors"
local json = require "ipfi.base.json"
local kernel = require "ipfi.base.kernel"
local style = require "ipfi.base.style"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"

local sets = {}

-- Members in a message: at most 40 bytes each, and 64 KiB is the most a message's part can hold.
local BATCH = 1500

-- The kernel counts milliseconds in 32 bits.
local TIMEOUT_MOST = 4294967

-- Members that are shown on a terminal; :each(), :list() and -j have all.
local SHOWN = 1000

local Set = { __name = "dynamic set" }
Set.__index = Set

local Row = { __name = "member" }
Row.__index = Row

local List = { __name = "members" }

local function fail(set, what, message, ...)
  errors.raise("lua", "fw.set(%s)%s: " .. message, text.quote(set.name), what, ...)
end

local function names()
  local list = {}
  for message in kernel.dump({ cmd = "sets_dump" }, "fw.sets") do
    list[#list + 1] = message.set and message.set.name
  end
  return list
end

-- A request about a set that no policy declares is answered with what to write there.
local function explain(set, problem)
  if not errors.is(problem) or problem.name ~= "ENOENT" or problem.kind ~= "refused" then
    error(problem, 0)
  end
  errors.raise("refused", "the running policy declares no dynamic set %s%s; this line in it would: "
    .. "local %s = set { name = \"%s\", dynamic = true }", text.quote(set.name),
    suggest.hint(set.name, names()), set.name:gsub("^%d", "_%0"):gsub("%W", "_"), set.name)
end

local function ask(set, cmd, members, doing)
  local ok, answer = pcall(kernel.ask, { cmd = cmd, set = { name = set.name, member = members } },
    ("fw.set('%s'):%s"):format(set.name, doing))
  if not ok then
    explain(set, answer)
  end
  return answer.set or {}
end

-- The members that a caller names, as the messages have them; an error says which is wrong.
local function members_of(set, what, value, timeout)
  if value == nil then
    fail(set, what, "expected an address, a prefix or a list of these, got nil")
  end
  local list = type(value) == "table" and value or { value }
  local members = {}
  for key, item in pairs(list) do
    if math.type(key) ~= "integer" then
      fail(set, what, "expected an address, a prefix or a list of these; the list has the key %s",
        text.quote(key))
    end
    local parsed, problem = address.member(item)
    if not parsed then
      fail(set, what, "%s", problem)
    end
    parsed.timeout = timeout
    members[#members + 1] = parsed
  end
  return members
end

-- Sends members in as many messages as they need; returns how many came or went.
local function change(set, cmd, members, doing)
  local changed = 0
  for first = 1, #members, BATCH do
    local batch = table.move(members, first, math.min(first + BATCH - 1, #members), 1, {})
    changed = changed + (ask(set, cmd, batch, doing).changed or 0)
  end
  return changed
end

local function check_options(set, options)
  if options == nil then
    return nil
  elseif type(options) ~= "table" then
    fail(set, ":add", "expected { timeout = seconds }, got %s", text.quote(options))
  end
  for name in pairs(options) do
    if name ~= "timeout" then
      fail(set, ":add", "unknown option %s%s", text.quote(name),
        type(name) == "string" and suggest.hint(name, { "timeout" }) or "")
    end
  end
  if options.timeout == nil then
    return nil
  end
  local timeout, problem = duration.milliseconds(options.timeout, TIMEOUT_MOST)
  if not timeout then
    fail(set, ":add", "timeout: %s", problem)
  end
  return timeout
end

--- Adds members; one that is there gets the new time-out. Live connections are judged again.
-- @param value an address, a prefix, or a list of these, of both families
-- @param options nil, or { timeout = seconds or text like "10m" }; without one they stay until they are
--   deleted
-- @return how many were not there before
function Set:add(value, options)
  local timeout = check_options(self, options)
  return change(self, "set_add", members_of(self, ":add", value, timeout), "add")
end

--- Deletes members. Live connections are judged again.
-- @param value an address, a prefix, or a list of these: as they were added
-- @return how many were there
function Set:del(value)
  return change(self, "set_delete", members_of(self, ":del", value), "del")
end

--- Deletes all members.
-- @return how many there were
function Set:flush()
  return ask(self, "set_delete", nil, "flush").changed or 0
end

--- How many members there are.
function Set:count()
  return ask(self, "set_add", nil, "count").members or 0
end

local function dump(set, member, doing)
  local next_message = kernel.dump({ cmd = "sets_dump", set = { name = set.name, member = member } },
    ("fw.set('%s'):%s"):format(set.name, doing))
  return function()
    local ok, message = pcall(next_message)
    if not ok then
      explain(set, message)
    end
    return message
  end
end

local function row_of(member)
  local whole = member.length == (member.addr:find(":", 1, true) and 128 or 32)
  return setmetatable({
    address = whole and member.addr or ("%s/%d"):format(member.addr, member.length),
    timeout = member.timeout and member.timeout / 1000,
  }, Row)
end

--- Iterates over the members, IPv4 before IPv6 and by their addresses: for row in set:each() do ... end
-- A row has address ("192.0.2.1", "2001:db8::/32") and timeout (seconds left, nil for ever).
function Set:each()
  local next_message, members, place = dump(self, nil, "each"), {}, 0
  return function()
    place = place + 1
    while not members[place] do
      local message = next_message()
      if not message then
        return nil
      end
      members, place = message.set and message.set.member or {}, 1
    end
    return row_of(members[place])
  end
end

--- The members as a list of rows.
function Set:list()
  local list = json.list(setmetatable({}, List))
  for row in self:each() do
    list[#list + 1] = row
  end
  return list
end

--- Is an address, or a whole network, in the set? A network that is a member has all its addresses.
-- @return true and the longest member that contains it, as text; or false
function Set:has(value)
  if type(value) ~= "string" then
    fail(self, ":has", "expected an address or a prefix, got %s", text.quote(value))
  end
  local found
  for message in dump(self, members_of(self, ":has", value), "has") do
    local members = message.set and message.set.member
    found = found or (members and members[1])
  end
  if found then
    return true, row_of(found).address
  end
  return false
end

local function table_of(st, rows)
  return columns.format(st, {
    { title = "ADDRESS", cell = function(row) return row.address end },
    {
      title = "LEFT", right = true,
      cell = function(row) return row.timeout and st:duration(row.timeout) or "ever" end,
    },
  }, rows)
end

function List.__show(list, st)
  return #list > 0 and table_of(st, list) or "no members\n"
end

function List.__tostring(list)
  return (List.__show(list, style.plain()):gsub("\n$", ""))
end

function Row:__tostring()
  return self.address
end

--- How the prompt shows a set: its members, cut when there are very many.
function Set:__show(st)
  local rows, more = {}, 0
  for row in self:each() do
    if st.human and #rows == SHOWN then
      more = more + 1
    else
      rows[#rows + 1] = row
    end
  end
  local head = ("set '%s': %s\n"):format(text.escape(self.name), text.plural(#rows + more, "member"))
  if #rows == 0 then
    return head
  end
  return head .. table_of(st, rows) .. (more > 0 and ("... and %d more (set:each() goes through all)\n")
    :format(more) or "")
end

function Set:__tostring()
  return (Set.__show(self, style.plain()):gsub("\n$", ""))
end

--- For JSON lines: an iterator over all members.
function Set:__rows()
  return self:each()
end

--- A dynamic set of the running policy. Nothing is asked before one of its methods is called.
-- @param name of the set
function sets.get(name)
  local problem = address.bad_set_name(name)
  if problem then
    errors.raise("lua", "fw.set: %s", problem)
  end
  return setmetatable({ name = name }, Set)
end

local All = { __name = "sets" }

--- All dynamic sets, by name.
-- @return list of { name =, members = how many }
function sets.all()
  local list = json.list(setmetatable({}, All))
  for message in kernel.dump({ cmd = "sets_dump" }, "fw.sets") do
    if message.set then
      list[#list + 1] = { name = message.set.name, members = message.set.members or 0 }
    end
  end
  return list
end

function All.__show(list, st)
  if #list == 0 then
    return "no dynamic sets\n"
  end
  return columns.format(st, {
    { title = "SET", cell = function(row) return row.name end },
    { title = "MEMBERS", right = true, cell = function(row) return st:count(row.members) end },
  }, list)
end

function All.__tostring(list)
  return (All.__show(list, style.plain()):gsub("\n$", ""))
end

--- The names of the dynamic sets.
sets.names = names

return sets
