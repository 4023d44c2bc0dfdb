-- SPDX-License-Identifier: GPL-2.0-or-later
local support = require "support"
local fw = require "ipfi.fw"
local netlink = require "ipfi.c.netlink"
local settings = require "ipfi.base.settings"
local sys = require "ipfi.c.sys"

local kernel = netlink.kernel

local function policy(rules, more)
  return assert(support.policy(("return policy { name = 'test', %s rules = { %s } }")
    :format(more or "", rules or "")))
end

-- The error value that a call raises.
local function failure(f, ...)
  local ok, problem = pcall(f, ...)
  assert.is_false(ok)
  return problem
end

local function state(changes)
  local s = {
    family = 4, proto = 6, state = "ESTABLISHED", flags = { "reply_seen" }, src = "10.0.0.1", sport = 40000,
    dst = "192.0.2.80", dport = 80, list = "forward", iif = 2, oif = 3, rule = netlink.rule_id "web",
      packets = 10,
    bytes = 1000, reply_packets = 20, reply_bytes = 2000, timeout = 3599500, age = 1, mark = 0,
      generation = 1,
  }
  for key, value in pairs(changes or {}) do
    s[key] = value
  end
  return s
end

before_each(function()
  kernel.reset()
  require("ipfi.base.kernel").close()
end)

describe("fw.compile", function()
  it("makes the messages of a transaction", function()
    local messages = fw.compile(policy([[
      allow { "web", dir = "in", proto = "tcp", dport = "http", state = true },
      deny { "rest" },]], "default = 'reject', limits = { max_states = 7 },"))
    assert.equal(4, #messages)
    assert.equal("4 messages of policy 'test'", tostring(messages))
    assert.same({
      cmd = "ruleset_begin",
      ruleset = {
        name = "test", default_in = "reject", default_out = "reject", default_forward = "reject",
        limits = { max_states = 7 },
      },
    }, messages[1])
    assert.same({
      cmd = "rule_add",
      rule = {
        name = "web", verdict = "allow", at = "p.lua:1", lists = { "in" }, proto = { { from = 6 } },
        dport = { { from = 80 } }, flags = { "stateful" },
        written = '{"dir":"in","dport":"http","proto":"tcp","state":true}',
      },
    }, messages[2])
    assert.same({
      cmd = "rule_add",
      rule = { name = "rest", verdict = "deny", at = "p.lua:2", lists = { "in", "out", "forward" },
        written = "{}" },
    }, messages[3])
    assert.same({ cmd = "ruleset_commit", flags = { "ack" }, commit = { states = "recheck" } }, messages[4])
  end)

  it("leaves out limits that are not set, and takes options", function()
    local messages = fw.compile(policy(), { states = "keep", expect = 3 })
    assert.is_nil(messages[1].ruleset.limits)
    assert.same({ states = "keep", expect = 3 }, messages[2].commit)
  end)

  it("writes sets out, and leaves out what is too long", function()
    local addresses = {}
    for i = 1, 800 do
      addresses[i] = ("'10.0.%d.%d'"):format(i // 250, i % 250)
    end
    local messages = fw.compile(policy(([[
      allow { "short", src = ~set { "10.0.0.0/8", "fd00::/8" } },
      allow { "long", src = { %s } },]]):format(table.concat(addresses, ","))))
    assert.equal('{"src":["!10.0.0.0/8","!fd00::/8"]}', messages[2].rule.written)
    assert.is_nil(messages[3].rule.written)
    assert.equal(800, #messages[3].rule.src.ranges)
  end)

  it("and fw.decode are each other's inverse", function()
    local messages = fw.compile(policy [[allow { "web", dport = { 80, 443 } }]])
    local again = fw.decode(messages:bytes())
    assert.equal(#messages, #again)
    assert.same(messages[2], again[2])
  end)

  it("wants a policy", function()
    assert.matches("fw.compile: expected a policy", tostring(failure(fw.compile, {})))
    assert.matches("fw.compile: unknown option 'stats'; did you mean 'states'", tostring(failure(fw.compile,
      policy(),
      { stats = "keep" })))
  end)

  it("takes apart no bytes that are none", function()
    assert.matches("fw.decode: offset 0", tostring(failure(fw.decode, "x")))
    assert.matches("fw.decode: expected bytes", tostring(failure(fw.decode, 5)))
  end)
end)

describe("fw.commit", function()
  it("puts the rules into the kernel", function()
    local done = fw.commit(policy [[allow { "web", dport = 80 }, deny { "rest" }]])
    assert.same({ generation = 1, rules = 2 }, done)
    assert.equal("web", kernel.rules[1].name)
    assert.equal("test", kernel.name)
  end)

  it("passes on what becomes of the states, and the generation expected", function()
    kernel.states = { state() }
    fw.commit(policy(), { states = "flush", expect = 0 })
    assert.same({}, kernel.states)
    local problem = failure(fw.commit, policy(), { expect = 0 })
    assert.equal(75, problem.status)
    assert.equal("ESTALE", problem.name)
    assert.equal("commit of policy 'test': another rule set was committed meanwhile; nothing was changed",
      tostring(problem))
    assert.equal(1, kernel.generation)
  end)

  it("names the rule that the kernel refuses", function()
    kernel.refuse.rule = "b"
    local problem = failure(fw.commit, policy [[allow { "a" },
      allow { "b", dport = 80 }, allow { "c" }]])
    assert.equal(4, problem.status)
    assert.equal("p.lua:2: rule 'b': refused by the kernel: dport: "
      .. "ports need proto, and only protocols that have ports",
      tostring(problem))
    assert.equal("rule.dport", problem.attr)
    assert.equal("p.lua:2", problem.at)
    -- The transaction ends with its connection.
    assert.is_true(kernel.sender.closed)
    assert.equal(0, kernel.generation)
  end)

  it("wants options that exist", function()
    local p = policy()
    assert.matches("unknown option 'expct'; did you mean 'expect'", tostring(failure(fw.commit, p,
      { expct = 1 })))
    assert.matches("states is 'recheck', 'keep' or 'flush', got 'kep'; did you mean 'keep'",
      tostring(failure(fw.commit, p, { states = "kep" })))
    assert.matches("expect is a generation, got 'x'", tostring(failure(fw.commit, p, { expect = "x" })))
    assert.matches("confirm is seconds, from 1 to 86400, got 0", tostring(failure(fw.commit, p,
      { confirm = 0 })))
    assert.matches("expected a table of options", tostring(failure(fw.commit, p, 5)))
    assert.matches("expected a policy", tostring(failure(fw.commit, nil)))
  end)

  it("says what keeps it from the kernel", function()
    local p = policy()
    kernel.absent = true
    local problem = failure(fw.commit, p)
    assert.equal(5, problem.status)
    assert.matches("the kernel module is not loaded", tostring(problem))
    kernel.absent, kernel.version = false, true
    assert.equal(5, failure(fw.commit, p).status)
    kernel.version = false
    kernel.refuse.ruleset_begin = { errno = 1, name = "EPERM", message = "Operation not permitted" }
    problem = failure(fw.commit, p)
    assert.equal(77, problem.status)
    assert.matches("not permitted: this needs root", tostring(problem))
    kernel.refuse.ruleset_begin = { errno = 4, name = "EINTR", message = "", interrupt = true }
    assert.equal(130, failure(fw.commit, p).status)
    kernel.refuse.ruleset_begin = { errno = 16, name = "EBUSY", message = "too many transactions are open" }
    problem = failure(fw.commit, p)
    assert.equal(75, problem.status)
    assert.matches("too many transactions are open", tostring(problem))
  end)
end)

describe("fw.running", function()
  it("has the rules as they were written, with id and counters", function()
    fw.commit(policy([[
      allow { "web", dir = "in", proto = "tcp", dport = { "http", 443 }, src = set { "10.0.0.0/8" },
        state = true },
      deny { "rest", log = true },]], "default = { out = 'allow' },"))
    kernel.rules[1].packets, kernel.rules[1].bytes = 5, 500
    local r = fw.running()
    assert.equal("test", r.name)
    assert.equal(1, r.generation)
    assert.same({ ["in"] = "deny", out = "allow", forward = "deny" }, r.default)
    local web = r.rules[1]
    assert.equal(netlink.rule_id "web", web.id)
    assert.same({ "web", "allow", "in", "p.lua:1", 5, 500 },
      { web.name, web.verdict, web.dir, web.at, web.packets, web.bytes })
    assert.same({ "http", 443 }, web.dport)
    assert.equal("integer", math.type(web.dport[2]))
    assert.equal("10.0.0.0/8", web.src)
    assert.equal("tcp", web.proto)
    assert.is_true(web.stateful)
    assert.same({ "in", "out", "forward" }, r.rules[2].dir)
    assert.equal(true, r.rules[2].log)
  end)

  it("reads rules that another program wrote", function()
    kernel.generation = 1
    kernel.rules = {
      {
        name = "x", id = 1, packets = 0, bytes = 0, verdict = "allow", lists = { "in" },
          proto = { { from = 6 } },
        dport = { { from = 22 }, { from = 80, to = 81 } }, negated = { "src" },
        src = { ranges = { { from = "10.0.0.0", to = "10.255.255.255" } } }, flags = { "stateful" },
      },
    }
    local row = fw.running().rules[1]
    assert.same({ "tcp", { 22, "80-81" }, "!10.0.0.0/8", "in", true },
      { row.proto, row.dport, row.src, row.dir, row.state })
  end)

  it("believes nothing that another program wrote beside the fields", function()
    kernel.generation = 1
    local written = '{"id":7,"dir":[[1]],"src":{"a":{}},"dport":22,"__index":1,"proto":"tcp\\u001b"}'
    kernel.rules = { { name = "x", id = 1, verdict = "deny", lists = { "out" }, written = written } }
    local row = fw.running().rules[1]
    assert.same({ id = 1, name = "x", verdict = "deny", dir = "out", dport = 22, proto = "tcp\27",
      packets = 0, bytes = 0,
      stateful = false }, setmetatable(row, nil))
    assert.is_nil(tostring(fw.running()):find("\27", 1, true))
    kernel.rules[1].written = "{"
    assert.equal("out", fw.running().rules[1].dir)
  end)

  it("finds a module that was loaded anew", function()
    fw.commit(policy [[allow { "a" }]])
    assert.equal("a", fw.running().rules[1].name)
    assert.equal(netlink.rule_id "a", require("ipfi.live.ruleset").id "a")
    -- Another family number: the old connection hears that there is no such family.
    local old = require("ipfi.base.kernel").open()
    old.request = function()
      return nil, { errno = 2, name = "ENOENT", message = "No such file or directory" }
    end
    kernel.reset()
    fw.commit(policy [[allow { "b" }]])
    assert.equal(1, fw.info().generation)
    assert.equal(netlink.rule_id "b", require("ipfi.live.ruleset").id "b")
  end)

  it("asks again when a commit comes between", function()
    fw.commit(policy [[allow { "a" }]])
    kernel.interrupted_dumps = 2
    assert.equal(1, #fw.running().rules)
    kernel.interrupted_dumps = 100
    assert.equal(75, failure(fw.running).status)
  end)

  it("shows itself as a table", function()
    fw.commit(policy [[allow { "web", dport = 80, comment = "x" }, deny { "rest" }]])
    local shown = require("ipfi.base.print").show(fw.running(), support.terminal(100))
    assert.matches("policy 'test', generation 1, 2 rules; default in deny, out deny, forward deny", shown)
    assert.matches("\n1  web   allow    any        0      0  dport 80 +p.lua:1", shown)
    kernel.reset()
    assert.equal("no rule set is running: every packet passes", tostring(fw.running()))
  end)
end)

describe("fw.states", function()
  before_each(function()
    fw.commit(policy [[allow { "web", dport = 80 }, allow { "dns", dport = 53 }]])
    kernel.states = {
      state(),
      state { src = "10.0.0.2", state = "SYN_SENT", flags = {}, bytes = 50 },
      state { src = "10.0.0.1", state = "ESTABLISHED", flags = { "midstream" }, bytes = 5000, timeout = 250 },
      state {
        family = 6, proto = 17, state = "UDP_NEW", src = "fd00::1", dst = "fd00::2", dport = 53, iif = 0,
          oif = 9,
        rule = netlink.rule_id "dns",
      },
      state { proto = 1, state = "ICMP", sport = 7, dport = 7, rule = 0x123456789abcdef0 },
    }
    kernel.requests = {}
  end)

  it("counts, and sends its filter to the kernel", function()
    assert.equal(5, fw.states():count())
    assert.equal(3, fw.states({ proto = "tcp" }):count())
    assert.same({ cmd = "states_count", filter = { proto = 6 } }, kernel.requests[#kernel.requests])
    local query = fw.states {
      family = 4, state = { "established", "TIME_WAIT" }, src = "10.0.0.0/8", dst = "192.0.2.80",
        addr = "fd00::/8",
      sport = "1024-65535", dport = "http", port = 80, rule = "web", iif = "eth0", oif = "eth1", iface = "lo",
      guessed = false, mark = 0x10, proto = 6,
    }
    assert.same({
      family = 4, proto = 6, states = { "ESTABLISHED", "TIME_WAIT" }, src = { addr = "10.0.0.0", length = 8 },
      dst = { addr = "192.0.2.80" }, addr = { addr = "fd00::", length = 8 }, sport = { from = 1024,
        to = 65535 },
      dport = { from = 80 }, port = { from = 80 }, rule = netlink.rule_id "web", iif = 2, oif = 3, device = 1,
      midstream = 0, mark = 16,
    }, query.filter)
    assert.equal(5, fw.states({ rule = 5 }).filter.rule)
    assert.is_nil(fw.states({}).filter)
  end)

  for _, case in ipairs {
    { { stat = "x" }, "unknown filter 'stat'; did you mean 'state'?" },
    { { state = "ESTABLISHD" }, "unknown state 'ESTABLISHD'; did you mean 'ESTABLISHED'?" },
    { { state = {} }, "state: an empty list matches nothing" },
    { { proto = "tpc" }, "proto: unknown protocol 'tpc'; did you mean 'tcp'?" },
    { { proto = { "tcp", "udp" } }, "proto: expected one protocol" },
    { { src = "x" }, "src: bad address 'x' (names are not looked up: a rule holds addresses)" },
    { { src = "10.0.0.0/40" }, "src: '10.0.0.0/40': an IPv4 prefix has at most 32 bits" },
    { { dport = "htpp" }, "dport: unknown service 'htpp'; did you mean 'http'?" },
    { { dport = { 80, 90 } }, "dport: expected one port, service or range" },
    { { iif = "eth9" }, "iif: no device is called 'eth9'; did you mean 'eth0'?" },
    { { guessed = "yes" }, "guessed: expected true or false, got 'yes'" },
    { { family = 5 }, "family is 4 or 6, got 5" },
    { { mark = -1 }, "mark: expected a number from 0 to 4294967295, got -1" },
    { { rule = {} }, "rule: expected a name or an id, got a table" },
  } do
    it("refuses a filter: " .. case[2], function()
      assert.equal("fw.states: " .. case[2], tostring(failure(fw.states, case[1])))
    end)
  end

  it("refuses the name of a rule that does not run", function()
    assert.equal("no running rule is called 'wbe'; did you mean 'web'?", tostring(failure(fw.states,
      { rule = "wbe" })))
  end)

  it("gives rows", function()
    local rows = {}
    for row in fw.states():each() do
      rows[#rows + 1] = row
    end
    assert.equal(5, #rows)
    local first = rows[1]
    assert.same({
      family = 4, proto = "tcp", state = "ESTABLISHED", guessed = false, reply_seen = true, src = "10.0.0.1",
      sport = 40000, dst = "192.0.2.80", dport = 80, list = "forward", iif = "eth0", oif = "eth1",
        rule = "web",
      packets = 10, bytes = 1000, reply_packets = 20, reply_bytes = 2000, timeout = 3599.5, age = 1, mark = 0,
      generation = 1,
    }, setmetatable(first, nil))
    assert.is_true(rows[3].guessed)
    assert.is_nil(rows[4].iif)
    assert.equal("#9", rows[4].oif)
    assert.equal("#123456789abcdef0", rows[5].rule)
    assert.equal("udp UDP_NEW [fd00::1]:40000 > [fd00::2]:53", tostring(rows[4]))
    assert.equal("tcp ESTABLISHED? 10.0.0.1:40000 > 192.0.2.80:80", tostring(rows[3]))
    assert.equal("icmp ICMP 10.0.0.1 id 7 > 192.0.2.80", tostring(rows[5]))
  end)

  it("ends states", function()
    assert.equal(2, fw.states({ src = "10.0.0.1", proto = "tcp" }):kill())
    assert.equal(3, #kernel.states)
  end)

  it("counts by a field, also when the table changes under it", function()
    local function check(q)
      local by = q:count_by "proto"
      assert.same({ tcp = 3, udp = 1, icmp = 1 }, setmetatable(by, nil))
      assert.same({ eth0 = 4, none = 1 }, setmetatable(q:count_by "iif", nil))
      assert.same({ web = 3, dns = 1, ["#123456789abcdef0"] = 1 }, setmetatable(q:count_by "rule", nil))
    end
    check(fw.states())
    assert.same({ [true] = 1, [false] = 4 }, setmetatable(fw.states():count_by "guessed", nil))
    -- Only rows are left when the kernel says that its counts are not of one moment.
    fw.running()
    kernel.interrupted_dumps = 1
    assert.same({ tcp = 3, udp = 1, icmp = 1 }, setmetatable(fw.states():count_by "proto", nil))
    assert.equal("VALUE  STATES\ntcp         3\nicmp        1\nudp         1",
      tostring(fw.states():count_by "proto"))
    local problem = failure(function()
      return fw.states():count_by "porto"
    end)
    assert.equal("fw.states: unknown field 'porto'; did you mean 'proto'?", tostring(problem))
  end)

  it("has a top", function()
    local top = fw.states():top(2)
    assert.same({ { src = "10.0.0.1", states = 3 }, { src = "10.0.0.2", states = 1 } }, setmetatable(top,
      nil))
    local big = fw.states():top(2, "bytes")
    assert.same({ 5000, 1000 }, { big[1].bytes, big[2].bytes })
    assert.equal(2, #big)
    assert.equal(5, #fw.states():top(100, "bytes"))
    assert.matches("top: expected how many, from 1 on, got 0", tostring(failure(function()
      return fw.states():top(0)
    end)))
  end)

  it("stops when the kernel says no", function()
    kernel.refuse.states_dump = { errno = 1, name = "EPERM", message = "Operation not permitted" }
    local problem = failure(function()
      for row in fw.states():each() do
        error(row)
      end
    end)
    assert.equal(77, problem.status)
  end)

  it("shows itself as a table with TCP states in bold blue, guesses not", function()
    local shown = require("ipfi.base.print").show(fw.states(), support.terminal(120, true))
    assert.truthy(shown:find("\27[1;34mESTABLISHED ", 1, true))
    assert.truthy(shown:find("\27[1;34mSYN_SENT", 1, true))
    assert.is_nil(shown:find("\27%[1;34mESTABLISHED%?"))
    assert.is_nil(shown:find("\27%[1;34mUDP_NEW"))
    assert.truthy(shown:find("59m59s", 1, true))
    assert.truthy(shown:find("0.2s", 1, true))
    assert.truthy(shown:find("[fd00::1]:40000", 1, true))
    assert.truthy(shown:find("eth0>eth1", 1, true))
    local plain = tostring(fw.states())
    assert.is_nil(plain:find("\27", 1, true))
    assert.truthy(plain:find("3599.5", 1, true))
    kernel.states = {}
    assert.equal("no states", tostring(fw.states()))
  end)

  it("fits its table to the terminal", function()
    for columns = 60, 140, 10 do
      local shown = require("ipfi.base.print").show(fw.states(), support.terminal(columns))
      for line in shown:gmatch("[^\n]+") do
        assert.is_true(utf8.len(line) <= columns, line)
      end
      assert.truthy(shown:find("ESTABLISHED", 1, true))
    end
  end)

  it("cuts a table that nobody would read", function()
    local one = state()
    kernel.states = {}
    for i = 1, 1200 do
      kernel.states[i] = one
    end
    local shown = require("ipfi.base.print").show(fw.states(), support.terminal(100))
    assert.matches("%.%.%. and 200 more %(q:each%(%) goes through all%)\n$", shown)
    assert.equal(1200, select(2, tostring(fw.states()):gsub("\n", "")))
  end)
end)

describe("fw.limits and fw.set_limits", function()
  it("read and set", function()
    assert.equal(65536, fw.limits().max_states)
    assert.is_true(fw.limits().tcp_loose)
    assert.is_true(fw.set_limits { max_states = 1000, tcp_loose = false })
    assert.equal(1000, fw.limits().max_states)
    assert.is_false(fw.limits().tcp_loose)
    assert.equal(0, kernel.limits.tcp_loose)
    assert.is_false(fw.set_limits { max_states = 1000, tcp_loose = 0 })
    assert.is_true(fw.set_limits { max_states = 1000, icmp = 5 })
    assert.same({ icmp = 5 }, kernel.requests[#kernel.requests].limits)
    assert.is_false(fw.set_limits {})
  end)

  it("change nothing when one of them is wrong", function()
    local problem = failure(fw.set_limits, { max_state = 5, icmp = 0, udp_new = 7 })
    assert.equal("fw.set_limits: icmp: 0 is not in 1 to 604800\n"
      .. "fw.set_limits: unknown limit 'max_state'; did you mean 'max_states'?", tostring(problem))
    assert.equal(30, kernel.limits.udp_new)
    assert.matches("expected { name = value }", tostring(failure(fw.set_limits, 5)))
  end)

  it("show themselves with what they mean", function()
    local shown = tostring(fw.limits())
    assert.matches("\ntcp_loose +on +pick up", shown)
    assert.matches("\ntcp_established +3600 s", shown)
    assert.matches("^max_states +65536 ", shown)
  end)
end)

describe("fw.stats", function()
  it("has numbers, and drops by reason", function()
    kernel.states = { state() }
    local s = fw.stats()
    assert.equal(1, s.states)
    assert.equal(9, s.states_peak)
    assert.equal(192, s.state_size)
    assert.equal(7, s.drops["default-deny"])
    assert.equal(0, s.drops["tcp-window"])
    assert.is_nil(s.drops.state)
    assert.equal(100, s.passes.state)
    local shown = require("ipfi.base.print").show(s, support.terminal(100))
    assert.matches("most ever +9\n", shown)
    assert.matches("memory at the limit +12.0M bytes\n", shown)
    assert.matches("DROPPED +PACKETS +BECAUSE\ndefault%-deny +7  no rule matched", shown)
  end)

  it("and the limits are what C shows", function()
    local shown = require("ipfi.live.stats").overview(support.terminal(100))
    for _, words in ipairs { "max_states", "most ever", "a state takes", "memory now",
      "memory at the limit" } do
      assert.truthy(shown:find(words, 1, true), words)
    end
  end)
end)

describe("fw.info", function()
  it("says what runs", function()
    assert.is_false(fw.info().armed)
    fw.commit(policy())
    local info = fw.info()
    assert.same({ true, 1, "test", 0 }, { info.armed, info.generation, info.name, info.rules })
  end)
end)

describe("fw.log", function()
  after_each(function()
    settings.verbose, settings.syslog, settings.quiet = 0, false, false
    sys.world.syslog = {}
  end)

  local function said(...)
    local _, complained = support.catch(fw.log, ...)
    return complained
  end

  it("says warnings, and more with -v", function()
    assert.equal("ipfi: 5 of 6\n", said("warning", "%d of %d", 5, 6))
    assert.equal("ipfi: 100%\n", said("error", "100%"))
    assert.equal("", said("info", "x"))
    settings.verbose = 1
    assert.equal("ipfi: x\n", said("info", "x"))
    assert.equal("", said("debug", "x"))
    settings.verbose = 2
    assert.equal("ipfi: x\n", said("debug", "x"))
    settings.verbose, settings.quiet = 0, true
    assert.equal("", said("warning", "x"))
    assert.equal("ipfi: x\n", said("error", "x"))
  end)

  it("tells the system log too", function()
    settings.syslog = true
    said("error", "a\nb\27[31m")
    said("info", "c")
    assert.same({ "err: a", "err: b\\x1b[31m", "info: c" }, sys.world.syslog)
  end)

  it("knows its levels", function()
    assert.matches("unknown level 'warn'", tostring(failure(fw.log, "warn", "x")))
    assert.matches("expected a format", tostring(failure(fw.log, "info")))
  end)
end)
