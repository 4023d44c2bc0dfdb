#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Writes the lists of the manual pages from the tables that the program itself works with: what stands
-- between the comments "begin NAME" and "end NAME" of a page. A test compares.
--
--     build/ipfi docs/man/update.lua

local events = require "ipfi.live.events"
local fields = require "ipfi.field.list"
local filters = require "ipfi.live.filters"
local help = require "ipfi.prompt.help"
local limits = require "ipfi.field.limits"
local packet = require "ipfi.packet.packet"
local packet_test = require "ipfi.policy.packet_test"
local policy = require "ipfi.policy.policy"
local states = require "ipfi.live.states"
local codec = require "ipfi.c.codec"

local update = {}

update.pages = { "docs/man/ipfi.8", "docs/man/ipfi-policy.5" }

-- Text as roff wants it: no line begins with a request, backslashes and hyphens stand for themselves.
local function roff(text)
  text = text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("~", "\\(ti"):gsub("%^", "\\(ha"):gsub("`", "\\(ga")
  text = text:gsub("'", "\\(aq"):gsub('"', "\\(dq")
  return (text:gsub("^%.", "\\&."))
end

local function item(term, words)
  return (".TP\n.B %s\n%s\n"):format(roff(term), roff(words))
end

local function list(rows)
  local out = {}
  for i, row in ipairs(rows) do
    local words = row.forms and row.forms:gsub("^%l", string.upper) .. ".\n" .. row.help or row.help
    local lines = {}
    for line in words:gmatch("[^\n]+") do
      lines[#lines + 1] = roff(line)
    end
    out[i] = (".TP\n.B %s\n%s\n"):format(roff(row.name), table.concat(lines, "\n.br\n"))
  end
  return table.concat(out)
end

local function entries(wanted)
  local out = {}
  for _, entry in ipairs(help.entries) do
    if wanted(entry.name) then
      out[#out + 1] = item(entry.call, entry.text)
    end
  end
  return table.concat(out)
end

local METHODS = { each = true, count = true, count_by = true, top = true, kill = true, add = true, del = true,
  has = true, list = true, flush = true }
local WORDS = { allow = true, deny = true, reject = true, dnat = true, redirect = true, snat = true,
  masquerade = true, group = true, set = true, policy = true, test = true, args = true }

--- What stands in a list: { name = function () -> roff }.
update.lists = {
  functions = function()
    return entries(function(name)
      return name:find("^fw%.") ~= nil or METHODS[name] ~= nil
    end)
  end,
  words = function()
    return entries(function(name)
      return WORDS[name] ~= nil
    end)
  end,
  filters = function()
    return list(filters.list)
  end,
  rows = function()
    return list(states.fields)
  end,
  events = function()
    return list(events.list)
  end,
  fields = function()
    return list(fields.list)
  end,
  policy = function()
    return list(policy.fields)
  end,
  packets = function()
    return list(packet.fields)
  end,
  tests = function()
    return list(packet_test.fields)
  end,
  limits = function()
    local rows = {}
    for i, limit in ipairs(limits.list) do
      local default = limit.default < limit.least and "as memory allows" or limit.default
      rows[i] = {
        name = limit.name,
        forms = ("%d to %d, by default %s"):format(limit.least, limit.most, default),
        help = limits.help[limit.name],
      }
    end
    return list(rows)
  end,
  reasons = function()
    local rows = {}
    for i, reason in ipairs(codec.reasons()) do
      rows[i] = { name = reason.name, help = (reason.accepted and "passes: " or "dropped: ") .. reason.help }
    end
    return list(rows)
  end,
}

--- A page with its lists as they should be.
-- @param page the text of a page
function update.page(page)
  return (page:gsub('(\n%.\\" begin (%w+)\n)(.-)(\n?%.\\" end %w+\n)', function(first, name, _, last)
    return first .. update.lists[name]() .. last:gsub("^\n", "")
  end))
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

--- The pages that are not as they should be, as { path = text }.
function update.stale()
  local stale = {}
  for _, path in ipairs(update.pages) do
    local now = read(path)
    local wanted = update.page(now)
    if now ~= wanted then
      stale[path] = wanted
    end
  end
  return stale
end

-- As a script, not when a test requires it.
if arg and arg[0] and arg[0]:find("update%.lua$") then
  for path, text in pairs(update.stale()) do
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    print(path)
  end
end

return update
