-- SPDX-License-Identifier: GPL-2.0-or-later
-- The program as a job runs it: no terminal, hardly an environment, output that goes into pipes and files
-- that are full, or that nobody reads. And with which rights.
package.path = "tests/lua/?.lua;" .. package.path
local program = require "program"

if not program.exists(program.path) then
  describe("a job", function()
    pending "needs the program, which is not built"
  end)
  return
end

local shell, room = program.shell, nil
local IPFI = shell "pwd":match "%S+" .. "/" .. program.path

setup(function()
  room = program.room()
end)

teardown(function()
  room.remove()
end)

describe("a job", function()
  it("needs no environment, no terminal and no standard files", function()
    local good = room.write("good.lua", "return policy { rules = { allow { 'x' } } }")
    for _, before in ipairs { "env -i", "env -i setsid -w", "env -u HOME -u TERM -u PATH" } do
      assert.same({ 0, "5\n", "" },
        { room.run(("-e 'print(5)' -e 'fw.load(\"%s\")'"):format(good), before) })
    end
    assert.equal("0\n", shell(("%s -c -f %s <&- >/dev/null 2>&1; echo $?"):format(IPFI, good)))
    assert.equal("0\n", shell(("%s -c -f %s <&- 2>&- ; echo $?"):format(IPFI, good)))
    assert.equal("", shell(("%s -e 'print(5)' <&- >&- 2>&-"):format(IPFI)))
    -- What is opened next must not become standard output.
    assert.equal("", shell(([[%s -e 'local f <close> = io.open("%s/new", "w") print "lost"' >&-; cat %s/new]])
      :format(IPFI, room.directory, room.directory)))
  end)

  it("writes no terminal codes", function()
    local show = "-e 'fw.print { a = \"b\", { c = 1 } }' -e 'fw.print(allow { \"x\" })'"
    for _, before in ipairs { "", "env -u TERM", "TERM=xterm", "TERM=dumb", "env -i" } do
      local status, out, complained = room.run(show, before)
      assert.same({ 0, "" }, { status, complained })
      assert.is_nil(out:find "\27")
    end
    assert.truthy(select(2, room.run("--color=always " .. show, "env -u TERM")):find "\27%[36m")
    assert.is_nil(select(2, room.run("--color=never " .. show)):find "\27")
    assert.is_nil(select(2, room.run("-j --color=always " .. show)):find "\27")
  end)

  it("ends in silence when nobody reads on", function()
    for _, before in ipairs { "", "trap '' PIPE;" } do
      local said = shell(("bash -c \"%s %s -e 'for i = 1, 1e6 do print(i) end' 2>%s/err | head -n 1; "
        .. "echo \\${PIPESTATUS[0]}\"; cat %s/err"):format(before, IPFI, room.directory, room.directory))
      assert.equal("1\n141\n", said)
    end
  end)

  it("says when its output is lost", function()
    for statement, status in pairs {
      ["print(1)"] = 1, ["for i = 1, 1e5 do print(i) end"] = 1, ["print(1) os.exit(0)"] = 1,
      ["fw.print { 1 }"] = 1, ["io.write(1)"] = 1, ["io.stdout:setvbuf \"full\" io.write(1)"] = 1,
    } do
      local said = shell(("%s -e '%s' 2>&1 >/dev/full; echo $?"):format(IPFI, statement))
      assert.matches("^ipfi: standard output: [^\n]+\n" .. status .. "\n$", said)
    end
    local refused = "print(1) error(require(\"ipfi.base.errors\").new(\"permission\", \"no\"))"
    assert.equal("77\n", shell(("%s -e '%s' 2>/dev/null >/dev/full; echo $?"):format(IPFI, refused)))
  end)

  it("ends with a status that says what happened", function()
    local function status(arguments)
      return (room.run(arguments))
    end
    assert.equal(0, status "-e 'local x = 5'")
    assert.equal(1, status "-e 'error(5)'")
    assert.equal(1, status "/nowhere/no.lua")
    assert.equal(2, status "--lock-wait=never")
    assert.equal(2, status "-c")
    assert.equal(3, status "-c -f /nowhere/no.lua")
    assert.equal(7, status "-e 'os.exit(7)'")
    local errors = "require(\"ipfi.base.errors\")"
    for kind, number in pairs { refused = 4, absent = 5, rolled_back = 6, busy = 75, permission = 77,
      interrupted = 130 } do
      assert.equal(number, status(("-e 'error(%s.new(\"%s\", \"x\"))'"):format(errors, kind)))
    end
  end)
end)

describe("the program", function()
  local function is_root()
    return shell "id -u" == "0\n"
  end

  it("keeps the right to rule the network, and no other", function()
    if not is_root() then
      pending "needs root"
      return
    end
    local function rights(of)
      local _, out = room.run(("-e 'for line in io.lines \"/proc/%s/status\" do print(line) end'"):format(of))
      local found = {}
      for name, value in out:gmatch "(%w+):%s*(%x+)\n" do
        found[name] = tonumber(value, 16)
      end
      return found
    end
    local own = rights "self"
    assert.equal(0, own.CapPrm & ~(1 << 12))
    assert.same({ own.CapPrm, own.CapPrm, 0, 0, 1 },
      { own.CapEff, own.CapBnd & 1 << 12, own.CapInh, own.CapAmb, own.NoNewPrivs })
    assert.equal(0, own.CapBnd & ~(1 << 12))
    -- And so do the programs that a script starts.
    local _, out = room.run "-e 'os.execute \"grep ^CapEff /proc/self/status\"'"
    assert.equal(own.CapEff, tonumber(out:match "%x+$" or out:match ":%s*(%x+)", 16))
  end)

  it("leaves removing the module to a process that goes with it", function()
    local said = shell(([[
      %s --rmmod -e 'while true do end' & shell=$!
      for i in $(seq 100); do helper=$(pgrep -P $shell -x ipfi) && break; sleep 0.2; done
      for i in $(seq 100); do files=$(ls /proc/$helper/fd | wc -l); [ $files -gt 1 ] || break; sleep 0.2; done
      echo $files
      kill -9 $shell; wait $shell 2>/dev/null
      for i in $(seq 100); do [ -d /proc/$helper ] || break; sleep 0.2; done
      [ -n "$helper" ] && [ ! -d /proc/$helper ] && echo gone]]):format(IPFI))
    assert.equal("1\ngone\n", said)
  end)

  it("says why root may not read a file of somebody else's", function()
    if not is_root() then
      pending "needs root"
      return
    end
    local path = room.write("theirs.lua", "return policy {}")
    os.execute("chown nobody " .. path)
    assert.same({ 3, "", ("refusing %s: it belongs to nobody, not to root or you\n"):format(path) },
      { room.run("-c -f " .. path) })
    os.execute(("mkdir %s/closed && mv %s %s/closed && chown nobody %s/closed && chmod 700 %s/closed")
      :format(room.directory, path, room.directory, room.directory, room.directory))
    local status, _, complained = room.run(("-c -f %s/closed/theirs.lua"):format(room.directory))
    assert.equal(3, status)
    assert.matches("Permission denied %(ipfi keeps no right to read the files of other users%)\n$",
      complained)
  end)
end)
