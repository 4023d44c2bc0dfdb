-- SPDX-License-Identifier: GPL-2.0-or-later
-- The program as it is installed: options, exit statuses and messages, on policies that are right and wrong.
-- No kernel module is needed; where one would be asked, its absence is what is seen.
package.path = "tests/lua/?.lua;" .. package.path
local program = require "program"

local IPFI, exists, shell = program.path, program.exists, program.shell

if not exists(IPFI) then
  describe("the program", function()
    pending "is not built"
  end)
  return
end

local room, directory, ipfi, write

setup(function()
  room = program.room()
  directory, ipfi, write = room.directory, room.run, room.write
end)

teardown(function()
  room.remove()
end)

describe("the program", function()
  it("checks a good policy in silence", function()
    local path = write("good.lua", [[
      local lan = set { "192.168.1.0/24", "fd00:1::/64" }
      return policy {
        name = "gateway",
        default = { ["in"] = "deny", out = "deny", forward = "deny" },
        limits = { max_states = 65536, tcp_established = 3600 },
        rules = {
          allow { "loopback", iif = "lo" },
          group { "from here", dir = "out", state = true } {
            allow { "dns", proto = { "udp", "tcp" }, dport = "domain" },
            allow { "ftp", proto = "tcp", dport = "ftp" },
          },
          allow { "ssh", dir = "in", src = lan, proto = "tcp", dport = "ssh", flags = "S/SA", state = true,
            limit = "10/minute" },
          deny  { "rest", dir = "in", log = "in-deny" },
        },
      }]])
    assert.same({ 0, "", "" }, { ipfi("-c -f " .. path) })
    assert.same({ 0, "", ("ipfi: %s: ok, 5 rules\n"):format(path) }, { ipfi("-v -c -f " .. path) })
  end)

  it("tells a broken policy's file, line, rule and the near name", function()
    local path = write("broken.lua", [[
return policy {
  rules = {
    allow { "web", dport = "htpps" },
    allow { "dns", dprt = "domain" },
  },
}]])
    local status, out, complained = ipfi("-f " .. path)
    assert.equal(3, status)
    assert.equal("", out)
    assert.equal(path .. ":3: rule 'web': unknown service 'htpps'; did you mean 'https'?\n"
      .. path .. ":4: rule 'dns': unknown field 'dprt'; did you mean 'dport'?\n", complained)
  end)

  it("refuses a policy that others could have written", function()
    local path = write("open.lua", "return policy {}")
    os.execute("chmod 666 " .. path)
    local status, _, complained = ipfi("-c -f " .. path)
    assert.equal(3, status)
    assert.matches("refusing .*open.lua: everybody may write to it", complained)
    os.execute("chmod 600 " .. path .. "; chmod 777 " .. directory)
    status, _, complained = ipfi("-c -f " .. path)
    os.execute("chmod 700 " .. directory)
    assert.equal(3, status)
    assert.matches("because of its directory .*: everybody may write to it", complained)
  end)

  it("finds a file of one's own in a sticky directory fine", function()
    local path = write("sticky.lua", "return policy {}")
    os.execute("chmod 1777 " .. directory)
    local status = ipfi("-c -f " .. path)
    os.execute("chmod 700 " .. directory)
    assert.equal(0, status)
  end)

  it("knows a link by what it leads to", function()
    os.execute(("mkdir -p %s/loose && chmod 777 %s/loose"):format(directory, directory))
    write("loose/real.lua", "return policy {}")
    os.execute(("ln -sf loose/real.lua %s/link.lua"):format(directory))
    local status, _, complained = ipfi(("-c -f %s/link.lua"):format(directory))
    assert.equal(3, status)
    assert.matches("because of its directory .*/loose", complained)
    -- And by where it stands: who may change the link chooses the policy.
    local kept = write("kept.lua", "return policy {}")
    os.execute(("ln -sf %s %s/loose/link.lua"):format(kept, directory))
    os.execute(("ln -sf %s %s/fine.lua"):format(kept, directory))
    status, _, complained = ipfi(("-c -f %s/loose/link.lua"):format(directory))
    assert.equal(3, status)
    assert.matches("because of its directory .*/loose: everybody may write to it", complained)
    assert.equal(0, (ipfi(("-c -f %s/fine.lua"):format(directory))))
  end)

  it("stops a policy without end, and one that eats memory", function()
    local status, _, complained = ipfi("-c -f " .. write("loop.lua", "while true do end"))
    assert.equal(3, status)
    assert.matches("loop.lua:1: the policy does not end", complained)
    status, _, complained = ipfi("-c -f " .. write("eat.lua", "local s = 'x' while true do s = s .. s end"))
    assert.equal(3, status)
    assert.matches("eat.lua:?1?: the policy takes", complained)
  end)

  it("runs from a file's first line", function()
    local path = write("hash.lua", "#!" .. shell "pwd":match "%S+" .. "/" .. IPFI .. " -f\nreturn polici {}")
    os.execute("chmod 700 " .. path)
    local output = shell(path .. " 2>&1; echo $?")
    assert.equal(path .. ":2: unknown name 'polici'; did you mean 'policy'?\n3\n", output)
  end)

  it("says when the module is not there", function()
    if exists "/sys/module/ipfi/refcnt" then
      return
    end
    local path = write("some.lua", "return policy {}")
    local status, _, complained = ipfi("-f " .. path)
    assert.equal(5, status)
    assert.matches("the kernel module is not loaded", complained)
    assert.equal(5, (ipfi "-e 'fw.stats()'"))
    assert.equal(5, (ipfi "examples/jobs/report.lua"))
  end)

  it("runs statements and scripts", function()
    assert.same({ 0, "1\n2\n", "" }, { ipfi "-e 'print(1)' -e '=1 + 1'" })
    assert.same({ 1, "", "ipfi: -e:1: oh\n" }, { ipfi [[-e 'error("oh")']] })
    local path = write("script.lua", "print(arg[1], args.x, fw.version)")
    assert.same({ 0, "one\t2\t0.1.0\n", "" }, { ipfi(path .. " one x=2") })
    assert.equal("7\n", shell(("echo 'print(3 + 4)' | %s"):format(IPFI)))
    assert.equal(2, (ipfi "--no-such-option"))
  end)

  it("puts messages into bytes and back", function()
    local path = write("bytes.lua", [[
      local p = policy { name = "x", rules = {
        allow { "web", dir = "in", proto = "tcp", src = { "10.0.0.0/8", "fd00::1", "me" }, dport = { 80,
          "8000-8080" },
                state = true, limit = "10/minute", log = true },
        allow { "ping", icmp = "echo-request", length = "!0-100" },
      } }
      local messages = fw.compile(p, { states = "keep", expect = 7 })
      local again = fw.decode(messages:bytes())
      assert(#again == #messages)
      for i, message in ipairs(messages) do
        assert(fw.json(message) == fw.json(again[i]), fw.json(again[i]))
      end
      print "same"]])
    assert.same({ 0, "same\n", "" }, { ipfi(path) })
  end)

  it("accepts every example", function()
    for _, name in ipairs { "workstation", "router", "server" } do
      assert.same({ 0, "", "" }, { ipfi(("-c -f examples/%s.lua"):format(name)) })
    end
  end)

  it("prints what the original's rule files become, as a policy of the same bytes", function()
    local status, out, complained = ipfi "--import-legacy tests/lua/legacy/gateway"
    assert.equal(0, status)
    assert.matches("^ipfi: tests/lua/legacy/gateway/options:7: ", complained)
    local path = write("imported.lua", out)
    -- The original asked for the port before its translation; lint says that nothing allows that behind it.
    local lines
    status, out, lines = ipfi("-c -f " .. path)
    assert.same({ 0, "" }, { status, out })
    assert.matches("^%S+: warning: rule 'web server': no rule allows what it translates", lines)
    local script = write("same.lua", [[
      local function bytes(p)
        local messages = fw.compile(p)
        for _, message in ipairs(messages) do
          if message.rule then
            message.rule.at = message.rule.at:match ":%d+$"
          end
        end
        return messages:bytes()
      end
      assert(#fw.load(args[1]).nat > 0)
      print(bytes(fw.load(args[1])) == bytes(fw.import_legacy "tests/lua/legacy/gateway"))]])
    status, out = ipfi(("%s %s"):format(script, path))
    assert.same({ 0, "true\n" }, { status, out })
    assert.equal(2, (ipfi("--import-legacy=tests/lua/legacy/gateway -f " .. path)))
    status, out, complained = ipfi "--import-legacy tests/lua/legacy/broken"
    assert.same({ 3, "" }, { status, out })
    assert.matches("^tests/lua/legacy/broken/options:1: MAX_STATE_ENTRIES", complained)
    assert.equal("1\n", shell(IPFI .. " -q --import-legacy tests/lua/legacy/gateway 2>&1 >/dev/full; echo $?")
      :match "[^\n]*\n$")
  end)

  it("has the real system's names", function()
    local path = write("names.lua", [[return policy { rules = {
      allow { "a", dport = { "ssh", "domain", "https" }, proto = "tcp" },
      allow { "b", proto = { "gre", "esp", "icmpv6", "ospf", "vrrp" } },
      allow { "c", dir = "out", user = { "root", "nobody" } },
    } }]])
    assert.same({ 0, "", "" }, { ipfi("-c -f " .. path) })
  end)

  it("ignores what the environment says about Lua", function()
    assert.same({ 0, "5\n", "" }, { ipfi("-e '=5'",
      "LUA_INIT='error(1)' LUA_PATH=/nowhere/?.lua LUA_INIT_5_4='error(2)'") })
  end)

  it("prints in colour only when asked", function()
    local path = write("colour.lua", "fw.print { a = 'b' }")
    assert.same({ 0, '{ a = "b" }\n', "" }, { ipfi(path) })
    assert.same({ 0, '{ \27[36ma\27[0m = \27[32m"b"\27[0m }\n', "" }, { ipfi("--color=always " .. path) })
    assert.same({ 0, '{"a":"b"}\n', "" }, { ipfi("-j " .. path) })
  end)
end)
