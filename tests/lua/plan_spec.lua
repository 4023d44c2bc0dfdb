-- SPDX-License-Identifier: GPL-2.0-or-later
-- Plans against a kernel that is a stand-in: what counts as a difference, and how it is told.
local support = require "support"
local fw = require "ipfi.fw"
local netlink = require "ipfi.c.netlink"
local order = require "ipfi.base.lis"
local printer = require "ipfi.base.print"

local kernel = netlink.kernel

local function policy(rules, more)
  return assert(support.policy(("return policy { name = 'gw', %s rules = { %s } }")
    :format(more or "", rules or "")))
end

-- The plan from one policy to another, each given by its rules and other fields.
local function plan(before, after, more_before, more_after)
  fw.commit(policy(before, more_before))
  return fw.plan(policy(after, more_after))
end

-- Its lines about rules, without sign and colour of the rest.
local function lines(p)
  local list = {}
  for line in tostring(p):gmatch("[^\n]+") do
    if line:find("^  [-+~] ") then
      list[#list + 1] = line:sub(3)
    end
  end
  return list
end

before_each(function()
  kernel.reset()
  require("ipfi.base.kernel").close()
end)

describe("a rule that means the same", function()
  local pairs_ = {
    ["ports in another order"] = { "dport = { 80, 443 }", "dport = { 443, 80 }" },
    ["ports by name"] = { "proto = 'tcp', dport = 'http'", "proto = 'tcp', dport = 80" },
    ["ports that touch"] = { "dport = { '1-5', 6 }", "dport = '1-6'" },
    ["a port twice"] = { "dport = { 80, 80 }", "dport = 80" },
    ["protocols by number"] = { "proto = 'tcp'", "proto = 6" },
    ["protocols in another order"] = { "proto = { 'tcp', 'udp' }", "proto = { 17, 6 }" },
    ["the protocols that ports imply"] = { "dport = 53", "proto = { 'udp', 'tcp' }, dport = 53" },
    ["addresses in another order"] = { "src = { '10.0.0.1', 'fd00::1' }", "src = { 'fd00::1', '10.0.0.1' }" },
    ["a prefix as a range"] = { "src = '10.0.0.0/24'", "src = '10.0.0.0-10.0.0.255'" },
    ["prefixes that touch"] = { "src = { '10.0.0.0/25', '10.0.0.128/25' }", "src = '10.0.0.0/24'" },
    ["a prefix inside another"] = { "src = { '10.0.0.0/8', '10.1.0.0/16' }", "src = '10.0.0.0/8'" },
    ["IPv6 prefixes that touch"] = { "src = { 'fd00::/65', 'fd00:0:0:0:8000::/65' }", "src = 'fd00::/64'" },
    ["an address to the last"] =
      { "src = { '255.255.255.0/24', '255.255.255.255' }", "src = '255.255.255.0/24'" },
    ["an address spelt otherwise"] = { "src = 'fd00:0:0::1'", "src = 'fd00::1'" },
    ["a set"] = { "src = set { '10.0.0.1', '10.0.0.2' }", "src = '10.0.0.1-10.0.0.2'" },
    ["lists in another order"] = { "dir = { 'in', 'out' }", "dir = { 'out', 'in' }" },
    ["all lists"] = { "dir = { 'in', 'out', 'forward' }", "" },
    ["a limit a second"] = { "limit = '60/minute burst 5'", "limit = '1/second burst 5'" },
    ["a burst that is said"] = { "limit = '10/minute'", "limit = '10/minute burst 10'" },
    ["a mark with all bits"] = { "mark = 1", "mark = '0x1/0xffffffff'" },
    ["flags in another order"] = { "flags = 'SA/SAFR'", "flags = 'AS/RFAS'" },
    ["ICMP by number"] = { "proto = 'icmp', icmp = 'echo-request'", "proto = 'icmp', icmp = 8" },
    ["dscp by name"] = { "dscp = 'ef'", "dscp = 46" },
    ["a state that is not wanted"] = { "state = false", "" },
    ["a log by the rule's name"] = { "log = true", "log = 'r'" },
  }
  for what, pair in pairs(pairs_) do
    it("has no difference: " .. what, function()
      local p = plan("allow { 'r', " .. pair[1] .. " }", "\n\nallow { 'r', " .. pair[2] .. " }")
      assert.same({}, lines(p))
      assert.is_true(p.empty)
      assert.equal(0, #p)
      assert.matches("^policy 'gw': nothing to do, it is what runs %(generation 1%)\n", tostring(p))
    end)
  end

  it("has none for the order in groups and the default of state", function()
    assert.is_true(plan("allow { 'r', dir = 'in', state = true }", "group { dir = 'in' } { allow { 'r' } }",
      "", "stateful = true,").empty)
  end)
end)

describe("a rule that means something else", function()
  local different = {
    ["dport 80 → 81"] = { "dport = 80", "dport = 81" },
    ["dport 80,443 → 80"] = { "dport = { 80, 443 }", "dport = 80" },
    ["dport 80 → !80"] = { "dport = 80", "dport = '!80'" },
    ["proto tcp,udp → tcp"] = { "dport = 80", "proto = 'tcp', dport = 80" },
    ["src 10.0.0.0/8 → 192.168.0.0/16; limit 10/minute → none"] =
      { "src = '10.0.0.0/8', limit = '10/minute'", "src = '192.168.0.0/16'" },
    ["src me → 10.0.0.1"] = { "src = 'me'", "src = '10.0.0.1'" },
    ["src none → 0.0.0.0/0"] = { "", "src = '0.0.0.0/0'" },
    ["iif eth0 → eth*"] = { "iif = 'eth0'", "iif = 'eth*'" },
    ["iif eth0 → !eth0"] = { "iif = 'eth0'", "iif = '!eth0'" },
    ["dir in → in,out"] = { "dir = 'in'", "dir = { 'in', 'out' }" },
    ["limit 10/minute → 10/minute burst 20"] = { "limit = '10/minute'", "limit = '10/minute burst 20'" },
    ["mark 0x1 → 0x1/0xff"] = { "mark = '0x1'", "mark = '0x1/0xff'" },
    ["state false → true"] = { "", "state = true" },
    ["state true → false"] = { "state = true", "" },
    ["log a → b"] = { "log = 'a'", "log = 'b'" },
    ["comment none → why"] = { "", "comment = 'why'" },
    ["family none → 4"] = { "", "family = 4" },
    ["icmp echo-request → echo-reply"] =
      { "proto = 'icmp', icmp = 'echo-request'", "proto = 'icmp', icmp = 'echo-reply'" },
    ["src +fd00::1 -10.0.0.2"] = {
      "src = { '10.0.0.1', '10.0.0.2', '10.0.0.5', '10.0.0.7', '10.0.0.9' }",
      "src = { '10.0.0.1', 'fd00::1', '10.0.0.5', '10.0.0.7', '10.0.0.9' }" },
  }
  for what, pair in pairs(different) do
    it("is told by its fields: " .. what, function()
      local p = plan("allow { 'r', " .. pair[1] .. " }", "\nallow { 'r', " .. pair[2] .. " }")
      assert.same({ "~ allow 'r' (p.lua:2): " .. what }, lines(p))
      assert.equal("changed", p.changes[1].change)
      assert.equal("p.lua:1", p.changes[1].was_at)
      assert.is_false(p.empty)
    end)
  end

  it("is told by its verdict, and not by the state that it loses", function()
    assert.same({ "~ deny 'r' (p.lua:1): verdict allow → deny" },
      lines(plan("allow { 'r', state = true }", "deny { 'r' }")))
  end)

  it("shows the difference of long lists for programs too", function()
    local p = plan("allow { 'r', src = { '10.0.0.1', '10.0.0.3' } }",
      "allow { 'r', src = { '10.0.0.3', '10.0.0.9' } }")
    assert.same({ { field = "src", from = { "10.0.0.1", "10.0.0.3" }, to = { "10.0.0.3", "10.0.0.9" },
      added = { "10.0.0.9" }, removed = { "10.0.0.1" } } }, p.changes[1].fields)
  end)
end)

describe("the order of rules", function()
  local A, B, C, D = "allow { 'a' },", "allow { 'b' },", "allow { 'c' },", "allow { 'd' },"

  it("is told by as few moved rules as there can be", function()
    assert.same({ "~ allow 'd' (p.lua:1): moved, now at the top, was behind 'c'" },
      lines(plan(A .. B .. C .. D, D .. A .. B .. C)))
    assert.same({ "~ allow 'a' (p.lua:1): moved, now behind 'd', was at the top" },
      lines(plan(A .. B .. C .. D, B .. C .. D .. A)))
    assert.equal(3, #plan(A .. B .. C .. D, D .. C .. B .. A))
  end)

  it("is not touched by rules that come and go", function()
    assert.same({ "- allow 'b' (p.lua:1)", "+ deny 'd' (p.lua:1)" },
      lines(plan(A .. B .. C, A .. C .. "deny { 'd' },")))
    assert.same({ "+ deny 'd' (p.lua:1)", "- allow 'a' (p.lua:1)" },
      lines(plan(A .. B .. C, "deny { 'd' }," .. B .. C)))
  end)

  it("is told beside what else changes", function()
    assert.same({
      "~ allow 'c' (p.lua:1): proto none → tcp",
      "~ allow 'c' (p.lua:1): moved, now at the top, was behind 'b'",
    }, lines(plan(A .. B .. C, "allow { 'c', proto = 'tcp' }," .. A .. B)))
  end)

  it("is found in n log n steps for a hundred thousand rules", function()
    local list, before = {}, os.clock()
    for i = 1, 100000 do
      list[i] = i
    end
    list[1], list[100000] = 100000, 1
    local stays, moved = order.longest_increasing(list), 0
    for i = 1, #list do
      moved = moved + (stays[i] and 0 or 1)
    end
    assert.equal(2, moved)
    assert.is_true(os.clock() - before < 5)
    assert.same({}, order.longest_increasing {})
  end)
end)

describe("rules that come and go", function()
  it("are told with their fields", function()
    assert.same({
      "+ allow 'web' (p.lua:1): dir in  proto tcp  dport 80,443  stateful",
      "- deny 'old' (p.lua:1): src 10.0.0.0/8 [3 packets]",
    }, lines((function()
      fw.commit(policy "deny { 'old', src = '10.0.0.0/8' }")
      kernel.rules[1].packets = 3
      return fw.plan(policy "allow { 'web', dir = 'in', proto = 'tcp', dport = { 80, 443 }, state = true }")
    end)()))
  end)

  it("are renamed when all else is equal", function()
    local p = plan("allow { 'a', dport = 1 }, allow { 'b' }", "allow { 'c', dport = 1 }, allow { 'b' }")
    assert.same({ "~ allow 'c' (p.lua:1): renamed, was 'a'" }, lines(p))
    assert.equal("a", p.changes[1].was_rule)
    -- Elsewhere it is another one.
    assert.same({ "- allow 'a' (p.lua:1): dport 1", "+ allow 'c' (p.lua:1): dport 1" },
      lines(plan("allow { 'a', dport = 1 }, allow { 'b' }", "allow { 'b' }, allow { 'c', dport = 1 }")))
  end)

  it("come all when no rule set runs", function()
    local p = fw.plan(policy "allow { 'a' }")
    assert.equal([[
policy 'gw': 5 to add; no rule set is running: every packet passes
  + name: 'gw'
  + default in: deny
  + default out: deny
  + default forward: deny
  + allow 'a' (p.lua:1)
no live states]], tostring(p))
  end)

  it("do not send control characters to the terminal", function()
    kernel.generation, kernel.name = 1, "x\27[2J"
    kernel.rules = { { id = 1, name = "bell\a", verdict = "allow", lists = { "in" }, at = "\27]0;x" } }
    local shown = tostring(fw.plan(policy ""))
    assert.is_nil(shown:find("[\27\a]"))
    assert.matches("bell\\x07", shown)
  end)
end)

describe("all that is no rule", function()
  it("is compared too", function()
    fw.commit(policy("", [[default = 'reject', limits = { udp_new = 20, tcp_loose = true },]]))
    local p = fw.plan(assert(support.policy [[return policy {
      name = 'other', default = { ["in"] = 'reject', out = 'allow', forward = 'reject' },
      limits = { udp_new = 25, tcp_loose = false, icmp = 30 },
    }]]))
    assert.same({
      "~ name: 'gw' → 'other'", "~ default out: reject → allow", "~ limit tcp_loose: true → false",
      "~ limit udp_new: 20 → 25",
    }, lines(p))
  end)

  it("has the dynamic sets", function()
    fw.commit(policy("", ""))
    kernel.sets = { old = { {}, {} }, bans = {} }
    local p = fw.plan(assert(support.policy [[
      local bans, new = set { name = 'bans', dynamic = true }, set { name = 'new', dynamic = true }
      return policy { name = 'gw', rules = {} }]]))
    assert.same({ "- set 'old' with 2 members", "+ set 'new'" }, lines(p))
  end)

  it("has the NAT rules, in an order of their own", function()
    local function nat(list)
      return assert(support.policy(("return policy { name = 'gw', nat = { %s }, rules = { allow { 'a' } } }")
        :format(list)))
    end
    fw.commit(nat [[masquerade { 'out', oif = 'wan0' },
      dnat { 'www', proto = 'tcp', dport = 80, to = '10.0.0.10:8080' }]])
    assert.is_true(fw.plan(nat [[masquerade { 'out', oif = 'wan0' },
      dnat { 'www', proto = 'tcp', dport = 80, to = '10.0.0.10', to_port = 8080 }]]).empty)
    assert.same({
      "~ dnat 'www' (p.lua:1): to 10.0.0.10:8080 → 10.0.0.11:8081",
      "~ dnat 'www' (p.lua:1): moved, now at the top, was behind 'out'",
      "~ masquerade 'out' (p.lua:2): oif wan0 → wan1",
      "+ snat 'fixed' (p.lua:2): oif wan2  to 192.0.2.1",
    }, lines(fw.plan(nat [[dnat { 'www', proto = 'tcp', dport = 80, to = '10.0.0.11:8081' },
      masquerade { 'out', oif = 'wan1' }, snat { 'fixed', oif = 'wan2', to = '192.0.2.1' }]])))
    assert.same({ "~ dnat 'www' (p.lua:2): to_port 8080 → 8081" }, lines(fw.plan(nat [[
      masquerade { 'out', oif = 'wan0' },
      dnat { 'www', proto = 'tcp', dport = 80, to = '10.0.0.10', to_port = 8081 }]])))
  end)
end)

describe("live states", function()
  before_each(function()
    fw.commit(policy "allow { 'a' }, allow { 'b' }")
    kernel.states = { {}, {}, {}, {}, {}, {}, {} }
    kernel.dry_run = {
      { impact = "denied", list = "in", rule = netlink.rule_id "a", by = "rest", states = 2 },
      { impact = "denied", list = "forward", rule = netlink.rule_id "a", states = 1 },
      { impact = "denied", list = "out", rule = 0, states = 1 },
      { impact = "retranslated", list = "srcnat", rule = netlink.rule_id "b", states = 1 },
      { impact = "retranslated", rest = true, states = 1 },
    }
  end)

  it("are counted by rule", function()
    local p = fw.plan(policy "deny { 'rest' }")
    assert.equal(7, p.states.judged)
    assert.equal(4, p.states.denied.total)
    assert.same({ a = 3, default = 1 }, p.states.denied.by_rule)
    assert.equal(2, p.states.retranslated.total)
    assert.same({ b = 1 }, p.states.retranslated.by_rule)
    assert.equal([[
7 live states, of which
  4 denied: over at the next packet
      2 of 'a' by 'rest' (p.lua:1)
      1 of 'a' by the default of list forward
      1 of no rule by the default of list out
  2 would be translated otherwise; they keep their old translation until they end
      1 of other rules
      1 of 'b', new ones keep their source]], (tostring(p):match("7 live.*$")))
  end)

  it("are told what the commit does with them", function()
    assert.matches("4 denied, but kept %(states = keep%)", tostring(fw.plan(policy "", { states = "keep" })))
    assert.matches("all of the 7 live states end %(states = flush%)",
      tostring(fw.plan(policy "", { states = "flush" })))
    assert.has_error(function() fw.plan(policy "", { states = "kep" }) end)
  end)

  it("may be untouched", function()
    kernel.dry_run = nil
    assert.matches("\n7 live states: none is denied, none would be translated otherwise$",
      tostring(fw.plan(policy "")))
  end)

  it("come as rows behind the changes", function()
    local out = {}
    printer.json(fw.plan(policy "allow { 'b' }"), function(line) out[#out + 1] = line end)
    assert.equal(6, #out)
    assert.matches('"change":"removed"', out[1])
    assert.matches('"by":"rest"', out[2])
  end)
end)

describe("a plan", function()
  it("changes nothing", function()
    fw.commit(policy "allow { 'a' }")
    fw.plan(policy "deny { 'b' }")
    assert.equal(1, kernel.generation)
    assert.equal("a", kernel.rules[1].name)
  end)

  it("names the rule that the kernel refuses", function()
    kernel.refuse.rule = "bad"
    local ok, problem = pcall(fw.plan, policy "allow { 'bad' }")
    assert.is_false(ok)
    assert.matches("^p%.lua:1: rule 'bad': refused by the kernel", problem.message)
    assert.equal(4, problem.status)
  end)

  it("is an error of its own without the module", function()
    kernel.absent = true
    local ok, problem = pcall(fw.plan, policy "")
    assert.is_false(ok)
    assert.equal(5, problem.status)
  end)

  it("wants a policy", function()
    assert.has_error(function() fw.plan {} end)
  end)
end)

-- Random policies, each as a list of rules that are written in several ways.
describe("of random policies a plan", function()
  local random = math.random

  local function pick(list)
    return list[random(#list)]
  end

  local function shuffled(list)
    local copy = table.move(list, 1, #list, 1, {})
    for i = #copy, 2, -1 do
      local j = random(i)
      copy[i], copy[j] = copy[j], copy[i]
    end
    return copy
  end

  -- The fields of a rule, as { name, list of values }.
  local function random_fields()
    local fields = {}
    local function maybe(name, make)
      if random(3) == 1 then
        fields[#fields + 1] = { name, make() }
      end
    end
    local function several(make)
      return function()
        local list = {}
        for i = 1, random(4) do
          list[i] = make()
        end
        return list
      end
    end
    maybe("dir", function() return pick { { "in" }, { "out" }, { "forward" }, { "in", "forward" } } end)
    maybe("src", several(function()
      return ("10.%d.%d.0/%d"):format(random(0, 3), random(0, 3), random(22, 26))
    end))
    maybe("dst", several(function() return ("fd00:%x::/%d"):format(random(0, 15), random(30, 34)) end))
    maybe("dport", several(function() return random(80, 90) end))
    maybe("length", several(function() return random(1, 1500) end))
    maybe("limit", function() return { ("%d/minute"):format(random(9)) } end)
    maybe("mark", function() return { random(3) } end)
    maybe("log", function() return { "x" } end)
    return fields
  end

  -- Of a pair that cannot match (IPv4 from, IPv6 to) one is left out.
  local function sound(fields)
    local src = false
    for i = #fields, 1, -1 do
      if fields[i][1] == "dst" then
        src = true
      elseif fields[i][1] == "src" and src then
        table.remove(fields, i)
      end
    end
    return fields
  end

  -- One of the ways to write the rule: fields and lists in any order.
  local function write(rule)
    local parts = { ("%q"):format(rule.name) }
    for _, field in ipairs(shuffled(rule.fields)) do
      local items = {}
      for i, value in ipairs(shuffled(field[2])) do
        items[i] = ("%q"):format(value)
      end
      parts[#parts + 1] = #items == 1 and ("%s = %s"):format(field[1], items[1])
        or ("%s = { %s }"):format(field[1], table.concat(items, ", "))
    end
    return ("%s { %s },"):format(rule.verdict, table.concat(parts, ", "))
  end

  local function random_rules()
    local list = {}
    for i, name in ipairs(shuffled { "a", "b", "c", "d", "e", "f", "g", "h" }) do
      if random(3) > 1 or i == 1 then
        list[#list + 1] = { name = name, verdict = pick { "allow", "deny" }, fields = sound(random_fields()) }
      end
    end
    return list
  end

  local function of(rules)
    local lines_ = {}
    for i, rule in ipairs(rules) do
      lines_[i] = write(rule)
    end
    return policy(table.concat(lines_, "\n"))
  end

  it("against the same is empty however it is written", function()
    math.randomseed(20250101)
    for _ = 1, 150 do
      local rules = random_rules()
      fw.commit(of(rules))
      local p = fw.plan(of(rules))
      assert.is_true(p.empty, tostring(p))
    end
  end)

  -- What runs after the plan's edits, as name and meaning in order.
  local function edited(p, before, after)
    local canonical = require "ipfi.plan.canonical"
    local list, inserts, gone = {}, {}, {}
    local new = {}
    for _, rule in ipairs(after.rules) do
      new[rule.name] = { name = rule.name, said = canonical.text(rule.wire) }
    end
    local changed = {}
    for _, row in ipairs(p.changes) do
      if row.change == "added" or row.change == "moved" then
        inserts[#inserts + 1] = row
      end
      if row.change == "removed" or row.change == "moved" then
        gone[row.was_place] = true
      end
      if row.change == "renamed" then
        changed[row.was_rule] = new[row.rule]
      elseif row.change == "changed" then
        changed[row.rule] = new[row.rule]
      end
    end
    for place, rule in ipairs(before.rules) do
      if not gone[place] then
        list[#list + 1] = changed[rule.name] or { name = rule.name, said = canonical.text(rule.wire) }
      end
    end
    table.sort(inserts, function(a, b) return a.place < b.place end)
    for _, row in ipairs(inserts) do
      table.insert(list, row.place, new[row.rule])
    end
    return list
  end

  it("leads from one to the other", function()
    math.randomseed(20250102)
    local canonical = require "ipfi.plan.canonical"
    for _ = 1, 150 do
      local before, after = of(random_rules()), of(random_rules())
      fw.commit(before)
      local p = fw.plan(after)
      local wanted = {}
      for i, rule in ipairs(after.rules) do
        wanted[i] = { name = rule.name, said = canonical.text(rule.wire) }
      end
      assert.same(wanted, edited(p, before, after))
    end
  end)
end)
