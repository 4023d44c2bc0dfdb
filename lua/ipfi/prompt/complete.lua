-- SPDX-License-Identifier: GPL-2.0-or-later
-- Completion at the prompt: what could stand where the cursor is, found by reading the line up to there.
local codec = require "ipfi.c.codec"
local dscp = require "ipfi.field.dscp"
local events = require "ipfi.live.events"
local fields = require "ipfi.field.list"
local filters = require "ipfi.live.filters"
local help = require "ipfi.prompt.help"
local helper = require "ipfi.field.helper"
local icmp = require "ipfi.field.icmp"
local limits = require "ipfi.field.limits"
local packet = require "ipfi.packet.packet"
local policy = require "ipfi.policy.policy"
local protocol = require "ipfi.field.protocol"
local rule = require "ipfi.policy.rule"
local running = require "ipfi.live.ruleset"
local sets = require "ipfi.live.sets"
local states = require "ipfi.live.states"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local complete = {}

local KEYWORDS = {
  "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
  "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
}

-- Reads Lua up to the cursor. Returns { braces = open brackets, each { head = word or key before it, key =
-- the last key inside, fresh = true where a new element begins }, string = quote when the cursor is in a
-- string, from = where that begins, before = the word that stands right before it }.
local function read(source)
  local scan = { braces = { { fresh = true } } }
  local at, last = 1, nil
  local function top()
    return scan.braces[#scan.braces]
  end
  while at <= #source do
    local word = source:match("^[%a_][%w_%.:]*", at)
    local c = source:sub(at, at)
    if word then
      last, at = word, at + #word
      top().fresh = false
    elseif source:find("^%-%-", at) then
      at = (source:find("\n", at, true) or #source) + 1
    elseif c == '"' or c == "'" then
      local stop = at + 1
      while stop <= #source and source:sub(stop, stop) ~= c do
        stop = stop + (source:sub(stop, stop) == "\\" and 2 or 1)
      end
      if stop > #source then
        scan.quote = c
        scan.from = at + 1
        scan.before = source:sub(1, at - 1):match "([%a_][%w_.:]*)%s*$"
        return scan, last
      end
      at = stop + 1
      last = nil
      top().fresh = false
    elseif c == "{" or c == "(" then
      local above = top()
      -- Braces among the arguments of a call belong to it: fw.commit(p, {
      local head = last or (c == "{" and above.round and above.head or nil)
      scan.braces[#scan.braces + 1] = { head = head, under = above.key, fresh = c == "{", round = c == "(" }
      at, last = at + 1, nil
    elseif c == "}" or c == ")" then
      if #scan.braces > 1 then
        local closed = table.remove(scan.braces)
        -- The second braces of a group hold its rules.
        last = closed.head == "group" and "rules" or nil
      end
      top().fresh = false
      at = at + 1
    elseif c == "=" and source:sub(at + 1, at + 1) ~= "=" then
      top().key = last
      at, last = at + 1, nil
    elseif c == "," or c == ";" then
      top().key, top().fresh = nil, true
      at, last = at + 1, nil
    else
      at = at + 1
    end
  end
  return scan, last
end

local function starting_with(list, beginning)
  local found, seen = {}, {}
  for _, item in ipairs(list) do
    -- A name with control characters must be typed by whoever means it.
    if item:sub(1, #beginning) == beginning and not seen[item] and text.escape(item) == item then
      seen[item] = true
      found[#found + 1] = item
    end
  end
  table.sort(found)
  return found
end

local function rule_names()
  local ok, names = pcall(running.names)
  local list = {}
  for _, name in pairs(ok and names or {}) do
    list[#list + 1] = name
  end
  return list
end

local function set_names()
  local ok, names = pcall(sets.names)
  return ok and names or {}
end

-- What a string may hold, by the key it stands behind.
local VALUES = {
  dir = function() return fields.lists end,
  proto = protocol.names,
  sport = sys.services,
  dport = sys.services,
  port = sys.services,
  iif = sys.interfaces,
  oif = sys.interfaces,
  iface = sys.interfaces,
  icmp = icmp.names,
  flags = function() return { "A", "F", "FA", "R", "RA", "S", "SA", "S/SAFR" } end,
  dscp = function() return dscp.names end,
  src = function() return { "me" } end,
  dst = function() return { "me" } end,
  state = codec.states,
  states = function() return { "recheck", "keep", "flush" } end,
  rule = rule_names,
  default = function() return { "allow", "deny", "reject" } end,
  helper = function() return helper.names end,
  mss = function() return { "pmtu" } end,
  nat = function() return { "src", "dst" } end,
}

-- The names of the fields behind the words that make rules, and in a group all of them.
local RULE_WORDS = { group = fields.names }
for word, place in pairs(rule.place) do
  RULE_WORDS[word] = fields.names_for(place)
end

-- The words behind which a packet may stand.
local PACKET_WORDS = { ["fw.explain"] = true, ["fw.simulate"] = true, test = true }

-- The names that may stand as keys in braces behind a word.
local function keys_for(brace)
  local head, under = brace.head, brace.under
  if RULE_WORDS[head] then
    return RULE_WORDS[head]
  elseif head == "policy" then
    return policy.field_names
  elseif head == "fw.states" then
    return filters.names
  elseif head == "fw.set_limits" or under == "limits" then
    return limits.names
  elseif head == "fw.commit" then
    return { "confirm", "expect", "states" }
  elseif PACKET_WORDS[head] then
    return packet.field_names
  elseif head == "set" then
    return { "name", "dynamic" }
  elseif under == "default" then
    return { '["in"]', "input", "out", "output", "forward" }
  end
  return nil
end

-- Directories, and files whose name ends as the pattern says.
local function paths(beginning, pattern)
  local directory, rest = beginning:match("^(.*/)([^/]*)$")
  directory, rest = directory or "", rest or beginning
  local list = {}
  for _, name in ipairs(sys.list_dir(directory == "" and "." or directory) or {}) do
    if name:sub(1, #rest) == rest and (rest ~= "" or name:sub(1, 1) ~= ".") then
      local path = directory .. name
      local status = sys.stat(path)
      if status and status.type == "directory" then
        list[#list + 1] = path .. "/"
      elseif pattern and name:find(pattern) then
        list[#list + 1] = path
      end
    end
  end
  table.sort(list)
  return list
end

local function of(list)
  return function(beginning)
    return starting_with(type(list) == "function" and list() or list, beginning)
  end
end

local function files(pattern)
  return function(beginning)
    return paths(beginning, pattern)
  end
end

local LUA = files "%.lua$"

-- What a string may hold as an argument of a function, by its name behind the last dot or colon.
local ARGUMENTS = {
  load = LUA,
  dofile = LUA,
  loadfile = LUA,
  replay = files "%.p?capn?g?$",
  import_legacy = files(nil),
  export = files ".",
  import = files ".",
  on = of(events.names),
  set = of(set_names),
  help = of(help.names),
  count_by = of(states.field_names),
  top = of(states.field_names),
  log = of { "debug", "error", "info", "notice", "warning" },
}

-- Cuts from candidates what stands before the word that readline completes.
local function behind(list, skipped)
  local cut = {}
  for i, item in ipairs(list) do
    cut[i] = item:sub(skipped + 1)
  end
  return cut
end

local function in_string(scan, source, word)
  local written = source:sub(scan.from) .. word
  local skipped = #written - #word
  local brace = scan.braces[#scan.braces]
  -- help "x" and fw.load "x" are calls, too.
  local called = scan.before or (brace.round and brace.head)
  local argument = called and ARGUMENTS[called:match "[%a_][%w_]*$"]
  if argument then
    local list = argument(written)
    local folder = #list == 1 and list[1]:sub(-1) == "/"
    return behind(list, skipped), folder and "" or scan.quote
  elseif brace.round then
    return {}
  end
  local negation = written:match("^!%s*") or ""
  local key = brace.key or brace.under
  if key == "state" and RULE_WORDS[brace.head] then
    return {}
  end
  if brace.under == "default" or (brace.head == "policy" and key == "default") then
    key = "default"
  end
  local source_of = VALUES[key]
  if not source_of then
    return {}
  end
  local list = starting_with(source_of(), written:sub(#negation + 1))
  for i, item in ipairs(list) do
    list[i] = negation .. item
  end
  return behind(list, skipped), scan.quote
end

-- The value of "a.b.c" from an environment, through tables only.
local function resolve(env, path)
  local value = env
  for name in path:gmatch("[^%.:]+") do
    if type(value) ~= "table" then
      return nil
    end
    value = rawget(value, name)
  end
  return value
end

local function string_keys(t)
  local names = {}
  while type(t) == "table" do
    for key in next, t do
      if type(key) == "string" and key:find("^[%a_][%w_]*$") and not key:find("^__") then
        names[#names + 1] = key
      end
    end
    local meta = debug.getmetatable(t)
    local index = type(meta) == "table" and meta.__index
    t = index ~= t and type(index) == "table" and index or nil
  end
  return names
end

local function methods(env, source)
  if source:find("fw%.states%s*%b()%s*:$") or source:find("fw%.states%s*%b{}%s*:$") then
    return { "count", "count_by", "each", "kill", "top" }
  end
  if source:find("fw%.set%s*%b():$") then
    return { "add", "count", "del", "each", "flush", "has", "list" }
  end
  local value = resolve(env, source:match("([%a_][%w_%.]*):$") or "?")
  local meta = type(value) ~= "nil" and debug.getmetatable(value)
  local index = type(meta) == "table" and meta.__index
  local names = {}
  for _, name in ipairs(type(index) == "table" and string_keys(index) or {}) do
    if type(index[name]) == "function" then
      names[#names + 1] = name
    end
  end
  return names
end

local function names(env, word)
  local path, rest = word:match("^(.*)%.([^%.]*)$")
  if path then
    local found = starting_with(string_keys(resolve(env, path) or {}), rest)
    for i, name in ipairs(found) do
      found[i] = path .. "." .. name
    end
    return found
  end
  local list = string_keys(env)
  table.move(KEYWORDS, 1, #KEYWORDS, #list + 1, list)
  return starting_with(list, word)
end

--- What the cursor is at, for help about it: the word around it, the field whose value it is in, the word
-- before the brackets it is in, and so on outwards.
-- @param source the lines
-- @param point place of the cursor, in bytes from 0
-- @return list of names, the nearest first
function complete.place(source, point)
  local first, last = point + 1, point
  while source:find("^[%w_.:]", first - 1) and first > 1 do
    first = first - 1
  end
  while source:find("^[%w_.:]", last + 1) do
    last = last + 1
  end
  local list = {}
  local word = source:sub(first, last):gsub("^[.:]+", ""):gsub("[.:]+$", "")
  if word ~= "" then
    list[1] = word
    list[#list + 1] = word:match "[.:]([%w_]+)$"
  end
  local scan = read(source:sub(1, first - 1))
  for i = #scan.braces, 1, -1 do
    local brace = scan.braces[i]
    list[#list + 1] = brace.key
    list[#list + 1] = brace.head
  end
  return list
end

--- Candidates for a word.
-- @param word the word to complete
-- @param source what stands before it, of earlier lines too
-- @param env table of the names that are known (_G)
-- @return list of candidates, the character to put behind a single one
function complete.candidates(word, source, env)
  local scan, last = read(source)
  if scan.quote then
    return in_string(scan, source, word)
  elseif source:find(":$") and not source:find("::$") then
    return starting_with(methods(env, source), word), "("
  end
  local brace = scan.braces[#scan.braces]
  local keys = not brace.round and (brace.fresh or last == nil) and not brace.key and keys_for(brace)
  local list = keys and starting_with(keys, word) or {}
  if #list > 0 then
    for i, name in ipairs(list) do
      list[i] = name .. " ="
    end
    return list, " "
  end
  list = names(env, word)
  if #list == 1 then
    local value = resolve(env, list[1])
    if type(value) == "function" then
      return list, ""
    elseif type(value) == "table" and not debug.getmetatable(value) then
      return list, "."
    end
    return list, " "
  end
  return list, ""
end

return complete
