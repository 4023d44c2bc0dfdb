-- SPDX-License-Identifier: GPL-2.0-or-later
-- The built-in engine as the program uses it: --sim, and the conversations of tests/vectors, which the unit
-- tests give to the core and the guests to the kernel.
package.path = "tests/lua/?.lua;" .. package.path
local program = require "program"

if not program.exists(program.path) then
  describe("the built-in engine", function()
    pending "the program is not built"
  end)
  return
end

local room

setup(function()
  room = program.room()
end)

teardown(function()
  room.remove()
end)

describe("the built-in engine", function()
  for _, kind in ipairs { "tcp", "ftp" } do
    it("makes of the " .. kind .. " vectors what is owed", function()
      local status, out, err =
        room.run("tests/net/support/engine_vectors.lua tests/net/support tests/vectors/*." .. kind)
      assert.are.equal("", err)
      assert.are.equal(0, status)
      assert.truthy(out:find "^ok ")
      assert.falsy(out:find "not ok", out)
    end)
  end

  it("serves --sim: a policy is committed without a module, and there", function()
    local path = room.write("policy.lua", [[
      return policy { name = "p", rules = {
        allow { "ssh", dir = "in", proto = "tcp", dport = 22, state = true },
        deny { "rest", dir = "in", log = "denied" } } }]])
    local status, out, err = room.run("--sim -f " .. path .. [[ -e 'local info = fw.info()
      print(info.name, info.generation, #fw.running().rules, fw.states {}:count())']])
    assert.are.equal(("ipfi: %s: committed to the built-in engine (--sim): nothing was changed on this "
      .. "machine\n"):format(path), err)
    assert.are.equal(0, status)
    assert.are.equal("p\t1\t2\t0\n", out)
  end)

  it("refuses in --sim what the kernel refuses", function()
    local status, _, err = room.run [[--sim -e 'fw.commit(policy { name = "p", rules = {} },
      { expect = 7 })']]
    assert.are.equal(75, status)
    assert.truthy(err:find("another rule set was committed", 1, true), err)
  end)

  it("has this machine's devices in --sim", function()
    local status, out = room.run [[--sim -e 'print(require("ipfi.base.kernel").ifindex "lo")']]
    assert.are.equal(0, status)
    assert.are.equal("1\n", out)
  end)

  it("moves the clock of --sim with fw.run", function()
    local status, out, err = room.run [[--sim -e 'local world = require("ipfi.base.kernel").world()
      fw.on("ruleset", function() end) fw.run(30) print(world:now())']]
    assert.are.equal("", err)
    assert.are.equal(0, status)
    assert.are.equal("30.0\n", out)
  end)
end)
