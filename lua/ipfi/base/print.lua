-- SPDX-License-Identifier: GPL-2.0-or-later
-- Values for people to read, and as JSON lines.
--
-- What has a form of its own says so in its metatable: __show (style) -> text that ends in a newline, and
-- __rows () -> list or iterator of the rows that -j prints one a line. What may be very long has __print
-- (style, write) too, which calls write (text) -> boolean with one piece after the other until that is false.
local json = require "ipfi.base.json"
local pager = require "ipfi.base.pager"
local settings = require "ipfi.base.settings"
local style = require "ipfi.base.style"
local text = require "ipfi.base.text"

local printer = {}

-- Elements of a table that are shown, levels of tables in tables, and columns where there is no terminal.
local ELEMENTS, DEPTH, WIDTH = 200, 8, 100

local RANK = { number = 1, string = 2, boolean = 3 }

local function keys_of(t)
  local keys = {}
  for key in next, t do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    local ta, tb = type(a), type(b)
    if ta ~= tb then
      return (RANK[ta] or 4) < (RANK[tb] or 4)
    elseif ta == "number" or ta == "string" then
      return a < b
    end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then
  true until while]]):gmatch("%a+") do
  KEYWORDS[word] = true
end

local function quote(s)
  return '"' .. text.escape(s):gsub('"', '\\"') .. '"'
end

local function meta_of(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and meta or nil
end

local pretty

local function key_text(st, key)
  if type(key) == "string" then
    local name = key:find("^[%a_][%w_]*$") and not KEYWORDS[key] and key or "[" .. quote(key) .. "]"
    return st:paint("name", name) .. " = "
  end
  return "[" .. pretty(st, key, 0, {}) .. "] = "
end

local function pretty_table(st, t, depth, open)
  if open[t] then
    return "{ the table around it }"
  elseif depth >= DEPTH then
    return "{ ... }"
  end
  open[t] = true
  local parts, listed, shown = {}, 0, 0
  local keys = keys_of(t)
  for _, key in ipairs(keys) do
    if shown == ELEMENTS then
      parts[#parts + 1] = st:paint("dim", ("... %d more"):format(#keys - shown))
      break
    end
    shown = shown + 1
    -- Behind a hole, places are written out.
    local in_place = key == listed + 1
    listed = in_place and key or listed
    parts[#parts + 1] = (in_place and "" or key_text(st, key)) .. pretty(st, t[key], depth + 1, open)
  end
  open[t] = nil
  if #parts == 0 then
    return "{}"
  end
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if not line:find("\n", 1, true) and text.width(line) + 2 * depth <= (st.width or WIDTH) then
    return line
  end
  local indent = ("  "):rep(depth)
  return "{\n" .. indent .. "  " .. table.concat(parts, ",\n" .. indent .. "  ") .. "\n" .. indent .. "}"
end

function pretty(st, value, depth, open)
  local kind = type(value)
  if kind == "string" then
    return st:paint("text", quote(value))
  elseif kind == "table" then
    local meta = meta_of(value)
    if meta and meta.__tostring and depth > 0 then
      return text.escape(tostring(value))
    end
    return pretty_table(st, value, depth, open)
  end
  return text.escape(tostring(value))
end

--- A value as text for people.
-- @param value anything
-- @param st a style, that of standard output when absent
-- @return text that ends in a newline
function printer.show(value, st)
  st = st or style.output()
  local meta = meta_of(value)
  if meta and meta.__show then
    return meta.__show(value, st)
  elseif type(value) == "string" then
    return text.escape_lines(value) .. "\n"
  elseif type(value) == "table" and meta and meta.__tostring and meta.__metatable then
    -- Words of the policy language keep their inside to themselves.
    return text.escape(tostring(value)) .. "\n"
  end
  return pretty(st, value, 0, {}) .. "\n"
end

local function is_list_of_tables(value)
  if type(value) ~= "table" or #value == 0 then
    return false
  end
  for _, item in ipairs(value) do
    if type(item) ~= "table" then
      return false
    end
  end
  return true
end

--- Writes a value as JSON lines: one line for each row of what has rows, for each table of a list of tables,
-- else one line.
-- @param write function (text) -> boolean that takes the lines until it returns false
function printer.json(value, write)
  local meta = meta_of(value)
  local rows = value
  if meta and meta.__rows then
    rows = meta.__rows(value)
  elseif type(value) == "table" and next(value) == nil and meta and meta.__show then
    return
  elseif not is_list_of_tables(value) then
    write(json.encode(value) .. "\n")
    return
  end
  if type(rows) == "function" then
    for row in rows do
      if write(json.encode(row) .. "\n") == false then
        return
      end
    end
    return
  end
  for _, row in ipairs(rows) do
    if write(json.encode(row) .. "\n") == false then
      return
    end
  end
end

--- Writes a value as text, all of it.
-- @param write function (text) -> boolean that takes the pieces until it returns false
function printer.text(value, st, write)
  local meta = meta_of(value)
  if meta and meta.__print then
    meta.__print(value, st, write)
  else
    write(printer.show(value, st))
  end
end

--- Prints values to standard output, as text or with -j as JSON lines; at the prompt through the pager when
-- they are longer than the screen.
function printer.print(...)
  local values = table.pack(...)
  pager.page(function(write)
    local st = not settings.json and style.output()
    for i = 1, values.n do
      if settings.json then
        printer.json(values[i], write)
      else
        printer.text(values[i], st, write)
      end
    end
  end)
end

return printer
