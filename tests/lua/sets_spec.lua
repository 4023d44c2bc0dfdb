-- SPDX-License-Identifier: GPL-2.0-or-later
-- Dynamic sets: in the policy language, as messages, and as scripts use them.
local support = require "support"
local complete = require "ipfi.prompt.complete"
local duration = require "ipfi.field.duration"
local fw = require "ipfi.fw"
local netlink = require "ipfi.c.netlink"
local printer = require "ipfi.base.print"

local kernel = netlink.kernel

local function problems(source)
  local p, problem = support.policy(source)
  assert.is_nil(p)
  return problem
end

-- The error value that a call raises.
local function failure(f, ...)
  local ok, problem = pcall(f, ...)
  assert.is_false(ok)
  return problem
end

local function plain(value)
  return printer.show(value, require("ipfi.base.style").plain())
end

before_each(function()
  kernel.reset()
  require("ipfi.base.kernel").close()
end)

describe("set with a name", function()
  local function declare(rest)
    return support.policy("local bans = set { name = 'bans', dynamic = true } " .. rest)
  end

  it("is declared with the rule set and asked by name", function()
    local p = assert(declare [[return policy { name = "p", rules = {
      deny { "from", src = bans },
      deny { "to", dst = { "192.0.2.1", bans, "me" } },
      allow { "rest", src = ~bans } } }]])
    local messages = fw.compile(p)
    assert.same({ "bans" }, messages[1].ruleset.set)
    assert.same({ set = { "bans" } }, messages[2].rule.src)
    assert.same({ ranges = { { from = "192.0.2.1" } }, me = true, set = { "bans" } }, messages[3].rule.dst)
    assert.same({ set = { "bans" } }, messages[4].rule.src)
    assert.same({ "src" }, messages[4].rule.negated)
    assert.equal('{"src":"@bans"}', messages[2].rule.written)
    assert.equal('{"dst":["192.0.2.1","@bans","me"]}', messages[3].rule.written)
    assert.equal('{"src":"!@bans"}', messages[4].rule.written)
  end)

  it("is declared when no rule asks it, once however often it is made", function()
    local p = assert(declare [[
      local again = set { name = "bans", dynamic = true }
      local other = set { name = "other", dynamic = true }
      return policy { rules = { deny { "x", src = { bans, again } } } }]])
    assert.same({ "bans", "other" }, fw.compile(p)[1].ruleset.set)
    assert.same({ set = { "bans" } }, p.rules[1].wire.src)
    assert.is_nil(fw.compile(assert(support.policy "return policy {}"))[1].ruleset.set)
  end)

  it("may stand in a set, and in the NAT rules", function()
    local p = assert(declare [[
      local all = set { "10.0.0.0/8", bans }
      return policy { rules = { deny { "x", src = ~all } },
        nat = { masquerade { "m", oif = "wan0", src = bans } } }]])
    assert.same({ ranges = { { from = "10.0.0.0", to = "10.255.255.255" } }, set = { "bans" } },
      p.rules[1].wire.src)
    assert.same({ set = { "bans" } }, p.nat[1].wire.src)
    assert.matches("what a dynamic set holds can change; a translation has targets that stay",
      problems [[local b = set { name = "b", dynamic = true }
        return policy { nat = { dnat { "d", to = b } } }]])
  end)

  it("fits rules of both families", function()
    assert(declare "return policy { rules = { deny { 'x', family = 6, src = bans } } }")
    assert(declare "return policy { rules = { deny { 'x', dst = '10.0.0.1', src = bans } } }")
  end)

  it("says what is wrong with it", function()
    for source, message in pairs {
      ["set { name = 'bans' }"] = "only a dynamic set has a name: say dynamic = true, or leave the name out",
      ["set { dynamic = true }"] = "a dynamic set needs a name",
      ["set { name = 'bans', dynamic = 'yes' }"] = "only a dynamic set has a name: say dynamic = true",
      ["set { name = 'bans', dynamic = true, '10.0.0.1' }"] =
        "a dynamic set gets its members while it runs, by fw.set(name):add(...)",
      ["set { name = 'bans', dynamic = true, timeout = 5 }"] = "unknown 'timeout'",
      ["set { nam = 'bans', dynamic = true }"] = "unknown 'nam'; did you mean 'name'?",
      ["set { name = ('x'):rep(32), dynamic = true }"] = "has 32 bytes; at most 31 fit",
      ["set { name = 'my bans', dynamic = true }"] = "'my bans' is no name of a dynamic set: letters, digits",
      ["set { name = '-b', dynamic = true }"] = "'-b' is no name of a dynamic set",
      ["set { name = '', dynamic = true }"] = "'' is no name of a dynamic set",
      ["set { name = 7, dynamic = true }"] = "the name of a dynamic set is text, got 7",
      ["set 'bans'"] = "write set { name = 'bans', dynamic = true }, or set { addresses }",
    } do
      local said = problems("local x = " .. source .. " return policy {}")
      assert.equal("p.lua:1: set: ", said:sub(1, 14))
      assert.is_truthy(said:find(message, 1, true), said)
    end
    assert.matches("bad address '@bans' %(a dynamic set is used by its value",
      problems "return policy { rules = { deny { 'x', src = '@bans' } } }")
    local many = {}
    for i = 1, 1025 do
      many[i] = ("s = set { name = 's%d', dynamic = true }"):format(i)
    end
    assert.matches("policy: 1025 dynamic sets are more than 1024",
      problems("local s " .. table.concat(many, " ") .. " return policy {}"))
  end)

  it("is shown as its definition, and in the running rules by its name", function()
    assert.equal("p.lua:1: set { @bans }",
      problems [[error(tostring(set { name = "bans", dynamic = true }))]])
    fw.commit(assert(declare "return policy { rules = { deny { 'x', src = ~bans } } }"))
    assert.equal("!@bans", fw.running().rules[1].src)
    kernel.rules[1].written = nil
    assert.equal("!@bans", fw.running().rules[1].src)
  end)

  it("at the prompt belongs to the policies that use it", function()
    local _, words = require("ipfi.policy.policy").words { direct = true }
    local bans = words.set { name = "bans", dynamic = true }
    words.set { name = "mistyped", dynamic = true }
    local with = words.policy { rules = { words.deny { "x", src = bans } } }
    assert.same({ "bans" }, fw.compile(with)[1].ruleset.set)
    assert.is_nil(fw.compile(words.policy {})[1].ruleset.set)
    assert.matches("set: a dynamic set needs a name", tostring(failure(words.set, { dynamic = true })))
  end)
end)

describe("fw.set", function()
  before_each(function()
    fw.commit(assert(support.policy [[
      local bans = set { name = "bans", dynamic = true }
      return policy { rules = { deny { "x", src = bans } } }]]))
  end)

  it("adds, finds, lists and deletes", function()
    local set = fw.set "bans"
    assert.equal(3, set:add { "192.0.2.1", "2001:db8::/32", "10.0.0.0/8" })
    assert.equal(1, set:add({ "192.0.2.1", "192.0.2.9" }, { timeout = 90 }))
    assert.equal(4, set:count())
    local list = {}
    for _, row in ipairs(set:list()) do
      list[#list + 1] = ("%s %s"):format(row.address, row.timeout or "ever")
    end
    assert.same({ "10.0.0.0/8 ever", "192.0.2.1 90.0", "192.0.2.9 90.0", "2001:db8::/32 ever" }, list)
    assert.same({ true, "10.0.0.0/8" }, { set:has "10.0.0.0/8" })
    assert.is_false(set:has "192.0.2.7")
    assert.equal(1, set:del { "192.0.2.1", "192.0.2.2" })
    assert.equal(0, set:del {})
    assert.equal(3, set:count())
    assert.equal(3, set:flush())
    assert.equal(0, set:count())
  end)

  it("keeps what it has over a commit", function()
    fw.set("bans"):add "192.0.2.1"
    fw.commit(assert(support.policy [[
      return policy { rules = { deny { "y", src = set { name = "bans", dynamic = true } } } }]]))
    assert.equal(1, fw.set("bans"):count())
  end)

  it("sends members as the kernel wants them, many in several messages", function()
    local set, many = fw.set "bans", {}
    for i = 1, 3001 do
      many[i] = ("10.0.%d.%d"):format(i >> 8, i & 255)
    end
    kernel.requests = {}
    assert.equal(3001, set:add(many, { timeout = "1h30m" }))
    assert.equal(3, #kernel.requests)
    assert.same({ addr = "10.0.0.1", timeout = 5400000 }, kernel.requests[1].set.member[1])
    set:add "fd00::/8"
    assert.same({ cmd = "set_add", set = { name = "bans", member = { { addr = "fd00::", length = 8 } } } },
      kernel.requests[4])
  end)

  it("refuses what is no member before anything is sent", function()
    local set = fw.set "bans"
    kernel.requests = {}
    for message, f in pairs {
      ["fw.set('bans'):add: bad address '192.0.2.300'"] =
        function() set:add { "192.0.2.1", "192.0.2.300" } end,
      ["fw.set('bans'):add: '192.0.2.7/24' has bits set behind its prefix; did you mean '192.0.2.0/24'?"] =
        function() set:add "192.0.2.7/24" end,
      ["'10.0.0.0/33': an IPv4 prefix has at most 32 bits"] = function() set:add "10.0.0.0/33" end,
      ["'10.0.0.1-10.0.0.9': a dynamic set holds addresses and prefixes, no ranges"] =
        function() set:del "10.0.0.1-10.0.0.9" end,
      ["expected an address or a prefix, got 7"] = function() set:add(7) end,
      ["got nil"] = function() set:add(nil) end,
      ["the list has the key 'timeout'"] = function() set:add { "10.0.0.1", timeout = 5 } end,
      ["fw.set('bans'):add: timeout: expected seconds or text like '90s', '10m' or '1h30m', got 'soon'"] =
        function() set:add("10.0.0.1", { timeout = "soon" }) end,
      ["timeout: 0 is not in 1 to 4294967 seconds"] = function() set:add("10.0.0.1", { timeout = 0 }) end,
      ["unknown option 'timout'; did you mean 'timeout'?"] =
        function() set:add("10.0.0.1", { timout = 5 }) end,
      ["expected { timeout = seconds }, got 5"] = function() set:add("10.0.0.1", 5) end,
      ["fw.set: 'my bans' is no name of a dynamic set"] = function() fw.set "my bans" end,
      ["fw.set: the name of a dynamic set is text, got nil"] = function() fw.set() end,
      ["fw.set('bans'):has: expected an address or a prefix, got a table"] = function() set:has {} end,
    } do
      local problem = failure(f)
      assert.equal("lua", problem.kind)
      assert.is_truthy(tostring(problem):find(message, 1, true), tostring(problem))
    end
    assert.same({}, kernel.requests)
  end)

  it("says which line of a policy would declare a set that is not there", function()
    for _, method in ipairs { "add", "del", "flush", "count", "list", "has" } do
      local set = fw.set "ban"
      local problem = failure(set[method], set, "192.0.2.1")
      assert.equal("refused", problem.kind)
      assert.equal("the running policy declares no dynamic set 'ban'; did you mean 'bans'?; this line in it "
        .. "would: local ban = set { name = \"ban\", dynamic = true }", tostring(problem))
    end
    local other = fw.set "7-days"
    local said = tostring(failure(other.list, other))
    assert.is_truthy(said:find('local _7_days = set { name = "7-days"', 1, true))
  end)

  it("passes other refusals on", function()
    kernel.refuse.set_add = { errno = 28, name = "ENOSPC",
      message = "a dynamic set has a million members at most" }
    local set = fw.set "bans"
    assert.equal("fw.set('bans'):add: a dynamic set has a million members at most",
      tostring(failure(set.add, set, "192.0.2.1")))
    kernel.refuse.sets_dump = { errno = 1, name = "EPERM", message = "Operation not permitted" }
    assert.equal("permission", failure(set.list, set).kind)
  end)

  it("shows its members", function()
    local set = fw.set "bans"
    assert.equal("set 'bans': 0 members\n", plain(set))
    assert.equal("no members\n", plain(set:list()))
    set:add({ "192.0.2.1", "2001:db8::/32" })
    set:add("192.0.2.2", { timeout = "10m" })
    assert.equal(table.concat({
      "set 'bans': 3 members",
      "ADDRESS        LEFT",
      "192.0.2.1      ever",
      "192.0.2.2       600",
      "2001:db8::/32  ever", "" }, "\n"), plain(set))
    assert.equal((plain(set):gsub("\n$", "")), tostring(set))
    assert.equal("192.0.2.1", tostring(set:list()[1]))
    local lines = {}
    printer.json(set, function(line) lines[#lines + 1] = line end)
    assert.equal('{"address":"192.0.2.2","timeout":600}\n', lines[2])
  end)

  it("cuts what would fill many screens, and counts the rest", function()
    local set, many = fw.set "bans", {}
    for i = 1, 1005 do
      many[i] = ("10.0.%d.%d"):format(i >> 8, i & 255)
    end
    set:add(many)
    local shown = printer.show(set, support.terminal(100))
    assert.matches("^set 'bans': 1005 members\n", shown)
    assert.matches("%.%.%. and 5 more %(set:each%(%) goes through all%)\n$", shown)
  end)
end)

describe("fw.sets", function()
  it("lists the sets and counts their members", function()
    assert.equal("no dynamic sets\n", plain(fw.sets()))
    kernel.sets = { bans = { { addr = "192.0.2.1", length = 32 } }, friends = {} }
    local list = fw.sets()
    assert.same({ name = "bans", members = 1 }, list[1])
    assert.equal("SET      MEMBERS\nbans           1\nfriends        0\n", plain(list))
    assert.equal("SET      MEMBERS\nbans           1\nfriends        0", tostring(list))
  end)
end)

describe("completion of sets", function()
  it("knows their names and methods", function()
    kernel.sets = { bans = {}, friends = {} }
    assert.same({ "bans" }, (complete.candidates("b", 'fw.set("', _G)))
    assert.same({ "bans", "friends" }, (complete.candidates("", 'fw.set("', _G)))
    assert.same({ "flush" }, (complete.candidates("f", 'fw.set("bans"):', _G)))
    assert.same({ "dynamic =" }, (complete.candidates("d", "local bans = set { name = 'bans', ", _G)))
    kernel.absent = true
    require("ipfi.base.kernel").close()
    assert.same({}, (complete.candidates("", 'fw.set("', _G)))
  end)
end)

describe("a length of time", function()
  it("is seconds, or text with units", function()
    for value, milliseconds in pairs {
      [5] = 5000, [0.25] = 250, ["90"] = 90000, ["90s"] = 90000, ["10m"] = 600000, ["1h30m"] = 5400000,
      ["2d"] = 172800000, ["1w"] = 604800000, [" 1h 5s "] = 3605000, [0.0001] = 1,
    } do
      assert.equal(milliseconds, duration.milliseconds(value, 4294967))
    end
    for _, value in ipairs { "", "m", "5x", "5 m 3", "30m1h", "1m1m", "-5", "50d", 0, -1, 0 / 0,
      math.huge, {}, true } do
      assert.is_nil((duration.milliseconds(value, 4294967)))
    end
  end)
end)
