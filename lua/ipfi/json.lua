-- SPDX-License-Identifier: GPL-2.0-or-later
-- JSON. Written here, because 64-bit counters must stay whole and keys sorted; read by cjson.
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

local function encode_string(s)
  if s:find("[%c\"\\\x7f]") then
    s = s:gsub("[%c\"\\\x7f]", escape)
  end
  if s:find("[\x80-\xff]") and not utf8.len(s) then
    s = valid(s)
  end
  return '"' .. s .. '"'
end

local encode

local function encode_table(t, out, depth)
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

--- A value as JSON in one line: a table with values at 1, 2, ... as an array, any other as an object with
-- sorted keys.
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
function json.decode(text)
  local cjson = require "cjson"
  local ok, value = pcall(cjson.decode, text)
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
