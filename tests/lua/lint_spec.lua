-- SPDX-License-Identifier: GPL-2.0-or-later
-- Lint: rules that are of no use, found by the program as it is installed, and said in words. That its
-- reasoning is right is tried at random by tests/unit/lint_cases.lua.
local program = require "program"

if not program.exists(program.path) then
  describe("lint", function()
    pending "is not tried: the program is not built"
  end)
  return
end

local classbench = require "classbench"

local room

setup(function()
  room = program.room()
end)

teardown(function()
  room.remove()
end)

-- What -c says of a policy with these rules; "file" stands for its path.
local function findings(rules, rest)
  local path = room.write("p.lua", ("return policy { %s rules = {\n%s\n} }\n"):format(rest or "", rules))
  local status, out, complained = room.run("-c -f " .. path)
  assert.same({ 0, "" }, { status, out })
  return (complained:gsub(path:gsub("%p", "%%%0"), "file"))
end

-- The one finding that is expected, behind "file:N: warning: rule 'NAME': ", and none without one rule.
local function expect(what, rules, wanted)
  assert.equal(wanted, findings(rules):gsub("; e%.g%. [^\n]*", ""), what)
end

describe("lint", function()
  it("says nothing of a policy whose rules are all of use", function()
    assert.equal("", findings [[
      allow { "web", dir = "in", proto = "tcp", dport = 80, state = true },
      deny { "bad", dir = "in", src = "198.51.100.0/24", log = true },
      allow { "rest of tcp", dir = "in", proto = "tcp", dport = "81-65535" },
      reject { "rest", dir = "in" }]])
  end)

  it("looks past an ordinary packet that is taken, where rules ask for what it does not have", function()
    expect("icmp, of which a packet of TCP has none", [[
      deny { "bad", dir = "in", src = "192.0.2.0/24", proto = "tcp", dport = 80 },
      allow { "tcp", dir = "in", proto = "tcp" },
      allow { "ping", dir = "in", icmp = "echo-request" } ]], "")
  end)

  it("finds a rule behind one that takes all its packets, with a packet", function()
    assert.equal("file:3: warning: rule 'web': never matches: 'all tcp' (file:2) takes all its packets; "
      .. "e.g. tcp 192.0.2.1:40000 > 198.51.100.1:80 S in by eth0\n", findings [[
      allow { "all tcp", dir = "in", proto = "tcp" },
      allow { "web", dir = "in", proto = "tcp", dport = 80 } ]])
    expect("without the offender", [[allow { "web", dir = "in", proto = "tcp", dport = 80 } ]], "")
  end)

  it("finds a rule whose packets several take together", function()
    local low = [[allow { "low", dir = "out", proto = "udp", dport = "0-100", log = true },]]
    local high = [[allow { "high", dir = "out", proto = "udp", dport = "%d-65535", log = "x" },]]
    local udp = [[allow { "udp", dir = "out", proto = "udp" },]]
    expect("both", low .. "\n" .. high:format(101) .. "\n" .. udp, "file:4: warning: rule 'udp': never "
      .. "matches: 'low' (file:2) and 'high' (file:3) together take all its packets\n")
    expect("a port is left", low .. "\n" .. high:format(102) .. "\n" .. udp, "")
    expect("one of them", low .. "\n" .. udp, "")
    expect("four quarters and two families", [[
      allow { "a", dir = "in", src = "0.0.0.0/1", log = "a" },
      deny { "b", dir = "in", src = "128.0.0.0/1", log = "b" },
      allow { "c", dir = "in", src = "::/1", log = "c" },
      deny { "d", dir = "in", src = "8000::/1", log = "d" },
      allow { "e", dir = "in", state = true }]], "file:6: warning: rule 'e': never matches: 'a' (file:2), "
      .. "'b' (file:3), 'c' (file:4) and 'd' (file:5) together take all its packets\n")
  end)

  it("leaves a rule in peace when one address, one port, one flag is its own", function()
    for _, before in ipairs {
      [[allow { "x", dir = "in", proto = "tcp", src = "10.0.0.0/25", dport = 80, log = true },]],
      [[allow { "x", dir = "in", proto = "tcp", src = "10.0.0.0-10.0.0.254", log = true },]],
      [[allow { "x", dir = "in", proto = "tcp", flags = "S/S", log = true },]],
      [[allow { "x", dir = "in", iif = "eth*", log = true },]],
      [[allow { "x", dir = "in", mark = "0/1", log = true },]],
      [[allow { "x", dir = "in", length = "0-1499", log = true },]],
      [[allow { "x", dir = "in", dscp = "0-62", log = true },]],
      [[allow { "x", dir = "in", dst = "me", log = true },]],
      [[allow { "x", dir = "in", ipsec = true, log = true },]],
      [[allow { "x", dir = "in", limit = "10/second", log = true },]],
      [[allow { "x", dir = "in", state = true, per_source = 9, log = true },]],
      [[allow { "x", dir = "out", log = true },]],
      [[allow { "x", dir = "in", src = set { name = "s", dynamic = true }, log = true },]],
    } do
      expect(before, before .. [[ allow { "r", dir = "in", proto = "tcp", src = "10.0.0.0/24" } ]], "")
    end
  end)

  it("knows what sets, own addresses and devices say together", function()
    expect("the same set", [[
      deny { "bans", dir = "in", src = set { name = "s", dynamic = true }, log = true },
      deny { "again", dir = "in", proto = "tcp", src = set { name = "s", dynamic = true }, log = "y" } ]],
      "file:3: warning: rule 'again': never matches: 'bans' (file:2) takes all its packets\n")
    expect("me and not me", [[
      deny { "a", dir = "forward", dst = "me", log = true },
      deny { "b", dir = "forward", dst = "!me", log = "b" },
      reject { "c", dir = "forward" } ]], "file:4: warning: rule 'c': never matches: it would reject what "
      .. "'a' (file:2) and 'b' (file:3) together deny\n")
    expect("devices", [[
      allow { "a", dir = "in", iif = "eth*" },
      allow { "b", dir = "in", iif = "eth0", dst = "me" } ]],
      "file:3: warning: rule 'b': never matches: 'a' (file:2) takes all its packets\n")
  end)

  it("finds contradictions", function()
    expect("deny behind allow", [[
      allow { "tcp", dir = "in", proto = "tcp" },
      deny { "telnet", dir = "in", proto = "tcp", dport = "telnet" } ]],
      "file:3: warning: rule 'telnet': never matches: it would deny what 'tcp' (file:2) allows\n")
    expect("the other way round", [[
      deny { "telnet", dir = "in", proto = "tcp", dport = "telnet" },
      allow { "tcp", dir = "in", proto = "tcp" } ]], "")
  end)

  it("finds rules that no packet can meet", function()
    expect("flags", [[ allow { "r", dir = "in", flags = "SF/SF" } ]],
      "file:2: warning: rule 'r': never matches: no packet of list 'in' has flags = 'SF/SF'\n")
    expect("the good ones", [[ allow { "r", dir = "in", flags = "S/SF" } ]], "")
    expect("length", [[ reject { "r", proto = "tcp", length = "0-39" } ]],
      "file:2: warning: rule 'r': never matches: no packet has proto = 'tcp' and length = '0-39'\n")
    expect("length of 40", [[ reject { "r", proto = "tcp", length = "0-40" } ]], "")
    expect("a live connection, whose length is not remembered",
      [[ allow { "r", proto = "tcp", length = "0-39" } ]], "")
    expect("source", [[ allow { "r", dir = "in", src = "224.0.0.0/4" } ]],
      "file:2: warning: rule 'r': never matches: no packet of list 'in' has src = '224.0.0.0/4'\n")
    expect("devices", [[ allow { "r", dir = { "in", "out" }, iif = "eth0", oif = "eth1" } ]],
      "file:2: warning: rule 'r': never matches: no packet of list 'in' or 'out' has iif = 'eth0' and "
      .. "oif = 'eth1'\n")
    expect("extension headers", [[ allow { "r", family = 6, proto = "ah" } ]],
      "file:2: warning: rule 'r': never matches: no packet has family = 6 and proto = 'ah'\n")
  end)

  it("finds redundant rules", function()
    expect("covered by a later one", [[
      allow { "web", dir = "in", proto = "tcp", dport = 80 },
      allow { "tcp", dir = "in", proto = "tcp" } ]],
      "file:2: warning: rule 'web': redundant: without it 'tcp' (file:3) allows its packets "
      .. "just the same\n")
    expect("something different in between", [[
      allow { "web", dir = "in", proto = "tcp", dport = 80 },
      deny { "net", dir = "in", src = "10.0.0.0/8" },
      allow { "tcp", dir = "in", proto = "tcp" } ]], "")
    expect("the default", [[
      allow { "tcp", dir = "in", proto = "tcp" },
      deny { "rest", dir = "in" } ]],
      "file:3: warning: rule 'rest': redundant: without it the default denies its packets just "
      .. "the same\n")
    for own, other in pairs { ["log = true"] = "state = false", ["state = true"] = "state = false",
      ["mss = 'pmtu'"] = "state = false", ["state = true, helper = 'ftp'"] = "state = true" } do
      expect(own, ([[
        allow { "web", dir = "forward", proto = "tcp", dport = 80, %s },
        allow { "tcp", dir = "forward", proto = "tcp", %s } ]]):format(own, other), "")
    end
    expect("behind a limit", [[
      allow { "web", dir = "in", proto = "tcp", dport = 80 },
      allow { "tcp", dir = "in", proto = "tcp", limit = "1/second" } ]], "")
  end)

  it("keeps what denies IPv6's neighbours, which the default lets pass", function()
    expect("by a field", [[ deny { "icmpv6", dir = "in", proto = "icmpv6" } ]], "")
    expect("another message", [[ deny { "ping", dir = "in", family = 6, icmp = "echo-request" } ]],
      "file:2: warning: rule 'ping': redundant: without it the default denies its packets just "
      .. "the same\n")
  end)

  it("tells what can all go at once", function()
    expect("twins", [[
      allow { "a", dir = "in", proto = "tcp", dport = 80 },
      allow { "b", dir = "in", proto = "tcp", dport = 80 } ]],
      "file:3: warning: rule 'b': never matches: 'a' (file:2) takes all its packets\n")
  end)

  it("looks at NAT rules too", function()
    local nat = [[nat = { dnat { "www", iif = "wan0", proto = "tcp", dport = 80, to = "10.0.0.1" },
      dnat { "other", iif = "wan0", proto = "tcp", dport = 80, dst = "192.0.2.7", to = "10.0.0.2" },
      masquerade { "lan", oif = "wan0", src = "10.0.0.0/24" },
      masquerade { "all", oif = "wan*" } },]]
    assert.equal("file:2: warning: rule 'other': never matches: 'www' (file:1) takes all its packets; e.g. "
      .. "tcp 192.0.2.1:40000 > 192.0.2.7:80 S in by wan0\n"
      .. "file:3: warning: rule 'lan': redundant: without it 'all' (file:4) masquerades its packets "
      .. "just the same; e.g. tcp 10.0.0.1:40000 > 198.51.100.1:80 S in by eth0 out by wan0\n",
      findings("", nat))
  end)

  it("gives rows", function()
    local path = room.write("rows.lua", [[return policy { rules = {
      allow { "tcp", dir = "in", proto = "tcp" },
      deny { "web", dir = "in", proto = "tcp", dport = 80, src = "10.0.0.0/8" } } }]])
    local status, out, complained = room.run("-j -c -f " .. path)
    assert.same({ 0, "" }, { status, complained })
    assert.matches('^{"at":"[^"]*:3","by":%[{"at":"[^"]*:2","rule":"tcp"}%],"default":false,'
      .. '"kind":"contradiction","list":"in","meets":{"at":"[^"]*:2","rule":"tcp"},"packet":{"dir":"in",'
      .. '"dport":80,"dst":"198.51.100.1","flags":"S","iif":"eth0","proto":"tcp","sport":40000,'
      .. '"src":"10.0.0.1"},"rule":"web","text":"never matches: [^"]*","verdict":"deny",'
      .. '"witness":"[^"]*"}\n$', out)
    local script = room.write("script.lua", [[
      local list = fw.lint(fw.load(args[1]))
      assert(#list == 1 and list[1].kind == "contradiction" and list[1].by[1].rule == "tcp")
      fw.print(list, fw.lint(policy { rules = {} }))
      assert(not pcall(fw.lint, {}))]])
    status, out, complained = room.run(script .. " " .. path)
    assert.same({ 0, "" }, { status, complained })
    assert.matches("^%S+:3: warning: rule 'web': .*\nnothing found: every rule is of use\n$", out)
  end)

  it("is quiet with -q and says nothing at a commit", function()
    local path = room.write("quiet.lua", [[return policy { rules = { deny { "rest" } } }]])
    assert.same({ 0, "", "" }, { room.run("-q -c -f " .. path) })
    assert.same({ 0, "", "" }, { room.run("--sim -q -f " .. path) })
  end)

  it("finds nothing in the examples", function()
    for _, name in ipairs { "workstation", "router", "server", "gateway", "knock-policy",
      "blocked-sites-policy" } do
      assert.same({ 0, "", "" }, { room.run(("-c -f examples/%s.lua"):format(name)) })
    end
  end)

  for _, kind in ipairs { "acl", "fw", "ipc" } do
    it("proves what it says of 10,000 rules of ClassBench's kind " .. kind, function()
      local lines = classbench.generate(kind, 10000, 1)
      local set = room.write(kind .. ".txt", table.concat(lines, "\n") .. "\n")
      local path = room.write(kind .. ".lua", classbench.policy(lines))
      local status, out, complained = room.run(("tests/lua/classbench_lint.lua %s %s"):format(path, set))
      assert.same({ 0, "" }, { status, complained })
      assert.matches("^10000 rules, %d+ never match, %d+ redundant, %d+ witnesses tried\n$", out)
    end)
  end
end)
