-- SPDX-License-Identifier: GPL-2.0-or-later
-- The original's file blacksites: sites that are denied both ways. Their names were looked up every so often;
-- here a job does that and keeps the addresses in a dynamic set.
local legacy_values = require "ipfi.legacy.values"
local text = require "ipfi.base.text"

local legacy_sites = {}

-- Keys that hold a site: its name or an address.
local function holds_site(key)
  return key == "NAME" or key:find("^SRCADDR%d*$") or key:find("^DSTADDR%d*$")
end

local function sites_of(record, sites, journal)
  local found = false
  for _, entry in ipairs(record:rest()) do
    local key, value = entry.key, entry.value or ""
    if not holds_site(key) then
      sites.notes[#sites.notes + 1] = { place = entry, message = ("unknown key %s"):format(text.quote(key)) }
    elseif legacy_values.is_host(value) and (key ~= "NAME" or value:find(".", 1, true)) then
      sites:add("hosts", value:lower():gsub("%.$", ""))
      found = true
    else
      local address, problem = legacy_values.address(entry)
      if address then
        sites:add("addresses", address)
        found = true
      elseif key ~= "NAME" and problem then
        journal:fail(entry, problem)
      end
    end
  end
  if not found then
    sites.notes[#sites.notes + 1] = { place = record, message = "the record names no site" }
  end
end

local Sites = {}
Sites.__index = Sites

function Sites:add(list, value)
  if not self.seen[value] then
    self.seen[value] = true
    table.insert(self[list], value)
  end
end

--- Reads the sites.
-- @param records of legacy_reader.lua
-- @param journal takes the mistakes
-- @return { hosts = list of names, addresses = list of text, notes = list of { place =, message = } }
function legacy_sites.read(records, journal)
  local sites = setmetatable({ hosts = {}, addresses = {}, notes = {}, seen = {} }, Sites)
  for _, record in ipairs(records) do
    sites_of(record, sites, journal)
  end
  sites.place = records[1]
  return sites
end

return legacy_sites
