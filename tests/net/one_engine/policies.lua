-- SPDX-License-Identifier: GPL-2.0-or-later
-- Random policies for the network of one_engine.sh, as text. What they name is drawn from small pools, those
-- that packets.lua draws from too, so that packets stand on the boundaries of rules.
local policies = {}

local random = math.random

local function chance(percent)
  return random(100) <= percent
end

local function one_of(list)
  return list[random(#list)]
end

--- Devices, in the order in which tool/gate knows them; what their networks are; where all else is.
policies.devices = { "lan0", "dmz0", "wan0" }
policies.networks = {
  lan0 = { "10.0.0.", "fd00:1::" }, dmz0 = { "10.1.0.", "fd00:2::" }, wan0 = { "203.0.113.", "2001:db8:f::" },
}
policies.beyond = { "198.51.100.", "2001:db8:a::" }

--- A host's address: on a device's network or beyond them; 1 is the machine's own.
function policies.host(where, family, number)
  return (policies.networks[where] or policies.beyond)[family == 4 and 1 or 2] .. number
end

local WHERE = { "lan0", "dmz0", "wan0", "beyond" }
policies.ports = { 21, 22, 53, 80, 443, 1000, 1023, 1024, 2121, 8080, 40000, 40001, 65535 }
policies.users = { 0, 33, 1000 }
policies.marks = { 0, 1, 0x10, 0x11, 0xffffffff }
policies.dscps = { 0, 8, 46, 63 }

local function quote(s)
  return ("%q"):format(s)
end

local function some_host(family)
  return policies.host(one_of(WHERE), family or one_of { 4, 6 }, random(1, 6))
end

-- In a policy whose translations may choose among addresses, rules do not tell one from the other: what is chosen
-- is known to nobody, and what follows from it could not be compared.
local several = false

-- The text of one value of an address field.
local function one_address(family)
  local kind = several and one_of { 5, 10 } or random(10)
  family = family or one_of { 4, 6 }
  local where = one_of(WHERE)
  if kind <= 4 then
    return quote(some_host(family))
  elseif kind <= 6 then
    local length = family == 4 and one_of { 24, 29, 30 } or one_of { 64, 125, 126 }
    return quote(("%s/%d"):format(policies.host(where, family, 0), several and (family == 4 and 24 or 64) or length))
  elseif kind <= 8 then
    local from = random(1, 4)
    return quote(policies.host(where, family, from) .. "-" .. policies.host(where, family, from + random(0, 3)))
  elseif kind == 9 then
    return one_of { "set_one", "set_two" }
  end
  return quote "me"
end

local function addresses(family)
  if chance(70) then
    local value = one_address(family)
    if chance(15) then
      return value:find("^set_") and "~" .. value or '"!' .. value:sub(2)
    end
    return value
  end
  local list = {}
  for i = 1, random(2, 4) do
    list[i] = one_address(family)
  end
  return "{ " .. table.concat(list, ", ") .. " }"
end

local function ports()
  local kind = random(6)
  if kind <= 3 then
    return tostring(one_of(policies.ports))
  elseif kind == 4 then
    local from = one_of(policies.ports)
    return quote(("%d-%d"):format(from, math.min(65535, from + one_of { 0, 1, 100, 30000 })))
  elseif kind == 5 then
    return ("{ %d, %d }"):format(one_of(policies.ports), one_of(policies.ports))
  end
  return quote("!" .. one_of(policies.ports))
end

local PROTOS = { '"tcp"', '"tcp"', '"tcp"', '"udp"', '"udp"', '"icmp"', '"icmpv6"', '"sctp"', '"udplite"',
  '"dccp"', '"gre"', '{ "tcp", "udp" }', '"!udp"', '"!tcp"', "{ 6, 17, 132 }" }
local ICMP = { '"echo-request"', '"echo-reply"', '"port-unreachable"', '"destination-unreachable"',
  '"ttl-exceeded"', '"packet-too-big"', '"!echo-request"' }
local FLAGS = { '"S"', '"S/SA"', '"A/A"', '"SF/SF"', '"R/R"', '"/FSRPAU"', '"PA"' }

local WITH_PORTS = { ['"tcp"'] = true, ['"udp"'] = true, ['"sctp"'] = true, ['"udplite"'] = true,
  ['"dccp"'] = true, ['{ "tcp", "udp" }'] = true, ["{ 6, 17, 132 }"] = true }

-- The conditions that rules and NAT rules share.
local function conditions(out, family)
  local proto = chance(60) and one_of(PROTOS) or nil
  out.proto = proto
  if (not proto or WITH_PORTS[proto]) and chance(55) then
    out.dport = ports()
  end
  if (not proto or WITH_PORTS[proto]) and chance(15) then
    out.sport = ports()
  end
  if chance(40) then
    out.src = addresses(family)
  end
  if chance(35) then
    out.dst = addresses(family)
  end
end

local function devices_of(out, dir)
  if dir ~= "out" and chance(25) then
    out.iif = one_of { '"lan0"', '"wan0"', '"dmz0"', '"lo"', '"*"', '"l*"', '"!lan0"', '"!w*"' }
  end
  if dir ~= "in" and chance(25) then
    out.oif = one_of { '"lan0"', '"wan0"', '"dmz0"', '"d*"', '"!wan0"' }
  end
end

local function written(word, name, fields)
  local keys = {}
  for key in pairs(fields) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  local out = { quote(name) }
  for _, key in ipairs(keys) do
    out[#out + 1] = ("%s = %s"):format(key, fields[key])
  end
  return ("%s { %s }"):format(word, table.concat(out, ", "))
end

local function filter_rule(name)
  local word = one_of { "allow", "allow", "allow", "allow", "deny", "deny", "reject" }
  local out = {}
  local dir = chance(60) and one_of { "in", "out", "forward", "forward" } or nil
  out.dir = dir and quote(dir)
  local family = chance(15) and one_of { 4, 6 } or nil
  out.family = family and tostring(family)
  devices_of(out, dir)
  conditions(out, family)
  if not out.proto and not out.dport and not out.sport and chance(15) then
    out.icmp = one_of(ICMP)
  elseif (not out.proto or out.proto == '"tcp"') and chance(8) then
    out.flags = one_of(FLAGS)
  end
  if chance(6) then
    out.length = one_of { '"0-60"', "40", '"100-200"', '"!60"' }
  end
  if chance(6) then
    out.dscp = one_of { "0", '"ef"', '"!cs1"', '"8-46"' }
  end
  if chance(6) then
    out.mark = one_of { "1", '"0x10/0xf0"', '"!0x11"', '"0x0/0x1"' }
  end
  if dir == "out" and chance(20) then
    out.user = one_of { "0", "33", '"0-100"', '"!1000"' }
  end
  if chance(8) then
    out.limit = quote(("%d/day burst %d"):format(random(1, 3), random(1, 8)))
  end
  if word == "allow" then
    if chance(60) then
      out.state = "true"
      if chance(10) then
        out.per_source = tostring(random(1, 4))
      end
    end
    if out.proto == '"tcp"' and chance(20) then
      out.helper = '"ftp"'
    end
    if out.proto == '"tcp"' and out.state and chance(15) then
      out.mss = one_of { "1000", "536" }
    end
  end
  return written(word, name, out)
end

-- Nobody else has those of several, and those of sources are not those of destinations: a translation to the address
-- that somebody has already is none.
local function target(family, of_source)
  local where = one_of { "lan0", "dmz0", "dmz0", "wan0", "beyond" }
  local from = several and random(100, 110) + (of_source and 20 or 0) or random(2, 5)
  local address = policies.host(where, family, from)
  if several then
    address = address .. "-" .. policies.host(where, family, from + 1)
  end
  return quote(address)
end

-- Of several ports, as of several addresses: nobody else has them, and no rule tells one from the other.
local function target_ports(of_source)
  local from, more = one_of { 8080, 1024, 600, 2000, 50000 }, random(0, 3)
  if random(2) == 1 then
    return tostring(from)
  elseif more > 0 then
    from = from + (of_source and 20 or 10)
  end
  return quote(("%d-%d"):format(from, from + more))
end

local function nat_rule(name)
  local word = one_of { "dnat", "dnat", "redirect", "snat", "masquerade", "masquerade" }
  local out = {}
  local family = one_of { 4, 4, 6 }
  out.family = tostring(family)
  conditions(out, family)
  if word == "dnat" or word == "snat" then
    out.to = target(family, word == "snat")
  end
  if not out.proto and (out.dport or chance(60)) then
    out.proto = one_of { '"tcp"', '"udp"', '{ "tcp", "udp" }' }
  end
  if WITH_PORTS[out.proto or ""] and (word == "redirect" or chance(30)) then
    out.to_port = target_ports(word == "snat" or word == "masquerade")
  end
  if word == "dnat" or word == "redirect" then
    if chance(30) then
      out.iif = one_of { '"lan0"', '"wan0"', '"!lo"' }
    end
  else
    if chance(60) then
      out.oif = one_of { '"wan0"', '"dmz0"', '"lan0"' }
    end
    if chance(20) then
      out.persistent = "true"
    end
  end
  return written(word, name, out)
end

--- Makes a policy.
-- @param seed number
-- @return { name =, text = function (without) -> source, without the rules of these names; sets = members by
--   name }
function policies.make(seed)
  math.randomseed(seed, 7919)
  local head, nat, rules = {}, {}, {}
  several = chance(20)
  local policy_name = ("p%d"):format(seed)
  head[#head + 1] = ("  name = %q,"):format(policy_name)
  head[#head + 1] = ("  default = { [\"in\"] = %q, out = %q, forward = %q },"):format(
    one_of { "deny", "deny", "deny", "allow", "reject" }, one_of { "deny", "allow", "allow", "reject" },
    one_of { "deny", "deny", "deny", "reject", "allow" })
  head[#head + 1] = ("  stateful = %s,"):format(chance(50))
  -- Limits outlive a commit that does not name them.
  head[#head + 1] = ("  limits = { max_states = %d, max_states_per_source = %d, tcp_loose = %d },"):format(
    chance(10) and random(4, 12) or 65536, chance(10) and random(1, 4) or 0, chance(80) and 1 or 0)
  for i = 1, chance(60) and random(1, 4) or 0 do
    nat[i] = { name = ("n%d_%d"):format(seed, i) }
    nat[i].text = nat_rule(nat[i].name)
  end
  for i = 1, random(1, chance(20) and 40 or 10) do
    rules[i] = { name = ("r%d_%d"):format(seed, i) }
    rules[i].text = filter_rule(rules[i].name)
  end
  -- Members outlive a commit too, for as long as a set of that name is declared.
  local one, two = ("one%d"):format(seed), ("two%d"):format(seed)
  local sets = { [one] = {}, [two] = {} }
  for _, name in ipairs { one, two } do
    local members = sets[name]
    for _ = 1, random(0, 5) do
      local family = one_of { 4, 6 }
      members[#members + 1] = chance(60) and some_host(family)
        or policies.host(one_of(WHERE), family, 0) .. (family == 4 and "/29" or "/125")
    end
  end
  local made = { name = policy_name, sets = sets }
  function made.text(without)
    local out = { ("local set_one = set { name = %q, dynamic = true }"):format(one),
      ("local set_two = set { name = %q, dynamic = true }"):format(two), "return policy {" }
    table.move(head, 1, #head, #out + 1, out)
    for _, part in ipairs { { "nat", nat }, { "rules", rules } } do
      out[#out + 1] = ("  %s = {"):format(part[1])
      for _, rule in ipairs(part[2]) do
        out[#out + 1] = not without[rule.name] and ("    %s,"):format(rule.text) or nil
      end
      out[#out + 1] = "  },"
    end
    out[#out + 1] = "}"
    return table.concat(out, "\n") .. "\n"
  end
  return made
end

return policies
