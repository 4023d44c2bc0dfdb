-- SPDX-License-Identifier: GPL-2.0-or-later
-- The examples run: each policy with each of its arguments, each job on a kernel that is a stand-in.
local support = require "support"
local fw = require "ipfi.fw"
local loader = require "ipfi.policy.loader"
local netlink = require "ipfi.c.netlink"
local settings = require "ipfi.base.settings"

local kernel = netlink.kernel

-- Users that the examples name, which the stand-in does not have.
local sys = require "ipfi.c.sys"
local user = sys.user
function sys.user(name)
  return user(name) or ({ ["www-data"] = 33, _apt = 42 })[name]
end

local function names(p)
  local list = {}
  for _, rule in ipairs(p.rules) do
    list[rule.name] = rule
  end
  return list
end

describe("examples/workstation.lua", function()
  it("lets the machine ask, and nobody else", function()
    local p = loader.load "examples/workstation.lua"
    local rules = names(p)
    assert.same({ ["in"] = "deny", out = "deny", forward = "deny" }, p.default)
    assert.same({ "out" }, rules.anything.wire.lists)
    assert.same({ "stateful" }, rules.anything.wire.flags)
    assert.same({ "in" }, rules.ssh.wire.lists)
    assert.is_nil(names(loader.load("examples/workstation.lua", { ssh = "no" })).ssh)
    local home = names(loader.load("examples/workstation.lua", { home = "10.3.0.0/16" })).ssh.wire.src
    assert.same({ ranges = { { from = "10.3.0.0", to = "10.3.255.255" } } }, home)
  end)
end)

describe("examples/router.lua", function()
  it("forwards from the inner side in both families", function()
    local rules = names(loader.load("examples/router.lua", { lan = "eth1", wan = "eth0" }))
    local web = rules["out web"].wire
    assert.same({ "forward" }, web.lists)
    assert.same({ "eth1", "eth0" }, { web.iif, web.oif })
    assert.is_nil(web.family)
    assert.same({ { from = 80 }, { from = 443 } }, web.dport)
    assert.is_nil(rules["web server"])
  end)

  it("publishes a server in the families it has", function()
    local args = { server = "192.0.2.80", server6 = "2001:db8::80" }
    local both = names(loader.load("examples/router.lua", args))["web server"].wire
    assert.same({ { from = "192.0.2.80" }, { from = "2001:db8::80" } }, both.dst.ranges)
    local one = names(loader.load("examples/router.lua", { server6 = "2001:db8::80" }))["web server"].wire
    assert.same({ { from = "2001:db8::80" } }, one.dst.ranges)
  end)
end)

describe("examples/gateway.lua", function()
  local function load(args)
    local p = loader.load("examples/gateway.lua", args)
    local rules = names(p)
    for _, rule in ipairs(p.nat) do
      rules[rule.name] = rule
    end
    return rules, p
  end

  it("lets the inner side out by its address", function()
    local rules, p = load { wan = "eth0", lan = "eth1", net = "10.0.0.0/16" }
    assert.equal(2, #p.nat)
    local inside = { ranges = { { from = "10.0.0.0", to = "10.0.255.255" } } }
    local out, hairpin = rules["lan out"].wire, rules.hairpin.wire
    assert.same({ "masquerade", "eth0", 4, inside, { "persistent" } },
      { out.verdict, out.oif, out.family, out.src, out.flags })
    assert.same({ "masquerade", "eth1", "eth1", inside },
      { hairpin.verdict, hairpin.iif, hairpin.oif, hairpin.src })
    local ftp = rules["ftp out"].wire
    assert.same({ "ftp", { "stateful" }, 0xffff, { "forward" } },
      { ftp.helper, ftp.flags, ftp.mss, ftp.lists })
    assert.is_nil(ftp.src)
    -- IPv6 goes out by the same rules and is not translated.
    assert.same({ nil, 0xffff }, { rules["tcp out"].wire.family, rules["tcp out"].wire.mss })
    assert.is_nil(rules["udp out"].wire.mss)
    assert.is_nil(rules["web server"])
  end)

  it("publishes servers in the families that they have", function()
    local rules, p = load { www = "10.0.0.10", www6 = "2001:db8::10", ftp6 = "2001:db8::20" }
    assert.equal(3, #p.nat)
    local published = rules["web published"].wire
    assert.same({ me = true }, published.dst)
    assert.same({ "!lo", { ranges = { { from = "10.0.0.10" } } } },
      { "!" .. published.iif, published.target.addrs })
    assert.same({ "iif" }, published.negated)
    assert.is_nil(rules["ftp published"])
    assert.same({ ranges = { { from = "10.0.0.10" }, { from = "2001:db8::10" } } },
      rules["web server"].wire.dst)
    assert.same({ "ftp", { ranges = { { from = "2001:db8::20" } } } },
      { rules["ftp server"].wire.helper, rules["ftp server"].wire.dst })
    rules = load { ftp = "10.0.0.20", outside = "203.0.113.1" }
    assert.same({ ranges = { { from = "203.0.113.1" } } }, rules["ftp published"].wire.dst)
    assert.is_nil(rules["ftp published"].wire.iif)
  end)

  it("has hours for FTP", function()
    local rules = load { ftp_hours = "yes" }
    assert.same({ set = { "ftp_hosts" } }, rules["ftp out"].wire.src)
    assert.equal("reject", rules["ftp at other hours"].verdict)
    assert.same({ { from = 21 } }, rules["ftp at other hours"].wire.dport)
  end)
end)

describe("examples/server.lua", function()
  it("publishes with limits per source", function()
    local p = loader.load("examples/server.lua", { mail = "yes", admin = "203.0.113.0/24" })
    local rules = names(p)
    assert.equal(100, rules.web.wire.per_source)
    assert.equal("reject", rules["web too many"].verdict)
    assert.equal(2000, p.limits.max_states_per_source)
    assert.same({ "src" }, rules["ssh guessing"].wire.negated)
    assert.same({ { from = "203.0.113.0", to = "203.0.113.255" } }, rules.ssh.wire.src.ranges)
    assert.is_nil(names(loader.load "examples/server.lua").mail)
  end)
end)

-- Runs a job as the program does, with args and, if need be, another fw; returns what it printed and
-- complained.
local function job(path, args, firewall)
  local out, complained = support.catch(function()
    -- print() writes to the real standard output, not to io.stdout.
    local env = setmetatable({
      fw = firewall or fw,
      args = args or {},
      print = function(line)
        io.stdout:write(line, "\n")
      end,
    }, { __index = _G })
    assert(loadfile(path, "t", env))()
  end)
  return out, complained
end

local function fill(count, sources)
  kernel.states = {}
  for i = 1, count do
    kernel.states[i] = {
      family = 4, proto = i % 3 == 0 and 17 or 6, state = "ESTABLISHED", flags = {},
        src = "10.0.0." .. i % sources,
      dst = "192.0.2.1", sport = 1000 + i, dport = 80, list = "in", iif = 1, oif = 0,
        rule = netlink.rule_id "web",
      packets = 1, bytes = 1, reply_packets = 0, reply_bytes = 0, timeout = 1000, age = 0, mark = 0,
        generation = 1,
    }
  end
end

before_each(function()
  kernel.reset()
  require("ipfi.base.kernel").close()
  fw.commit(assert(support.policy "return policy { rules = { allow { 'web' } } }"))
end)

describe("examples/jobs/tune.lua", function()
  local ARGS = { least = "50", memory = "0.1" }

  after_each(function()
    settings.verbose = 0
  end)

  it("does nothing and says nothing when all is well", function()
    kernel.limits.max_states = 100
    fill(60, 5)
    assert.same({ "", "" }, { job("examples/jobs/tune.lua", ARGS) })
    assert.equal(100, kernel.limits.max_states)
  end)

  it("grows", function()
    kernel.limits.max_states = 100
    fill(90, 5)
    assert.same({ "", "" }, { job("examples/jobs/tune.lua", ARGS) })
    assert.equal(200, kernel.limits.max_states)
  end)

  it("shrinks, but not below the least", function()
    kernel.limits.max_states = 1000
    fill(10, 5)
    settings.verbose = 1
    local _, complained = job("examples/jobs/tune.lua", ARGS)
    assert.equal("ipfi: max_states shrinks from 1000 to 500: 10 states live\n", complained)
    for _ = 1, 5 do
      job("examples/jobs/tune.lua", ARGS)
    end
    assert.equal(50, kernel.limits.max_states)
    assert.same({ "", "" }, { job("examples/jobs/tune.lua", ARGS) })
  end)

  it("names the top sources when there is no memory to grow into", function()
    kernel.limits.max_states = 100
    fill(90, 3)
    local _, complained = job("examples/jobs/tune.lua", { least = "50", memory = "0", top = "2" })
    assert.equal(100, kernel.limits.max_states)
    assert.matches("^ipfi: 90 of 100 states are in use; the sources that have most:\n", complained)
    local count = select(2, complained:gsub("ipfi:   10%.0%.0%.%d +30", ""))
    assert.equal(2, count)
  end)

  it("wants numbers", function()
    assert.has_error(function()
      job("examples/jobs/tune.lua", { high = "much" })
    end, "tune: high=much is no number")
  end)
end)

describe("examples/jobs/report.lua", function()
  after_each(function()
    fw.output, settings.json = "text", false
  end)

  it("reports as text", function()
    fill(30, 4)
    local out = job("examples/jobs/report.lua", { top = "2" })
    assert.matches("^30 states of 65536, most ever 9\n\nBy protocol\n", out)
    assert.matches("\nPROTO  STATES\ntcp        20\nudp        10\n", out)
    assert.matches("\nBy rule\nRULE  STATES\nweb       30\n", out)
    assert.matches("\nBy source\nSRC       STATES\n10.0.0.1       8\n10.0.0.2       8\n\n", out)
    assert.matches("\nDropped packets\ndefault%-deny +7\n$", out)
  end)

  it("reports as JSON lines", function()
    fill(30, 4)
    fw.output, settings.json = "json", true
    local out = job("examples/jobs/report.lua", { top = "1" })
    assert.equal(table.concat {
      '{"max_states":65536,"states":30,"states_peak":9}\n',
      '{"proto":"tcp","states":20}\n',
      '{"rule":"web","states":30}\n',
      '{"src":"10.0.0.1","states":8}\n',
      '{"packets":7,"reason":"default-deny"}\n',
    }, out)
  end)

  it("has nothing to say of an empty table", function()
    fw.output, settings.json = "json", true
    local out = job "examples/jobs/report.lua"
    assert.equal('{"max_states":65536,"states":0,"states_peak":9}\n{"packets":7,"reason":"default-deny"}\n',
      out)
  end)
end)

describe("examples/jobs/ftp-window.lua", function()
  -- A set of the kernel in a few lines: { [host] = seconds left, or true for ever }.
  local members, asked

  -- Runs the job at an hour of 21 November 2026, by default.
  local function window(words, at)
    local set = {}
    function set.add(_, list, options)
      local new = 0
      for _, host in ipairs(list) do
        new = new + (members[host] and 0 or 1)
        members[host] = options.timeout or true
      end
      return new
    end
    function set.del(_, list)
      local gone = 0
      for _, host in ipairs(list) do
        gone = gone + (members[host] and 1 or 0)
        members[host] = nil
      end
      return gone
    end
    local firewall = setmetatable({ set = function(name)
      asked = name
      return set
    end }, { __index = fw })
    local list = {}
    for word in words:gmatch "%S+" do
      list[#list + 1] = word
    end
    if at then
      local hour, minute = at:match "^(%d+):(%d+)$"
      list[#list + 1] = "now=" .. os.time { year = 2026, month = 11, day = 21, hour = hour, min = minute }
    end
    return job("examples/jobs/ftp-window.lua", loader.args(list), firewall)
  end

  before_each(function()
    members, asked = {}, nil
    settings.verbose = 1
  end)

  after_each(function()
    settings.verbose = 0
  end)

  it("opens and closes by the clock, and is silent when nothing changes", function()
    local _, said = window("from=8:00 until=18:00 10.0.0.5 fd00::5", "8:00")
    assert.equal("ipfi: FTP is open for 10.0.0.5, fd00::5 until 18:00\n", said)
    assert.equal("ftp_hosts", asked)
    assert.same({ ["10.0.0.5"] = 36000, ["fd00::5"] = 36000 }, members)
    assert.same({ "", "" }, { window("from=8:00 until=18:00 10.0.0.5 fd00::5", "17:50") })
    assert.same({ ["10.0.0.5"] = 600, ["fd00::5"] = 600 }, members)
    _, said = window("from=8:00 until=18:00 10.0.0.5 fd00::5", "18:00")
    assert.equal("ipfi: FTP is closed for 10.0.0.5, fd00::5\n", said)
    assert.same({}, members)
    assert.same({ "", "" }, { window("from=8:00 until=18:00 10.0.0.5 fd00::5", "7:59") })
    assert.same({}, members)
  end)

  it("says nothing without -v", function()
    settings.verbose = 0
    assert.same({ "", "" }, { window("from=8:00 until=18:00 10.0.0.5", "8:00") })
    assert.same({ ["10.0.0.5"] = 36000 }, members)
  end)

  it("may span midnight", function()
    for at, left in pairs { ["21:59"] = false, ["22:00"] = 28800, ["23:59"] = 21660, ["0:00"] = 21600,
      ["5:59"] = 60, ["6:00"] = false } do
      members = {}
      window("from=22:00 until=6:00 10.0.0.5", at)
      assert.equal(left or nil, members["10.0.0.5"], at)
    end
  end)

  it("opens and closes when told to", function()
    window("open 10.0.0.5 set=others", "12:00")
    assert.same({ true, "others" }, { members["10.0.0.5"], asked })
    window("open until=11:00 10.0.0.5", "12:00")
    assert.equal(23 * 3600, members["10.0.0.5"])
    local _, said = window("close 10.0.0.5", "12:00")
    assert.equal("ipfi: FTP is closed for 10.0.0.5\n", said)
    assert.same({}, members)
    assert.same({ "", "" }, { window("close 10.0.0.5", "12:00") })
  end)

  it("takes an hour of today for the time", function()
    window "from=8:00 until=18:00 10.0.0.5 now=9:30"
    assert.equal(30600, members["10.0.0.5"])
  end)

  it("wants to know what to do", function()
    for words, message in pairs {
      ["open"] = "for whom? Name addresses or networks",
      ["10.0.0.5"] = "say open or close, or the hours: from=8:00 until=18:00",
      ["until=18:00 10.0.0.5"] = "say open or close, or the hours: from=8:00 until=18:00",
      ["from=8 until=18:00 10.0.0.5"] = "from=8 is no time of the day, like 18:00",
      ["from=8:00 until=24:00 10.0.0.5"] = "until=24:00 is no time of the day, like 18:00",
      ["from=8:00 until=8:00 10.0.0.5"] = "from and until are the same",
      ["open from=8:00 10.0.0.5"] = "open happens now; leave from out",
      ["open 10.0.0.5 now=noon"] = "now=noon is no time of the day, like 18:00",
    } do
      assert.has_error(function() window(words) end, "ftp-window: " .. message)
    end
    assert.is_nil(asked)
  end)
end)
