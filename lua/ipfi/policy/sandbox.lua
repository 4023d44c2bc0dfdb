-- SPDX-License-Identifier: GPL-2.0-or-later
-- The room a policy runs in: Lua's pure library, copied and guarded, and the words of the language. Nothing
-- there reads the clock, files or chance, so that the same file and arguments always give the same policy.
--
-- loader.lua runs it in a process of its own, which bounds time and memory whatever happens and reaches
-- nothing. What stands here is the friendly side of that: a count hook that tells the line of a loop without
-- end, or of a table without end, and functions that refuse by name what would blow up in a single call.
local constructors = require "ipfi.policy.constructors"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local sandbox = {}

--- What a policy may use: instructions of Lua's machine (some seconds), and bytes.
sandbox.INSTRUCTIONS = 200000000
sandbox.MEMORY = 2 << 30

-- Instructions between two looks.
local EVERY = 1000
local STRING_MOST = 1 << 20

-- Names of Lua that a policy does not have, so that they are not taken for misspelt words.
local IMPURE = {
  io = true, os = true, require = true, debug = true, load = true, loadfile = true, dofile = true,
    package = true,
  collectgarbage = true, coroutine = true, print = true, warn = true, getmetatable = true,
    setmetatable = true,
  rawget = true, rawset = true, rawequal = true, rawlen = true, _G = true, fw = true,
}

local function copy(library, without)
  local t = {}
  for name, value in next, library do
    t[name] = value
  end
  for _, name in ipairs(without or {}) do
    t[name] = nil
  end
  return t
end

-- tostring() shows where a table lies in memory, which differs from run to run.
local function pure_tostring(value)
  local kind = type(value)
  if kind == "table" or kind == "function" then
    local meta = debug.getmetatable(value)
    if not (meta and meta.__tostring) then
      return kind
    end
  end
  return tostring(value)
end

local function guarded_string()
  local t = copy(string, { "dump" })
  function t.rep(s, n, separator)
    local piece = #tostring(s) + #tostring(separator or "")
    local count = tonumber(n)
    if count and count > STRING_MOST // math.max(piece, 1) then
      error("string.rep: the result would be longer than a MiB", 2)
    end
    return string.rep(s, n, separator)
  end
  function t.format(form, ...)
    if type(form) == "string" and form:find("%%[^%a%%]*p") then
      error("string.format: %p is not available in a policy", 2)
    end
    local values = table.pack(...)
    for i = 1, values.n do
      if type(values[i]) == "table" or type(values[i]) == "function" then
        values[i] = pure_tostring(values[i])
      end
    end
    return string.format(form, table.unpack(values, 1, values.n))
  end
  function t.gsub(s, pattern, replacement, n)
    if type(replacement) == "string" and #tostring(s) * #replacement > 64 * STRING_MOST then
      error("string.gsub: the result would be too long", 2)
    end
    return string.gsub(s, pattern, replacement, n)
  end
  return t
end

local function guarded_table()
  local t = copy(table)
  function t.concat(list, separator, i, j)
    i, j = i or 1, j or #list
    local size = 0
    for k = i, j do
      size = size + #tostring(list[k]) + #(separator or "")
      if size > 64 * STRING_MOST then
        error("table.concat: the result would be too long", 2)
      end
    end
    return table.concat(list, separator, i, j)
  end
  function t.move(from, first, last, to, other)
    if math.type(first) == "integer" and math.type(last) == "integer" and last - first > 10000000 then
      error("table.move: too many elements", 2)
    end
    return table.move(from, first, last, to, other)
  end
  return t
end

local ORDER = { number = 1, string = 2, boolean = 3 }

-- Strings by their bytes: "<" would follow the caller's locale.
local function less_string(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = a:byte(i), b:byte(i)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end

local function less(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then
    return ORDER[ta] < ORDER[tb]
  elseif ta == "string" then
    return less_string(a, b)
  elseif ta == "boolean" then
    return not a and b
  end
  return a < b
end

local function sorted_keys(t, who)
  local keys = {}
  for key in next, t do
    if not ORDER[type(key)] then
      error(("%s: keys that are a %s have no order"):format(who, type(key)), 3)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys, less)
  return keys
end

local function sorted_pairs(t)
  local meta = debug.getmetatable(t)
  if meta and meta.__pairs then
    return meta.__pairs(t)
  elseif type(t) ~= "table" then
    error(("bad argument #1 to 'pairs' (table expected, got %s)"):format(type(t)), 2)
  end
  local keys, i = sorted_keys(t, "pairs"), 0
  return function()
    while true do
      i = i + 1
      local key = keys[i]
      if key == nil then
        return nil
      elseif t[key] ~= nil then
        return key, t[key]
      end
    end
  end
end

-- The arguments of a policy, noting which it looks at.
local function watched_args(args)
  local asked, all = {}, false
  local values = {}
  for key, value in next, args do
    values[key] = value
  end
  local proxy = setmetatable({}, {
    __index = function(_, key)
      if key ~= nil then
        asked[key] = true
      end
      return values[key]
    end,
    __len = function()
      all = true
      return #values
    end,
    __pairs = function()
      all = true
      return sorted_pairs(values)
    end,
    __newindex = function()
      error("args cannot be changed", 2)
    end,
    __metatable = "args",
  })
  -- What was given and never looked at, as messages.
  local function unused()
    local messages = {}
    if all then
      return messages
    end
    for _, key in ipairs(sorted_keys(values, "args")) do
      if not asked[key] then
        local shown = type(key) == "number" and ("%s (number %d)"):format(text.quote(values[key]), key)
          or text.quote(key)
        local hint = type(key) == "string" and suggest.hint(key, suggest.keys(asked)) or ""
        messages[#messages + 1] = ("the policy does not use the argument %s%s"):format(shown, hint)
      end
    end
    return messages
  end
  return proxy, unused
end

local function library()
  return {
    assert = assert,
    error = error,
    ipairs = ipairs,
    pairs = sorted_pairs,
    next = function(t, key)
      if type(t) ~= "table" then
        error(("bad argument #1 to 'next' (table expected, got %s)"):format(type(t)), 2)
      end
      local found = key == nil
      for _, k in ipairs(sorted_keys(t, "next")) do
        if found then
          return k, t[k]
        end
        found = k == key
      end
      return nil
    end,
    pcall = pcall,
    select = select,
    tonumber = tonumber,
    tostring = pure_tostring,
    type = type,
    math = copy(math, { "random", "randomseed" }),
    string = guarded_string(),
    table = guarded_table(),
    utf8 = copy(utf8),
    _VERSION = _VERSION,
  }
end

local function environment(words, args, where)
  local names = library()
  for name, value in next, words do
    names[name] = value
  end
  names.args = args
  local known = suggest.keys(names)
  names[constructors.NAME] = constructors.note
  setmetatable(names, {
    __index = function(_, name)
      local message
      if IMPURE[name] then
        message = ("a policy has no '%s'; it has Lua's basics, math, string, table and utf8"):format(name)
      else
        message = ("unknown name %s%s"):format(text.quote(name), suggest.hint(tostring(name), known))
      end
      error(where(2) .. ": " .. message, 0)
    end,
  })
  return setmetatable({}, {
    __index = names,
    __newindex = function(_, name)
      error(("%s: assignment to the global %s; make it local"):format(where(2), text.quote(name)), 0)
    end,
    __metatable = "environment",
  })
end

-- Watches time and memory while a policy runs. After the limit every instruction raises, so that
-- a pcall() in the policy cannot go on; only the function that runs the policy can.
local function watch(where, budget)
  local runner = debug.getinfo(2, "f").func
  local kilobytes = collectgarbage
  local most = kilobytes("count") + budget.memory / 1024
  local used, over = 0, nil

  local function judge()
    if used > budget.instructions + budget.extra() then
      return ("%s: the policy does not end (stopped after %d million instructions)")
        :format(where(3), used // 1000000)
    elseif kilobytes("count") > most then
      return ("%s: the policy takes too much memory (stopped at %d MiB)")
        :format(where(3), budget.memory >> 20)
    elseif sys.interrupted() then
      return "interrupted!"
    end
    return nil
  end

  local function hook()
    if not over then
      used = used + EVERY
      over = judge()
      if not over then
        return
      end
      debug.sethook(hook, "", 1)
    end
    if debug.getinfo(2, "f").func ~= runner then
      error(over, 0)
    end
  end
  debug.sethook(hook, "", EVERY)
  return function()
    return over
  end
end

--- The budget of a policy: what the caller says, else the most that is ever needed and half of the memory
-- that is free.
-- @param wanted { instructions =, memory = bytes, extra = function () -> instructions on top }, or nil
-- @return the same, complete
function sandbox.budget(wanted)
  wanted = wanted or {}
  local free = not wanted.memory and sys.memory()
  return {
    instructions = wanted.instructions or sandbox.INSTRUCTIONS,
    memory = wanted.memory or math.min(sandbox.MEMORY, free and free.available // 2 or sandbox.MEMORY),
    extra = wanted.extra or function()
      return 0
    end,
  }
end

--- Runs the text of a policy file.
-- @param source the text; a first line that begins with "#" is skipped
-- @param chunk name of the chunk, as load() takes it ("@file")
-- @param words the words of the language
-- @param args table of arguments
-- @param where function (level) -> "file:line" of the policy's running line, level 1 its caller
-- @param budget of sandbox.budget()
-- @return true, the value the file returns, list of messages about unused arguments;
--   or false and the error
function sandbox.run(source, chunk, words, args, where, budget)
  source = source:gsub("^\xef\xbb\xbf", ""):gsub("^#[^\n]*", "")
  -- A block with a variable to be closed makes no tail calls: the words can see the line that called them
  -- even in "return policy { ... }".
  local proxy, unused = watched_args(args)
  local loaded, problem = constructors.load(source, chunk, environment(words, proxy, where),
    "local _ <close> = nil ")
  if not loaded then
    return false, problem
  end
  local strings = debug.getmetatable("")
  local methods, hook = strings.__index, table.pack(debug.gethook())
  strings.__index = guarded_string()
  local over = watch(where, budget)
  local result = table.pack(pcall(loaded))
  debug.sethook()
  strings.__index = methods
  if type(hook[1]) == "function" then
    debug.sethook(table.unpack(hook, 1, 3))
  end
  if over() then
    return false, over()
  elseif not result[1] then
    return false, result[2]
  end
  return true, result[2], unused()
end

return sandbox
