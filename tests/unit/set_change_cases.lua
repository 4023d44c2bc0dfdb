-- SPDX-License-Identifier: GPL-2.0-or-later
-- Changes of dynamic sets and live connections. Whether the rules have been asked again shows by "me": the
-- machine's own addresses change behind their back, and only who is asked again is denied for it.
package.path = "lua/?.lua;tests/unit/?.lua"

local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local sets = require "ipfi.live.sets"
local states = require "ipfi.live.states"

local scene = require "engine_scene"

local cases = {}
local expect, gateway = scene.expect, scene.gateway

local POLICY = [[stateful = true, rules = {
  deny { "own", dir = "forward", src = "me" },
  deny { "banned", dir = "forward", src = set { name = "bans", dynamic = true } },
  deny { "not there", dir = "forward", dst = set { name = "places", dynamic = true } },
  deny { "strangers", dir = "forward", proto = "udp", dport = 99,
    src = ~set { name = "friends", dynamic = true } },
  allow { "all", dir = "forward" } }]]

local function world_of(source)
  local world = gateway()
  scene.commit(world, scene.checked(source or POLICY))
  return world
end

local function pass(world, src, dst, dport)
  local data = assert(packet.build { dir = "forward", proto = "udp", src = src, sport = 1000,
    dport = dport or 53, dst = dst or (src:find ":" and "2001:db8:7::1" or "198.51.100.1") })
  return assert(world:pass { list = "forward", iif = "eth1", oif = "eth0", data = data }).verdict
end

local function change(world, name, how, ...)
  local arguments = table.pack(...)
  return kernel.with(world, function()
    local one = sets.get(name)
    return one[how](one, table.unpack(arguments))
  end)
end

-- From now on who is asked again is denied.
local function own(world, addresses)
  local list = { "10.0.0.1/24", "2001:db8:1::1/64" }
  for _, address in ipairs(addresses) do
    list[#list + 1] = address .. (address:find ":" and "/128" or "/32")
  end
  world:device("eth1", { addresses = list })
end

local function count(world)
  return kernel.with(world, function()
    return states.query({}):count()
  end)
end

-- Opens connections, makes their sources own, changes, and says who was asked again.
local function asked_again(sources, changes, options)
  local world <close> = world_of(options and options.policy)
  local again = {}
  if options and options.before then
    options.before(world)
  end
  for _, source in ipairs(sources) do
    expect(pass(world, source, options and options.dst), "accept", source)
  end
  own(world, sources)
  changes(world)
  for _, source in ipairs(sources) do
    if pass(world, source, options and options.dst) == "drop" then
      again[#again + 1] = source
    end
  end
  return table.concat(again, " ")
end

function cases.a_change_asks_about_the_address_that_it_is_about()
  expect(asked_again({ "10.0.0.5", "10.0.0.6", "2001:db8:1::5", "2001:db8:1::6" }, function(world)
    change(world, "bans", "add", "192.0.2.99")
  end), "")
  expect(asked_again({ "10.0.0.5", "10.0.0.6", "2001:db8:1::5", "2001:db8:1::6" }, function(world)
    change(world, "places", "add", { "10.0.0.5", "2001:db8:1::6" })
  end), "10.0.0.5 2001:db8:1::6")
end

function cases.networks_contain_addresses()
  for network, wanted in next, {
    ["10.0.0.0/24"] = "10.0.0.5 10.0.0.200", ["10.0.0.0/25"] = "10.0.0.5", ["10.0.1.4/31"] = "10.0.1.5",
    ["0.0.0.0/0"] = "10.0.0.5 10.0.0.200 10.0.1.5", ["10.0.0.0/15"] = "10.0.0.5 10.0.0.200 10.0.1.5",
  } do
    local got = asked_again({ "10.0.0.5", "10.0.0.200", "10.0.1.5" }, function(world)
      change(world, "places", "add", network)
    end)
    for source in wanted:gmatch "%S+" do
      expect(not not got:find(source, 1, true), true, network .. " and " .. source)
    end
  end
  expect(asked_again({ "2001:db8:1::5", "2001:db8:2::5" }, function(world)
    change(world, "places", "add", "2001:db8:1::/48")
  end), "2001:db8:1::5")
end

-- Deleted, cleared, past its time-out: all are changes.
function cases.members_that_go_are_changes()
  local ways = {
    function(world) change(world, "places", "del", "10.0.0.5") end,
    function(world) change(world, "places", "flush") end,
    function(world) world:advance(61) end,
  }
  for _, way in ipairs(ways) do
    expect(asked_again({ "10.0.0.5", "10.0.0.6" }, way, {
      policy = POLICY:gsub("stateful", "limits = { udp_new = 600 }, stateful"),
      before = function(world)
        change(world, "places", "add", "10.0.0.5", { timeout = 60 })
      end,
    }), "10.0.0.5")
  end
end

-- One message with thousands of members: nobody is left out, and few are asked for nothing.
function cases.a_batch_asks_few_for_nothing()
  local sources, got = {}, 0
  for i = 1, 200 do
    sources[i] = ("10.0.%d.%d"):format(i // 100, i % 100 + 2)
  end
  local again = asked_again(sources, function(world)
    local batch = { "10.0.0.7" }
    for i = 1, 1000 do
      batch[#batch + 1] = ("192.168.%d.%d"):format(i // 250, i % 250)
    end
    change(world, "places", "add", batch)
  end)
  for _ in again:gmatch "%S+" do
    got = got + 1
  end
  expect(not not again:find("10.0.0.7", 1, true), true)
  expect(got < 40, true, got .. " of 200 were asked again")
end

-- Others are as new as the change without being asked; what then changes about them is seen.
function cases.what_was_not_asked_is_asked_later()
  local world <close> = world_of()
  pass(world, "10.0.0.5")
  change(world, "bans", "add", "192.0.2.99")
  expect(pass(world, "10.0.0.5"), "accept")
  change(world, "bans", "add", "10.0.0.5")
  expect(pass(world, "10.0.0.5"), "drop")
  expect(count(world), 0)
  change(world, "bans", "del", "10.0.0.5")
  expect(pass(world, "10.0.0.5"), "accept")
  change(world, "places", "add", "198.51.100.0/24")
  change(world, "bans", "add", "192.0.2.98")
  expect(pass(world, "10.0.0.5"), "drop", "by its destination, and behind another change")
end

function cases.negated_sets()
  local world <close> = world_of()
  change(world, "friends", "add", { "10.0.0.5", "10.0.0.6" })
  expect(pass(world, "10.0.0.5", nil, 99), "accept")
  expect(pass(world, "10.0.0.6", nil, 99), "accept")
  change(world, "friends", "del", "10.0.0.5")
  expect(pass(world, "10.0.0.5", nil, 99), "drop")
  expect(pass(world, "10.0.0.6", nil, 99), "accept")
end

function cases.a_commit_asks_everybody()
  local world <close> = world_of()
  pass(world, "10.0.0.5")
  own(world, { "10.0.0.5" })
  scene.commit(world, scene.checked(POLICY))
  change(world, "bans", "add", "192.0.2.99")
  expect(pass(world, "10.0.0.5"), "drop")
end

-- The generation that is shown is the rule set's, whatever sets change.
function cases.generations_are_those_of_rule_sets()
  local world <close> = world_of()
  local function generation()
    return kernel.with(world, function()
      local found
      for row in states.query({}):each() do
        found = row.generation
      end
      return found
    end)
  end
  pass(world, "10.0.0.5")
  for i = 1, 3 do
    change(world, "bans", "add", "192.0.2." .. i)
    pass(world, "10.0.0.5")
    expect(generation(), 1)
  end
  scene.commit(world, scene.checked(POLICY))
  expect(generation(), 1)
  pass(world, "10.0.0.5")
  expect(generation(), 2)
end

-- Random members come and go; each packet of a live connection is decided as a first one would be.
function cases.live_connections_are_decided_as_new_ones()
  local state = 4711
  local function random(most)
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % most + 1
  end
  local world <close> = world_of(POLICY:gsub("stateful", "limits = { udp_new = 86400 }, stateful"))
  local members = { bans = {}, places = {} }
  local now = 0
  local function has(name, address)
    for network, deadline in next, members[name] do
      local host, length = network:match "^(.-)/(%d+)$"
      local shift = 32 - tonumber(length)
      local function number(text)
        local a, b, c, d = text:match "(%d+)%.(%d+)%.(%d+)%.(%d+)"
        return (tonumber(a) << 24 | tonumber(b) << 16 | tonumber(c) << 8 | tonumber(d)) >> shift
      end
      if deadline > now and number(host) == number(address) then
        return true
      end
    end
    return false
  end
  for step = 1, 3000 do
    local name = random(2) == 1 and "bans" or "places"
    local base = name == "bans" and "10.0." or "198.51."
    local network = random(3) > 1 and base .. random(2) .. "." .. random(8) .. "/32"
      or base .. random(2) .. "." .. random(2) * 4 .. "/30"
    local what = random(12)
    if what <= 2 then
      local timeout = random(3) == 1 and random(20) or nil
      change(world, name, "add", network, timeout and { timeout = timeout } or nil)
      members[name][network] = now + (timeout or 1e9)
    elseif what <= 4 then
      change(world, name, "del", network)
      members[name][network] = nil
    elseif what == 5 then
      local seconds = random(5)
      world:advance(seconds)
      now = now + seconds
    elseif what == 6 and random(10) == 1 then
      change(world, name, "flush")
      members[name] = {}
    else
      local src = "10.0." .. random(2) .. "." .. random(8)
      local dst = "198.51." .. random(2) .. "." .. random(8)
      local wanted = (has("bans", src) or has("places", dst)) and "drop" or "accept"
      expect(pass(world, src, dst), wanted, ("step %d, %s > %s"):format(step, src, dst))
    end
  end
end

return cases
