-- SPDX-License-Identifier: GPL-2.0-or-later
-- Stands in for ipfi.c.codec. Its lists are read out of the uapi header, so that they agree with it; its
-- bytes are Lua text, which is enough to see that what goes in comes out.
local codec = {}

local function header()
  local file = assert(io.open("include/uapi/linux/ipfi.h"))
  local text = file:read("a")
  file:close()
  return text
end

local text = header()
local WEEK = tonumber(text:match("#define IPFI_TIMEOUT_MAX (%d+)"))

-- The lines of an X-macro, continued by backslashes.
local function rows(name)
  local body = text:match("#define " .. name .. "%(X%)(.-[^\\])\n")
  local list = {}
  for row in body:gmatch("X(%b())") do
    list[#list + 1] = row:sub(2, -2)
  end
  return list
end

local LIMITS, STATES, REASONS, HELPERS = {}, {}, {}, {}
for i, row in ipairs(rows("IPFI_LIMITS")) do
  local name, least, most, default = row:match("^[%u_]+, ([%l_]+), (%w+), ([%w_]+), (%w+)$")
  LIMITS[i] = { name = name, least = tonumber(least),
    most = most == "IPFI_TIMEOUT_MAX" and WEEK or tonumber(most),
    default = tonumber(default) }
end
for i, row in ipairs(rows("IPFI_STATES")) do
  STATES[i] = row
end
for i, row in ipairs(rows("IPFI_REASONS")) do
  local name, accepted, help = row:match('^[%u_]+, "([%l%-]+)", (%d), "(.*)"$')
  REASONS[i] = { name = name, accepted = accepted == "1", help = help }
end
for i, row in ipairs(rows("IPFI_HELPERS")) do
  HELPERS[i] = row:match('^[%u_]+, "([%l%-]+)"$')
end

function codec.limits()
  return LIMITS
end

function codec.states()
  return STATES
end

function codec.reasons()
  return REASONS
end

function codec.helpers()
  return HELPERS
end

local function write(value)
  if type(value) ~= "table" then
    return ("%q"):format(value)
  end
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  local out = {}
  for i, key in ipairs(keys) do
    out[i] = ("[%q]=%s"):format(key, write(value[key]))
  end
  return "{" .. table.concat(out, ",") .. "}"
end

-- The numbers of what a compiled policy has; of the nests none.
function codec.schema()
  local commands = {}
  for body in text:match("enum ipfi_cmd {(.-)__IPFI_CMD_END"):gmatch("IPFI_CMD_(%u[%u_]*)") do
    commands[#commands + 1] = { name = body:lower(), value = #commands }
  end
  return { version = 1, commands = commands, nests = {} }
end

function codec.checksum(bytes)
  local sum = 0
  for i = 1, #bytes do
    sum = sum * 31 + bytes:byte(i)
  end
  return sum
end

function codec.encode(messages)
  local list = {}
  for i, message in ipairs(messages) do
    list[i] = write(message)
  end
  return "fake{" .. table.concat(list, ",") .. "}"
end

function codec.decode(bytes)
  local body = bytes:match("^fake(.*)$")
  local chunk = body and load("return " .. body, "=bytes", "t", {})
  if not chunk then
    return nil, "offset 0: shorter than a header"
  end
  return chunk()
end

return codec
