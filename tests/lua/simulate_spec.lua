-- SPDX-License-Identifier: GPL-2.0-or-later
-- Simulations, replays and the packet tests of policies, in the program itself: the engine is part of it.
require "support"
local packet = require "ipfi.packet.packet"

local IPFI = "build/ipfi"

local probe = io.open(IPFI)
if not probe then
  describe("simulation", function()
    pending "the program is not built"
  end)
  return
end
probe:close()

local directory

local function run(arguments)
  local pipe = io.popen(("cd %q && %s/%s %s 2>&1 </dev/null; echo $?")
    :format(directory, os.getenv "PWD", IPFI, arguments))
  local said = pipe:read "a"
  pipe:close()
  local output, status = said:match("^(.-)(%d+)\n$")
  return output, tonumber(status)
end

local function write(name, content)
  local file = assert(io.open(directory .. "/" .. name, "wb"))
  file:write(content)
  file:close()
  os.execute(("chmod 600 %s/%s"):format(directory, name))
end

-- Runs a script with the policy p; what it prints.
local function script(body)
  write("s.lua", 'local p = fw.load "p.lua"\n' .. body)
  return (run "s.lua")
end

local POLICY = [[
return policy {
  name = "p",
  nat = { masquerade { "out", oif = "wan0" } },
  rules = {
    allow { "web", dir = "forward", proto = "tcp", dport = 80, state = true },
    allow { "few", dir = "in", proto = "udp", dport = 53, limit = "2/minute", state = false },
    reject { "no", dir = "in", proto = "tcp" },
    deny { "rest" },
  },
}
]]

setup(function()
  local pipe = io.popen "mktemp -d"
  directory = pipe:read "l"
  pipe:close()
  write("p.lua", POLICY)
end)

teardown(function()
  os.execute("rm -rf " .. directory)
end)

describe("fw.simulate", function()
  it("carries a conversation through a translation until it ends", function()
    assert.equal([[
allow web SYN_SENT 203.0.113.1:40000
allow web SYN_RECV 198.51.100.8:80
allow web ESTABLISHED 203.0.113.1:40000
deny rest - -
]], script [[
      local s = fw.sim.new(p, { devices = { wan0 = "203.0.113.1/24", lan0 = "10.0.0.1/24" } })
      local function show(j)
        print(j.verdict, j.rule, j.state or "-", j.nat and j.nat.src .. ":" .. j.nat.sport or "-")
        return j
      end
      local print_tabs = print
      print = function(...) print_tabs((table.concat({ ... }, " "))) end
      local j = show(fw.simulate(s, { dir = "forward", iif = "lan0", oif = "wan0", src = "10.0.0.5",
        dst = "198.51.100.8", flags = "S", dport = 80 }))
      j = show(fw.simulate(s, fw.sim.reply(j)))
      j = show(fw.simulate(s, fw.sim.reply(j)))
      s:advance(3601)
      show(fw.simulate(s, fw.sim.reply(j)))
    ]])
  end)

  it("fills limits up again when the clock moves", function()
    assert.equal("allow allow deny allow\n", script [[
      local out = {}
      for i = 1, 4 do
        if i == 4 then fw.sim.advance(60) end
        out[i] = fw.simulate(p, { proto = "udp", dport = 53 }).verdict
      end
      print(table.concat(out, " "))
    ]])
  end)

  it("tells what rejected packets are answered with", function()
    assert.equal("reject no 192.0.2.1:22 > 198.51.100.1:40000 tcp RA len 40\n", script [[
      local j = fw.simulate(p, { proto = "tcp", dport = 22 })
      print(j.verdict .. " " .. j.rule .. " " .. j.answers[1])
    ]])
  end)

  it("names what is wrong with a packet", function()
    assert.matches("packet: unknown field 'dprt'; did you mean 'dport'%?",
      script "fw.simulate(p, { dprt = 1 })")
    assert.matches("expected a policy", script "fw.simulate(5, { proto = 'tcp' })")
    assert.matches("--sim", script "fw.sim.pass { proto = 'tcp' }")
  end)
end)

describe("a packet test", function()
  local function check(tests, options)
    write("t.lua", tests .. POLICY)
    return run((options or "-c") .. " -q -f t.lua")
  end

  it("passes", function()
    local said, status = check [[
      test { "web", dir = "forward", iif = "lan0", oif = "wan0",
        { proto = "tcp", dport = 80, expect = "allow" },
        { reply = true, expect = "allow", state = "SYN_RECV" },
        { reply = true, expect = "allow", rule = "web" },
        { reply = true, after = 3601, expect = "deny", rule = "rest" } }
    ]]
    assert.equal(0, status, said)
  end)

  -- { what is written, what is said }
  local failures = {
    { 'test { "x", proto = "tcp", dport = 22, expect = "allow" }',
      "t.lua:1: test 'x': expected allow, got reject by 'no' %(t.lua:8%)" },
    { 'test { "x", proto = "tcp", expect = "reject", rule = "rest" }',
      "expected reject by 'rest', got reject by 'no'" },
    { 'test { "x", proto = "udp", dport = 53, expect = "allow", state = "UDP_NEW" }',
      "expected state UDP_NEW, got no state" },
    { 'test { "x", dir = "forward", oif = "wan0", dport = 80, proto = "tcp", expect = "allow", nat = false }',
      "expected no translation, got src" },
    { 'test { "x", proto = "tcp", dport = 22, expect = "reject", reason = "state" }',
      "expected the reason state, got rule%-reject" },
  }
  for _, case in ipairs(failures) do
    it("fails: " .. case[2], function()
      for _, options in ipairs { "-c", "--sim", "--sim -n" } do
        local said, status = check(case[1] .. "\n", options)
        assert.equal(3, status, options)
        assert.matches(case[2], said)
      end
    end)
  end

  it("that fails lets nothing be committed from a script either", function()
    write("t.lua", 'test { "x", proto = "tcp", expect = "allow" }\n' .. POLICY)
    local said = run "--sim -e 'print(pcall(fw.commit, fw.load \"t.lua\")) print(fw.info().generation)'"
    assert.matches("false\t.*expected allow, got reject.*\n0\n", said)
  end)
end)

describe("fw.replay", function()
  local function capture(frames)
    local out = { ("<I4I2I2i4I4I4I4"):pack(0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) }
    for _, frame in ipairs(frames) do
      local data = type(frame[2]) == "string" and frame[2] or assert(packet.build(frame[2]))
      local kept = data:sub(1, frame[3] or #data)
      out[#out + 1] = ("<I4I4I4I4"):pack(frame[1], 0, #kept, #data) .. kept
    end
    return table.concat(out)
  end

  it("passes each packet at its time and sums up", function()
    local out = { src = "10.0.0.5", dst = "198.51.100.8", sport = 1234, dport = 80, flags = "S" }
    local back = { src = "198.51.100.8", dst = "10.0.0.5", sport = 80, dport = 1234, flags = "SA", seq = 9,
      ack = 1001 }
    write("c.pcap", capture {
      { 1000, out }, { 1001, back }, { 1500, back },
      { 1501, { dst = "10.0.0.1", proto = "udp", dport = 53, payload = ("x"):rep(100) }, 40 },
      { 1502, "\x70nothing that is known ......" },
    })
    local said = script [[
      for row in fw.replay(p, "c.pcap", { me = "10.0.0.1" }):each() do
        print(row.number .. " " .. row.dir .. " " .. row.verdict .. " " .. row.rule .. " "
          .. (row.state or "-") .. (row.truncated and " cut" or ""))
      end
      local s = fw.replay(p, "c.pcap", { me = "10.0.0.1" }):total()
      print(s.packets, s.allow, s.deny, s.skipped, s.truncated, s.rules.web, s.reasons.state)
    ]]
    assert.equal([[
1 forward allow web SYN_SENT
2 forward allow web SYN_RECV
3 forward deny rest -
4 in allow few - cut
]] .. "4\t3\t1\t1\t1\t2\t1\n", said)
  end)

  it("knows this machine's own addresses when it is told none", function()
    write("own.pcap", capture {
      { 1000, { src = "127.0.0.1", dst = "127.0.0.1", proto = "udp", sport = 9, dport = 9 } },
      { 1001, { src = "192.0.2.77", dst = "198.51.100.77", proto = "udp", sport = 9, dport = 9 } },
    })
    assert.equal("out\nforward\n", script [[
      for row in fw.replay(p, "own.pcap"):each() do print(row.dir) end
    ]])
  end)

  it("says what is wrong with a file", function()
    write("bad.pcap", "no capture at all, but long enough")
    assert.matches("cannot read bad.pcap: unknown file format", script "fw.replay(p, 'bad.pcap')")
    assert.matches("unknown option 'mee'; did you mean 'me'%?",
      script "fw.replay(p, 'c.pcap', { mee = '10.0.0.1' })")
  end)
end)
