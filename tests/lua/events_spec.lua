-- SPDX-License-Identifier: GPL-2.0-or-later
-- fw.on and fw.run, on a kernel that is a stand-in.
local support = require "support"
local netlink = require "ipfi.c.netlink"
local sys = require "ipfi.c.sys"

local kernel = netlink.kernel
local fw

-- Each test has functions and a connection of its own.
before_each(function()
  kernel.reset()
  sys.world.clock = 1000
  package.loaded["ipfi.live.events"] = nil
  local events = require "ipfi.live.events"
  fw = { on = events.on, run = events.run }
end)

local function failure(...)
  local ok, problem = pcall(...)
  assert.is_false(ok)
  return problem
end

local function log_event(fields)
  local log = {
    prefix = "in-deny", rule = netlink.rule_id "rest", name = "rest", verdict = "deny", reason = "rule-deny",
    state = "NONE", list = "in", family = 4, proto = 6, src = "10.0.0.1", dst = "10.0.0.2", sport = 40000,
    dport = 22, iif = 2, oif = 0, length = 60, time = 1700000000500000000,
  }
  for name, value in pairs(fields or {}) do
    log[name] = value
  end
  return { cmd = "event_log", log = log }
end

describe("fw.on and fw.run", function()
  it("tell of logged packets", function()
    local rows = {}
    fw.on("log", function(row) rows[#rows + 1] = row end)
    assert.same({ log = true }, kernel.groups)
    kernel.events = { log_event(), log_event { proto = 1, icmp = 3 << 8 | 4, sport = nil } }
    fw.run(5)
    assert.equal(1005, sys.world.clock)
    assert.same({
      prefix = "in-deny", rule = "rest", verdict = "deny", reason = "rule-deny", state = "NONE", list = "in",
      family = 4, proto = "tcp", src = "10.0.0.1", dst = "10.0.0.2", sport = 40000, dport = 22, iif = "eth0",
      length = 60, time = 1700000000.5,
    }, rows[1])
    assert.same({ "icmp", 3, 4, nil }, { rows[2].proto, rows[2].icmp_type, rows[2].icmp_code, rows[2].icmp })
  end)

  it("tell of states, of what is full and of rule sets", function()
    local told = {}
    for _, name in ipairs { "state", "full", "nat_full", "ruleset" } do
      fw.on(name, function(row) told[#told + 1] = { name, row } end)
    end
    assert.same({ state = true, ruleset = true }, kernel.groups)
    kernel.events = {
      { cmd = "event_state", event = { kind = "destroyed", cause = "address-gone" }, state = {
        family = 4, proto = 17, state = "UDP_NEW", flags = { "src_nat" }, src = "10.0.0.1",
        dst = "192.0.2.1", sport = 5, dport = 53, nat_src = "203.0.113.1", nat_sport = 6, iif = 2,
        oif = 3, timeout = 500, id = 7,
      } },
      { cmd = "event_full", stats = { states = 5, max_states = 5 } },
      { cmd = "event_nat_full", log = { name = "lan out", list = "forward", family = 4, proto = 6,
        src = "10.0.0.1", dst = "192.0.2.1", sport = 5, dport = 80, time = 2000000000 } },
      { cmd = "event_ruleset", info = { generation = 3, name = "gw", rules = 2 } },
      -- Of a group that was joined for another one's sake, and one that a newer module may have.
      log_event(), { cmd = 200 },
    }
    fw.run(1)
    assert.equal(4, #told)
    local state = told[1][2]
    assert.same({ "destroyed", "address-gone", "udp", "eth0", 0.5, 7 },
      { state.kind, state.cause, state.proto, state.iif, state.timeout, state.id })
    assert.equal("udp UDP_NEW 10.0.0.1:5 (203.0.113.1:6) > 192.0.2.1:53", tostring(state))
    assert.same({ "full", { states = 5, max_states = 5 } }, told[2])
    assert.same({ "nat_full", { rule = "lan out", list = "forward", family = 4, proto = "tcp",
      src = "10.0.0.1", dst = "192.0.2.1", sport = 5, dport = 80, time = 2.0 } }, told[3])
    assert.same({ "ruleset", { generation = 3, name = "gw", rules = 2 } }, told[4])
  end)

  it("end when every function has returned false", function()
    local calls = {}
    fw.on("log", function() calls[#calls + 1] = "a" return false end)
    fw.on("log", function() calls[#calls + 1] = "b" return #calls < 4 end)
    kernel.events = { log_event(), log_event(), log_event(), log_event() }
    fw.run()
    assert.same({ "a", "b", "b", "b" }, calls)
    assert.equal(1, #kernel.events)
    assert.matches("no function waits for an event", tostring(failure(fw.run, 1)))
  end)

  it("keep the functions when one of them fails", function()
    local calls = 0
    fw.on("log", function()
      calls = calls + 1
      if calls == 1 then
        error("oh", 0)
      end
    end)
    kernel.events = { log_event(), log_event() }
    assert.equal("oh", failure(fw.run, 1))
    fw.run(1)
    assert.equal(2, calls)
  end)

  it("let a function name others", function()
    local second = 0
    fw.on("log", function()
      fw.on("log", function() second = second + 1 return false end)
      return false
    end)
    kernel.events = { log_event(), log_event() }
    fw.run()
    assert.equal(1, second)
  end)

  it("say when events were lost", function()
    fw.on("log", function() end)
    kernel.events = { { cmd = "lost" } }
    local _, complained = support.catch(fw.run, 1)
    assert.equal("ipfi: events were lost: they come faster than they are handled\n", complained)
    local lost = 0
    fw.on("lost", function() lost = lost + 1 end)
    kernel.events = { { cmd = "lost" } }
    _, complained = support.catch(fw.run, 1)
    assert.same({ 1, "" }, { lost, complained })
  end)

  it("go on after Ctrl-C, but not without the module", function()
    local count = 0
    fw.on("log", function() count = count + 1 end)
    local interrupt = { errno = 4, name = "EINTR", message = "x", interrupt = true }
    kernel.events = { { refusal = interrupt }, log_event() }
    assert.equal(130, failure(fw.run, 1).status)
    fw.run(1)
    assert.equal(1, count)
    kernel.events = { { refusal = { errno = 19, name = "ENODEV", message = "gone" } } }
    assert.equal("fw.run: gone", tostring(failure(fw.run, 1)))
    assert.matches("no function waits", tostring(failure(fw.run, 1)))
  end)

  it("check what they are given", function()
    assert.equal("fw.on: unknown event 'nat_ful'; did you mean 'nat_full'?",
      tostring(failure(fw.on, "nat_ful", print)))
    assert.equal("fw.on: expected a function, got 5", tostring(failure(fw.on, "log", 5)))
    assert.equal("fw.run: expected seconds from 0 on, got -1", tostring(failure(fw.run, -1)))
    kernel.absent = true
    assert.equal(5, failure(fw.on, "log", print).status)
    kernel.absent = false
    kernel.refuse.log = { errno = 1, name = "EPERM", message = "no" }
    assert.equal(77, failure(fw.on, "log", print).status)
  end)
end)
