-- SPDX-License-Identifier: GPL-2.0-or-later
-- The examples that keep dynamic sets: port knocking, and sites that are blocked by name.
local support = require "support"
local fw = require "ipfi.fw"
local loader = require "ipfi.policy.loader"
local netlink = require "ipfi.c.netlink"
local settings = require "ipfi.base.settings"
local sys = require "ipfi.c.sys"

local kernel = netlink.kernel

-- Runs an example as the program does, with a firewall and an os of its own where that differs.
-- @return what it complained of, the error that it ended with
local function run(path, args, firewall, system)
  local problem
  local _, complained = support.catch(function()
    local env = setmetatable({ fw = firewall or fw, args = args or {}, os = system }, { __index = _G })
    local ok, value = pcall(assert(loadfile(path, "t", env)))
    problem = not ok and value or nil
  end)
  return complained, problem
end

local function members(name)
  local list = {}
  for _, row in ipairs(fw.set(name):list()) do
    list[#list + 1] = ("%s %s"):format(row.address, row.timeout and row.timeout // 1 | 0 or "ever")
  end
  return list
end

before_each(function()
  kernel.reset()
  require("ipfi.base.kernel").close()
  sys.world.names = nil
end)

after_each(function()
  settings.verbose = 0
end)

describe("examples/knock-policy.lua", function()
  it("lets members in, and logs knocks at all ports of a range", function()
    local p = loader.load("examples/knock-policy.lua", { range = "20000-20999", door = "2222" })
    assert.same({ "knockers" }, p.sets)
    local rules = {}
    for _, rule in ipairs(p.rules) do
      rules[rule.name] = rule.wire
    end
    assert.same({ set = { "knockers" } }, rules.knocked.src)
    assert.same({ { from = 2222 } }, rules.knocked.dport)
    assert.same({ "in" }, rules.knock.lists)
    assert.same({ { from = 20000, to = 20999 } }, rules.knock.dport)
    assert.same({ "knock", "knock" }, { rules.knock.log, rules["knock by udp"].log })
    assert.same({ "deny", 2 }, { rules.knock.verdict, rules.knock.tcp_value })
  end)
end)

describe("examples/knock.lua", function()
  local ARGS = { ports = "7000,8000/udp,9000", within = "10", open = "1h" }

  -- Lets it hear knocks: { src, what, time, sport }, then ends it. Returns who became a member, what it said.
  local function knock(knocks, args)
    local heard
    local firewall = setmetatable({
      on = function(event, listener)
        assert.equal("log", event)
        heard = listener
      end,
      run = function()
        for i, one in ipairs(knocks) do
          local proto, port = one[2]:match("^(%a+) (%d+)$")
          heard { prefix = one.prefix or "knock", src = one[1], proto = proto, dport = tonumber(port),
            dst = "192.0.2.1", time = 1000 + one[3], sport = one[4] or 40000 + i }
        end
        error("ended", 0)
      end,
    }, { __index = fw })
    fw.commit(loader.load "examples/knock-policy.lua")
    settings.verbose = 1
    local said, problem = run("examples/knock.lua", args or ARGS, firewall)
    return members "knockers", said, problem
  end

  it("opens for who knocks in order and in time", function()
    local list, said, problem = knock { { "10.0.0.1", "tcp 7000", 0 }, { "10.0.0.1", "udp 8000", 1 },
      { "10.0.0.1", "tcp 9000", 2 } }
    assert.same({ "10.0.0.1 3600" }, list)
    assert.equal("ipfi: knock: listening for tcp 7000, udp 8000, tcp 9000\nipfi: knock: open for 10.0.0.1\n",
      said)
    assert.equal("ended", problem)
  end)

  it("opens for nobody else", function()
    for name, knocks in pairs {
      order = { { "10.0.0.1", "udp 8000", 0 }, { "10.0.0.1", "tcp 7000", 1 }, { "10.0.0.1", "tcp 9000", 2 } },
      backwards = { { "10.0.0.1", "tcp 9000", 0 }, { "10.0.0.1", "udp 8000", 1 },
        { "10.0.0.1", "tcp 7000", 2 } },
      protocol = { { "10.0.0.1", "tcp 7000", 0 }, { "10.0.0.1", "tcp 8000", 1 },
        { "10.0.0.1", "tcp 9000", 2 } },
      late = { { "10.0.0.1", "tcp 7000", 0 }, { "10.0.0.1", "udp 8000", 6 }, { "10.0.0.1", "tcp 9000", 11 } },
      between = { { "10.0.0.1", "tcp 7000", 0 }, { "10.0.0.1", "tcp 7001", 1 }, { "10.0.0.1", "udp 8000", 1 },
        { "10.0.0.1", "tcp 9000", 2 } },
      others = { { "10.0.0.1", "tcp 7000", 0 }, { "10.0.0.2", "udp 8000", 1 },
        { "10.0.0.1", "tcp 9000", 2 } },
      prefix = { { "10.0.0.1", "tcp 7000", 0, prefix = "else" }, { "10.0.0.1", "udp 8000", 1 },
        { "10.0.0.1", "tcp 9000", 2 } },
      clock = { { "10.0.0.1", "tcp 7000", 5 }, { "10.0.0.1", "udp 8000", 4 }, { "10.0.0.1", "tcp 9000", 6 } },
    } do
      kernel.reset()
      assert.same({}, (knock(knocks)), name)
    end
  end)

  it("hears sources apart from each other, and both families", function()
    local list = knock {
      { "10.0.0.1", "tcp 7000", 0 }, { "2001:db8::1", "tcp 7000", 0 }, { "10.0.0.2", "tcp 7000", 1 },
      { "10.0.0.1", "udp 8000", 2 }, { "2001:db8::1", "udp 8000", 2 }, { "10.0.0.2", "tcp 9999", 2 },
      { "10.0.0.2", "udp 8000", 2 }, { "2001:db8::1", "tcp 9000", 3 }, { "10.0.0.1", "tcp 9000", 3 },
      { "10.0.0.2", "tcp 9000", 3 },
    }
    assert.same({ "10.0.0.1 3600", "2001:db8::1 3600" }, list)
  end)

  it("takes a retransmission for what it is", function()
    -- Each again from the same port, the first even behind the second; a new packet is a new knock.
    local list = knock { { "10.0.0.1", "tcp 7000", 0, 50000 }, { "10.0.0.1", "tcp 7000", 1, 50000 },
      { "10.0.0.1", "udp 8000", 1, 50001 }, { "10.0.0.1", "tcp 7000", 2, 50000 },
      { "10.0.0.1", "udp 8000", 2, 50001 }, { "10.0.0.1", "tcp 9000", 2, 50002 } }
    assert.same({ "10.0.0.1 3600" }, list)
    kernel.reset()
    assert.same({}, (knock { { "10.0.0.1", "tcp 7000", 0, 50000 }, { "10.0.0.1", "udp 8000", 1, 50001 },
      { "10.0.0.1", "udp 8000", 2, 50003 }, { "10.0.0.1", "tcp 9000", 2, 50002 } }))
  end)

  it("does not open again for what is left of the last time", function()
    fw.commit(loader.load "examples/knock-policy.lua")
    local list, said = knock { { "10.0.0.1", "tcp 7000", 0, 1 }, { "10.0.0.1", "udp 8000", 1, 2 },
      { "10.0.0.1", "tcp 9000", 2, 3 }, { "10.0.0.1", "tcp 7000", 3, 1 }, { "10.0.0.1", "udp 8000", 3, 2 },
      { "10.0.0.1", "tcp 9000", 3, 3 } }
    assert.same({ "10.0.0.1 3600" }, list)
    assert.equal(1, select(2, said:gsub("open for", "")))
  end)

  it("begins anew within an attempt, and lets a port stand twice", function()
    assert.same({ "10.0.0.1 3600" }, (knock { { "10.0.0.1", "tcp 7000", 0 }, { "10.0.0.1", "tcp 7000", 9 },
      { "10.0.0.1", "udp 8000", 12 }, { "10.0.0.1", "tcp 9000", 18 } }))
    kernel.reset()
    assert.same({ "10.0.0.1 60" }, (knock({ { "10.0.0.1", "tcp 7000", 0 }, { "10.0.0.1", "tcp 7000", 1 },
      { "10.0.0.1", "tcp 8000", 2 } }, { ports = "7000,7000,8000", open = "60" })))
  end)

  it("remembers so many sources and no more", function()
    local knocks = { { "10.9.9.9", "tcp 7000", 0 } }
    for i = 1, 9999 do
      knocks[#knocks + 1] = { ("10.0.%d.%d"):format(i >> 8, i & 255), "tcp 7000", 1 }
    end
    local finish = { { "10.9.9.9", "udp 8000", 2 }, { "10.9.9.9", "tcp 9000", 2 },
      { "10.0.0.200", "udp 8000", 2 }, { "10.0.0.200", "tcp 9000", 2 } }
    table.move(finish, 1, 4, #knocks + 1, knocks)
    assert.same({ "10.0.0.200 3600", "10.9.9.9 3600" }, (knock(knocks)))
    kernel.reset()
    -- One more, and the oldest is the one forgotten.
    table.insert(knocks, 2, { "10.1.1.1", "tcp 7000", 1 })
    assert.same({ "10.0.0.200 3600" }, (knock(knocks)))
  end)

  it("goes on when the set is away for a while", function()
    local firewall = setmetatable({ set = function()
      return { count = function() return 0 end, add = function() error("there is no set", 0) end }
    end }, { __index = fw })
    local heard
    firewall.on = function(_, listener) heard = listener end
    firewall.run = function()
      for i, what in ipairs { "tcp 7000", "tcp 8000", "tcp 9000" } do
        local proto, port = what:match("^(%a+) (%d+)$")
        heard { prefix = "knock", src = "10.0.0.1", proto = proto, dport = tonumber(port), time = i,
          sport = i }
      end
      error("ended", 0)
    end
    local said, problem = run("examples/knock.lua", {}, firewall)
    assert.equal("ipfi: knock: 10.0.0.1 knocked, but: there is no set\n", said)
    assert.equal("ended", problem)
  end)

  -- Renews once with these states: { src, state }. Returns who is a member then: 10.0.0.1 and 10.0.0.3 were.
  local function renew(states)
    fw.commit(loader.load "examples/knock-policy.lua")
    for i, one in ipairs(states) do
      kernel.states[i] = { family = 4, proto = 6, state = one[2], flags = {}, src = one[1],
        dst = "192.0.2.1", sport = i, dport = 22, list = "in", iif = 1, oif = 0,
        rule = netlink.rule_id "knocked", packets = 1, bytes = 1, reply_packets = 1,
        reply_bytes = 1, timeout = 1, age = 1, mark = 0, generation = 1 }
    end
    fw.set("knockers"):add({ "10.0.0.1", "10.0.0.3" }, { timeout = 5 })
    local turns = 0
    local firewall = setmetatable({ on = function() end, run = function()
      turns = turns + 1
      if turns == 2 then
        error("ended", 0)
      end
    end }, { __index = fw })
    run("examples/knock.lua", {}, firewall)
    return members "knockers"
  end

  it("keeps the door open for who stands in it, unless somebody put him out", function()
    assert.same({ "10.0.0.1 3600", "10.0.0.3 5" },
      renew { { "10.0.0.1", "ESTABLISHED" }, { "10.0.0.2", "ESTABLISHED" } })
  end)

  it("keeps it open for nobody who left, or never came in", function()
    for _, state in ipairs { "SYN_SENT", "SYN_RECV", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
      "CLOSED", "UDP_NEW" } do
      kernel.reset()
      assert.same({ "10.0.0.1 5", "10.0.0.3 5" }, renew { { "10.0.0.1", state } }, state)
    end
    kernel.reset()
    assert.same({ "10.0.0.1 3600", "10.0.0.3 5" },
      renew { { "10.0.0.1", "TIME_WAIT" }, { "10.0.0.1", "ESTABLISHED" }, { "10.0.0.3", "CLOSED" } })
  end)

  it("says what is wrong with its arguments, and what the policy lacks", function()
    for message, args in pairs {
      ["knock: ports: '0' is no port"] = { ports = "0,5" },
      ["knock: ports: '70000' is no port"] = { ports = "5,70000" },
      ["knock: ports: '7/icmp' is no port"] = { ports = "7/icmp,8" },
      ["knock: ports: one knock alone comes by chance"] = { ports = "7000" },
      ["knock: within=soon is no number of seconds"] = { within = "soon" },
      ["declares no dynamic set 'knockers'"] = {},
    } do
      local _, problem = run("examples/knock.lua", args)
      assert.is_truthy(tostring(problem):find(message, 1, true), tostring(problem))
    end
  end)
end)

describe("examples/blocked-sites-policy.lua", function()
  it("denies both ways", function()
    local p = loader.load "examples/blocked-sites-policy.lua"
    assert.same({ "blocked" }, p.sets)
    local rules = {}
    for _, rule in ipairs(p.rules) do
      rules[rule.name] = rule.wire
    end
    assert.same({ set = { "blocked" } }, rules["from a blocked site"].src)
    assert.same({ set = { "blocked" } }, rules["to a blocked site"].dst)
    assert.same({ "in", "out", "forward" }, rules["to a blocked site"].lists)
  end)
end)

describe("examples/blocked-sites.lua", function()
  local state, left

  before_each(function()
    state = os.tmpname()
    left = nil
    fw.commit(loader.load "examples/blocked-sites-policy.lua")
  end)

  after_each(function()
    os.remove(state)
  end)

  -- Runs it; returns what it complained of and the error, left is the status it exited with.
  local function block(args)
    args.state = args.state or state
    left = nil
    return run("examples/blocked-sites.lua", args, nil, setmetatable({ exit = function(status)
      left = status
    end }, { __index = os }))
  end

  it("keeps the addresses of the names for a while, quietly", function()
    sys.world.names = { ["www.example.com"] = { "198.51.100.1", "2001:db8::1" },
      ["b.example"] = { "198.51.100.2" } }
    assert.same({ "" }, { block { "www.example.com", "b.example." } })
    assert.same({ "198.51.100.1 7200", "198.51.100.2 7200", "2001:db8::1 7200" }, members "blocked")
    assert.is_nil(left)
    -- The name has moved: the old address stays until its time is over.
    sys.world.names["b.example"] = { "198.51.100.3" }
    assert.same({ "" }, { block { "www.example.com", "b.example", timeout = "1h" } })
    assert.same({ "198.51.100.1 3600", "198.51.100.2 7200", "198.51.100.3 3600", "2001:db8::1 3600" },
      members "blocked")
  end)

  it("keeps what a name was when it fails, and brings the others up to date", function()
    sys.world.names = { a = { "198.51.100.1", "198.51.100.4" }, b = { "198.51.100.2" } }
    block { "a", "b" }
    fw.set("blocked"):flush()
    sys.world.names = { a = "Temporary failure in name resolution", b = { "198.51.100.3" } }
    assert.equal("ipfi: blocked-sites: a: Temporary failure in name resolution; what it was the last time "
      .. "stays blocked\n", (block { "a", "b" }))
    assert.equal(1, left)
    assert.same({ "198.51.100.1 7200", "198.51.100.3 7200", "198.51.100.4 7200" }, members "blocked")
    -- Still, the next time too.
    fw.set("blocked"):flush()
    sys.world.names = {}
    local said = block { "a", "b", "c" }
    assert.matches("c: Name or service not known; it never resolved", said, 1, true)
    assert.same({ "198.51.100.1 7200", "198.51.100.3 7200", "198.51.100.4 7200" }, members "blocked")
    assert.equal(1, left)
  end)

  it("reads names from a file, and says which line has none", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write("# sites\na.example  B.EXAMPLE # two\n\n$(reboot)\n")
    file:close()
    sys.world.names = { ["a.example"] = { "198.51.100.1" }, ["b.example"] = { "198.51.100.2" } }
    local said = block { file = path }
    os.remove(path)
    assert.equal(("ipfi: blocked-sites: %s:4: '$(reboot)' is no name\n"):format(path), said)
    assert.equal(1, left)
    assert.same({ "198.51.100.1 7200", "198.51.100.2 7200" }, members "blocked")
  end)

  it("lets no site block what cannot be a site", function()
    sys.world.names = {
      a = { "10.0.0.1", "127.0.0.1", "172.16.0.1", "172.31.9.9", "192.168.1.1", "169.254.1.1", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "::", "::ffff:198.51.100.9", "fd00::1", "fe80::1",
        "ff02::1" },
      b = { "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2001:db8::1", "198.51.100.1" },
    }
    settings.verbose = 1
    local said = block { "a", "b" }
    assert.equal(16, select(2, said:gsub("no site's address on the net", "")))
    assert.same({ "100.128.0.1 7200", "100.63.0.1 7200", "172.15.0.1 7200", "172.32.0.1 7200",
      "198.51.100.1 7200", "2001:db8::1 7200" }, members "blocked")
    assert.is_nil(left)
    sys.world.names.a = { "10.0.0.1" }
    block { "a", private = "yes" }
    assert.is_true((fw.set("blocked"):has "10.0.0.1"))
  end)

  it("says when it cannot remember, and works all the same", function()
    sys.world.names = { a = { "198.51.100.1" } }
    assert.matches("blocked%-sites: the answers cannot be remembered: /no/such/dir", (block { "a",
      state = "/no/such/dir/x" }))
    assert.equal(1, left)
    assert.same({ "198.51.100.1 7200" }, members "blocked")
    assert.same({ "" }, { block { "a", state = "no" } })
    assert.is_nil(left)
  end)

  it("says what is wrong with its arguments, and what the policy lacks", function()
    for message, args in pairs {
      ["blocked-sites: no names: give them as arguments"] = {},
      ["blocked-sites: wait=long is no number"] = { "a", wait = "long" },
      ["timeout: expected seconds"] = { "a", timeout = "long" },
      ["declares no dynamic set 'other'"] = { "a", set = "other" },
      ["No such file or directory"] = { file = "/no/such/file" },
    } do
      sys.world.names = { a = { "198.51.100.1" } }
      local _, problem = block(args)
      assert.is_truthy(tostring(problem):find(message, 1, true), tostring(problem))
    end
  end)
end)

describe("fw.resolve", function()
  it("tells the addresses of names, and which have none", function()
    sys.world.names = { a = { "2001:db8::1", "198.51.100.9", "198.51.100.10" }, c = {} }
    local found, failed = fw.resolve({ "a", "b", "c" }, 3)
    assert.same({ a = { "198.51.100.9", "198.51.100.10", "2001:db8::1" } }, found)
    assert.same({ b = "Name or service not known", c = "no address" }, failed)
    assert.same({ "198.51.100.9", "198.51.100.10", "2001:db8::1" }, fw.resolve("a").a)
    for _, bad in ipairs { { 5 }, { "" }, 5, { "a\0b" } } do
      assert.is_false((pcall(fw.resolve, bad)))
    end
    assert.is_false((pcall(fw.resolve, "a", "soon")))
  end)
end)
