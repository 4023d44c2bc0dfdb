-- SPDX-License-Identifier: GPL-2.0-or-later
-- JSON. Written here, because 64-bit counters must stay whole and keys sorted; read by cjson.
local text = require "ipfi.base.text"

local json = {}

local SHORT = { ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
  ["\""] = "\\\"", ["\\"] = "\\\\" }

local DEPTH_MOST = 100

local function escape(c)
  return SHORT[c] or ("\\u%04x"):format(c:byte())
end

-- Bytes that are not UTF-8 become U+FFFD: JSON has no other text.
local function valid(s)
  local out, at = {}, 1
  while true do
    local length, bad = utf8.len(s, at)
    if length then
      out[#out + 1] = s:sub(at)
      return table.concat(out)
    end
    out[#out + 1] = s:sub(at, bad - 1)
    out[#out + 1] = "\u{fffd}"
    at = bad + 1
  end
end

-- What would do something to a terminal is written by its number, a pair of surrogates beyond U+FFFF.
local function escape_character(c)
  local code = utf8.codepoint(c)
  if not text.misleads(code) then
    return c
  elseif code > 0xffff then
    code = code - 0x10000
    return ("\\u%04x\\u%04x"):format(0xd800 | code >> 10, 0xdc00 | code & 0x3ff)
  end
  return ("\\u%04x"):format(code)
end

-- The first bytes of those characters.
local MISLEADING = "[\xc2\xd8\xe1\xe2\xef\xf3]"

local function encode_string(s)
  if s:find("[%c\"\\\x7f]") then
    s = s:gsub("[%c\"\\\x7f]", escape)
  end
  if s:find("[\x80-\xff]") and not utf8.len(s) then
    s = valid(s)
  end
  if s:find(MISLEADING) then
    s = s:gsub("[\xc2-\xf4][\x80-\xbf]+", escape_character)
  end
  return '"' .. s .. '"'
end

local encode

-- Tables that are lists, also while they are empty.
local lists = setmetatable({}, { __mode = "k" })

--- Says that a table is a list: empty it is [], where any other empty table is {}.
-- @return the table
function json.list(t)
  lists[t] = true
  return t
end

-- An empty table that is a list, or has rows.
local function is_empty_list(t)
  local meta = next(t) == nil and (lists[t] or debug.getmetatable(t))
  return meta == true or (type(meta) == "table" and meta.__rows ~= nil)
end

-- Ids of rules use all of 64 bits, of which most readers of JSON keep 53: they are text. The id of a rule
-- stands beside its verdict.
local RULE_IDS = { rule = true, dstnat_rule = true, srcnat_rule = true }

local function is_rule_id(t, key, value)
  return math.type(value) == "integer" and (RULE_IDS[key] or (key == "id" and t.verdict ~= nil))
end

-- The words of the policy language keep their inside to themselves, and say what they are.
local function words_of(t)
  local meta = debug.getmetatable(t)
  return meta and meta.__metatable and meta.__tostring and tostring(t) or nil
end

local function encode_table(t, out, depth)
  local words = words_of(t)
  if words then
    out[#out + 1] = encode_string(words)
    return
  end
  if depth > DEPTH_MOST then
    error("json: nested too deep, or a table that holds itself", 0)
  end
  local n = #t
  if n > 0 then
    for i = 1, n do
      out[#out + 1] = i == 1 and "[" or ","
      encode(t[i], out, depth + 1)
    end
    out[#out + 1] = "]"
    return
  end
  if is_empty_list(t) then
    out[#out + 1] = "[]"
    return
  end
  local keys = {}
  for key in next, t do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  out[#out + 1] = "{"
  for i, key in ipairs(keys) do
    if i > 1 then
      out[#out + 1] = ","
    end
    out[#out + 1] = encode_string(key)
    out[#out + 1] = ":"
    local value = t[key]
    if value == nil then
      value = t[tonumber(key)]
    end
    if is_rule_id(t, key, value) then
      value = ("%d"):format(value)
    end
    encode(value, out, depth + 1)
  end
  out[#out + 1] = "}"
end

local function scalar(value)
  local kind = type(value)
  if kind == "string" then
    return encode_string(value)
  elseif math.type(value) == "integer" then
    return ("%d"):format(value)
  elseif kind == "number" then
    return value == value and math.abs(value) < math.huge and ("%.14g"):format(value) or "null"
  elseif kind == "boolean" then
    return value and "true" or "false"
  elseif kind == "nil" then
    return "null"
  end
  return encode_string(tostring(value))
end

function encode(value, out, depth)
  if type(value) == "table" then
    encode_table(value, out, depth)
  else
    out[#out + 1] = scalar(value)
  end
end

--- A value as JSON in one line: a table with values at 1, 2, ... as an array, so is one of json.list(), any
-- other as an object with sorted keys, a word of the policy language as its text, the id of a rule as text.
-- It holds no control character.
function json.encode(value)
  if type(value) ~= "table" then
    return scalar(value)
  end
  local out = {}
  encode_table(value, out, 0)
  return table.concat(out)
end

-- cjson reads every number as a float.
local function whole(value)
  if type(value) == "table" then
    for key, item in next, value do
      value[key] = whole(item)
    end
    return value
  elseif math.type(value) == "float" then
    return math.tointeger(value) or value
  end
  return value
end

--- Reads JSON.
-- @return value, or nil and a message; null inside a table is left out
function json.decode(encoded)
  local cjson = require "cjson"
  local ok, value = pcall(cjson.decode, encoded)
  if not ok then
    return nil, tostring(value)
  end
  local function strip(t)
    for key, item in next, t do
      if item == cjson.null then
        t[key] = nil
      elseif type(item) == "table" then
        strip(item)
      end
    end
    return t
  end
  return whole(type(value) == "table" and strip(value) or value)
end

return json
