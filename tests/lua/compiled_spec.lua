-- SPDX-License-Identifier: GPL-2.0-or-later
-- Compiled policies, by the program as it is: what --compile writes is what --apply takes, and nothing else.
local IPFI = "build/ipfi"

local program = io.open(IPFI)
if not program then
  describe("compiled policies", function()
    pending "the program is not built"
  end)
  return
end
program:close()

local directory

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read "a"
  file:close()
  return content
end

local function write(name, content, mode)
  local path = directory .. "/" .. name
  os.remove(path)
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  os.execute(("chmod %s %s"):format(mode or "600", path))
  return path
end

-- Runs the program; returns its status, standard output and standard error.
local function ipfi(arguments)
  local pipe = assert(io.popen(("%s %s >%s/out 2>%s/err </dev/null; echo $?")
    :format(IPFI, arguments, directory, directory)))
  local status = tonumber(pipe:read "a")
  pipe:close()
  return status, read(directory .. "/out"), read(directory .. "/err")
end

local POLICY = [[
return policy {
  name = args.name or "gateway",
  limits = { udp_new = 20 },
  nat = { masquerade { "lan", oif = "wan0" } },
  rules = { allow { "web", proto = "tcp", dport = 80, state = true }, deny { "rest" } },
}
]]

local source, file

setup(function()
  local pipe = assert(io.popen "mktemp -d")
  directory = pipe:read "l"
  pipe:close()
  source, file = write("gw.lua", POLICY), directory .. "/gw.ipfi"
end)

teardown(function()
  os.execute("rm -r " .. directory)
end)

before_each(function()
  assert.equal(0, (ipfi(("--compile=%s -f %s"):format(file, source))))
end)

-- The compiled file with a part of it replaced.
local function changed(pattern, replacement)
  local bytes, count = read(file):gsub(pattern, replacement, 1)
  assert.equal(1, count)
  return write("changed.ipfi", bytes)
end

local function refused(path)
  local status, out, complained = ipfi(("--sim --apply=%s -e 'print(1)'"):format(path))
  assert.equal("", out)
  return status, (complained:gsub(directory .. "/", ""):gsub("\n$", ""))
end

describe("--compile", function()
  it("needs no kernel, and writes for its owner alone", function()
    local pipe = assert(io.popen("stat -c %a " .. file))
    assert.equal("600", pipe:read "l")
    pipe:close()
    assert.matches("ipfi compiled policy\nformat 1\n", read(file), 1, true)
  end)

  it("writes the same bytes each time, to standard output too", function()
    local status, out = ipfi("--compile=- -f " .. source)
    assert.equal(0, status)
    assert.equal(read(file), out)
  end)

  it("takes the arguments of the policy", function()
    local _, out = ipfi(("--compile=- -f %s name=other"):format(source))
    assert.matches("\npolicy other\n", out, 1, true)
  end)

  it("leaves what was there when the policy is wrong, or cannot be written", function()
    local before = read(file)
    local bad = write("bad.lua", "return policy { rules = { allow { 'x', dport = 'htpps' } } }")
    assert.equal(3, (ipfi(("--compile=%s -f %s"):format(file, bad))))
    assert.equal(before, read(file))
    local status, _, complained = ipfi(("--compile=/no/such/file -f %s"):format(source))
    assert.equal(1, status)
    assert.matches("cannot write /no/such/file: No such file or directory", complained)
    assert.equal(1, (ipfi(("--compile=/dev/null -f %s"):format(source))))
  end)
end)

describe("--apply", function()
  it("commits what was compiled, as -f does", function()
    local show = [[-e 'local r = fw.running() print(r.name, #r.rules, #r.nat, r.rules[1].at, r.rules[1].dport)
      print(fw.limits().udp_new)']]
    local status, applied = ipfi(("--sim --apply=%s %s"):format(file, show))
    assert.equal(0, status)
    local _, loaded = ipfi(("--sim -f %s %s"):format(source, show))
    assert.equal(loaded, applied)
    assert.matches("^gateway\t2\t1\t.*gw.lua:5\t80\n20\n$", applied)
  end)

  it("says what it did with -v", function()
    local _, _, complained = ipfi("--sim -v --apply=" .. file)
    assert.equal(("ipfi: %s: generation 1, 2 rules, 1 NAT rule\n"):format(file), complained)
  end)

  it("takes a file from standard input", function()
    assert.is_true(os.execute(("%s --sim --apply=- <%s"):format(IPFI, file)))
  end)

  it("has the plan of the policy empty afterwards", function()
    local status, out = ipfi(("--sim --apply=%s -e 'print(fw.plan(fw.load \"%s\").empty)'")
      :format(file, source))
    assert.equal(0, status)
    assert.equal("true\n", out)
  end)

  it("needs the module where there is no --sim", function()
    local status = ipfi("--apply=" .. file)
    -- Or the rights, where somebody runs the module on the machine that builds.
    assert.is_true(status == 5 or status == 77 or status == 0)
  end)

  it("refuses what is no compiled policy", function()
    local status, why = refused(source)
    assert.equal(3, status)
    assert.equal("gw.lua: is no compiled policy (see --compile)", why)
    for _, junk in ipairs { "", "x", ("\0"):rep(100), ("ipfi compiled policy\n"):rep(9) } do
      assert.same({ 3, "junk: is no compiled policy (see --compile)" },
        { refused(write("junk", junk)) })
    end
  end)

  it("refuses another version's", function()
    assert.same({ 3, "changed.ipfi: was compiled by another version of ipfi (0.1.0, this is 0.1.0): "
      .. "compile it again" }, { refused(changed("family 1", "family 2")) })
    assert.equal(3, (refused(changed("format 1", "format 2"))))
    local _, why = refused(changed("order %l+", "order other"))
    assert.matches("other byte order", why)
  end)

  it("refuses one that is cut off, wherever", function()
    local bytes = read(file)
    for length = #bytes - 1, 1, -37 do
      local status = refused(write("cut.ipfi", bytes:sub(1, length)))
      assert.equal(3, status, "cut to " .. length)
    end
    local _, why = refused(write("cut.ipfi", bytes:sub(1, -5)))
    assert.matches("is cut off: %d+ bytes of messages instead of %d+", why)
    assert.matches("is cut off", (select(2, refused(write("long.ipfi", bytes .. "more")))))
  end)

  it("refuses one with a single bit that is wrong", function()
    assert.same({ 3, "changed.ipfi: is damaged: its checksum is wrong" },
      { refused(changed("web", "wec")) })
    assert.equal(3, (refused(changed("sum %x", "sum g"))))
    assert.equal(3, (refused(changed("messages 5", "messages 6"))))
  end)

  it("refuses messages that are no transaction, sum or no sum", function()
    local script = write("make.lua", [[
      local codec = require "ipfi.c.codec"
      local bytes = assert(io.open(arg[1], "rb")):read "a"
      local head = bytes:sub(17, string.unpack("=I4", bytes)):gsub("%z", "")
      local body = codec.encode(load("return " .. arg[2])())
      head = head:gsub("bytes %d+", "bytes " .. #body):gsub("messages %d+", "messages " .. arg[3])
        :gsub("sum %x+", ("sum %016x"):format(codec.checksum(body)))
      head = head .. ("\0"):rep(-#head % 4)
      io.open(arg[4], "wb"):write(string.pack("=I4I2I2I4I4", 16 + #head, 1, 0, 0, 0), head, body):close()]])
    for _, made in ipairs {
      { "{ { cmd = \"states_delete\" } }", 1 },
      { "{ { cmd = \"ruleset_commit\", commit = {} } }", 1 },
      { "{ { cmd = \"ruleset_begin\", ruleset = {} }, { cmd = \"states_delete\" }, "
        .. "{ cmd = \"ruleset_commit\", commit = {} } }", 3 },
      { "{ { cmd = \"ruleset_begin\", ruleset = {} }, { cmd = \"ruleset_commit\" } }", 2 },
      { "{}", 0 },
    } do
      local path = directory .. "/made.ipfi"
      assert.equal(0, (ipfi(("%s %s '%s' %d %s"):format(script, file, made[1], made[2], path))))
      os.execute("chmod 600 " .. path)
      local status, why = refused(path)
      assert.equal(3, status, made[1])
      assert.matches("is damaged: its .* no ", why)
    end
  end)

  it("refuses a file that others may write", function()
    os.execute("chmod 666 " .. file)
    local status, why = refused(file)
    assert.equal(3, status)
    assert.equal("refusing gw.ipfi: everybody may write to it (chmod go-w it)", why)
    os.execute("chmod 600 " .. file)
    assert.equal(3, (refused "/no/such/file"))
  end)
end)

describe("fw.decode", function()
  it("shows such a file field by field", function()
    local status, out = ipfi(([[-e 'fw.print(fw.decode(io.open("%s", "rb"):read "a"))']]):format(file))
    assert.equal(0, status)
    assert.matches("^1 ruleset_begin\n  ruleset.name             'gateway'\n", out)
    assert.matches("\n3 rule_add\n  rule.name     'web'\n", out)
    assert.matches("\n5 ruleset_commit\n  commit.states  recheck\n", out)
  end)

  it("gives JSON lines", function()
    local _, out = ipfi(([[-j -e 'fw.print(fw.decode(io.open("%s", "rb"):read "a"))']]):format(file))
    local lines = 0
    for line in out:gmatch "[^\n]+" do
      lines = lines + 1
      assert.matches('^{.*"cmd":"%l+_%l+".*}$', line)
    end
    assert.equal(5, lines)
  end)
end)
