-- SPDX-License-Identifier: GPL-2.0-or-later
-- Netlink messages to read: a line for each command and, below it, one for each attribute in the order of
-- their numbers.
local codec = require "ipfi.c.codec"
local style = require "ipfi.base.style"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"

local decoded = {}

local Decoded = { __name = "decoded" }
Decoded.__index = Decoded

-- What is known of the nests, asked for once.
local schema

local function attrs_of(nest)
  schema = schema or codec.schema()
  return schema.nests[nest]
end

-- The keys of a table of attributes in the order of their numbers, and what each holds.
local function ordered(t, nest)
  local keys, seen = {}, {}
  for _, attr in ipairs(attrs_of(nest) or {}) do
    if t[attr.name] ~= nil then
      keys[#keys + 1] = attr
      seen[attr.name] = true
    end
  end
  -- What the schema does not know comes last.
  for _, name in ipairs(suggest.keys(t)) do
    if not seen[name] and name ~= "cmd" then
      keys[#keys + 1] = { name = name }
    end
  end
  return keys
end

local function is_list(t)
  return next(t) == nil or t[1] ~= nil
end

-- Text in quotes, names of values and numbers without.
local function scalar(value, attr)
  if type(value) ~= "string" then
    return tostring(value)
  end
  local shown = text.escape(value)
  return (attr.enum or attr.mask or attr.type == "address") and shown or ("'%s'"):format(shown)
end

-- "22" or "22-80" where a table holds no more than the ends of a range.
local function range_text(t)
  for key in pairs(t) do
    if key ~= "from" and key ~= "to" then
      return nil
    end
  end
  return t.from ~= nil and tostring(t.from) .. (t.to ~= nil and "-" .. tostring(t.to) or "") or nil
end

-- A list in one line; nil when it holds more than values and ranges.
local function list_text(list, attr)
  local parts = {}
  for i, item in ipairs(list) do
    parts[i] = type(item) ~= "table" and scalar(item, attr) or range_text(item)
    if not parts[i] then
      return nil
    end
  end
  return #parts > 0 and table.concat(parts, ", ") or "none"
end

-- Appends { path, text } for a value and what is in it. attr: what the schema says of it.
local function add(lines, path, value, attr)
  local whole
  if type(value) ~= "table" then
    whole = scalar(value, attr)
  else
    whole = is_list(value) and list_text(value, attr) or range_text(value)
  end
  if whole then
    lines[#lines + 1] = { path, whole }
  elseif is_list(value) then
    for i, item in ipairs(value) do
      add(lines, ("%s[%d]"):format(path, i), item, attr)
    end
  else
    for _, inner in ipairs(ordered(value, attr.nest)) do
      add(lines, path == "" and inner.name or path .. "." .. inner.name, value[inner.name], inner)
    end
  end
end

local function message_lines(st, place, message)
  local lines, width = {}, 0
  schema = schema or codec.schema()
  add(lines, "", message, { nest = schema.top })
  for _, line in ipairs(lines) do
    width = math.max(width, #line[1])
  end
  local out = { ("%d %s\n"):format(place, st:paint("heading", text.escape(tostring(message.cmd)))) }
  for _, line in ipairs(lines) do
    local gap = (" "):rep(width - #line[1])
    out[#out + 1] = ("  %s%s  %s\n"):format(st:paint("name", text.escape(line[1])), gap, line[2])
  end
  return table.concat(out)
end

--- How the prompt shows them.
function Decoded:__show(st)
  local out = {}
  for i, message in ipairs(self) do
    out[i] = message_lines(st, i, message)
  end
  return #out > 0 and table.concat(out) or "no message\n"
end

function Decoded:__tostring()
  return (Decoded.__show(self, style.plain()):gsub("\n$", ""))
end

--- For JSON lines: a message a line.
function Decoded:__rows()
  return table.move(self, 1, #self, 1, {})
end

--- Gives a list of messages, as the codec decodes them, its form for people.
function decoded.new(messages)
  return setmetatable(messages, Decoded)
end

return decoded
