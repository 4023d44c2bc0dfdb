-- SPDX-License-Identifier: GPL-2.0-or-later
local support = require "support"
local sys = require "ipfi.c.sys"
local trust = require "ipfi.policy.safe_path"

assert(support)

local function octal(text)
  return tonumber(text, 8)
end

local function directory(changes)
  local status = { path = "/d", uid = 0, gid = 0, mode = octal "755", sticky = false }
  for key, value in pairs(changes) do
    status[key] = value
  end
  return status
end

describe("a policy file", function()
  before_each(function()
    sys.world.euid = 1000
  end)
  after_each(function()
    sys.world.euid = 0
  end)

  local good = {
    ["of root"] = {},
    ["of the caller"] = { uid = 1000, gid = 1000 },
    ["that only its owner reads"] = { mode = octal "600" },
    ["of root and root's group"] = { mode = octal "664" },
    ["in a directory of the caller"] = { dirs = { directory { uid = 1000 } } },
    ["of one's own in a sticky directory"] = {
      uid = 1000, gid = 1000, dirs = { directory { mode = octal "777", sticky = true } },
    },
  }
  for name, changes in pairs(good) do
    it(name .. " is believed", function()
      assert.is_true(trust.check("p.lua", sys.kept(changes)))
    end)
  end

  local bad = {
    ["of somebody else"] = { { uid = 34 }, "it belongs to backup, not to root or you" },
    ["of somebody unknown"] = { { uid = 4711 }, "it belongs to user 4711, not to root or you" },
    ["that everybody may write"] = { { mode = octal "646" }, "everybody may write to it (chmod go-w it)" },
    ["that a group may write"] = { { mode = octal "664", gid = 100 },
      "its group may write to it (chmod go-w it)" },
    ["in somebody else's directory"] = { { dirs = { directory { uid = 34 } } }, "belongs to backup" },
    ["in a directory everybody may write"] = { { dirs = { directory { mode = octal "777" } } },
      "everybody may write" },
    ["far below a directory everybody may write"] = {
      { dirs = { directory {}, directory { path = "/far", mode = octal "777" } } },
        "its directory /far: everybody may write",
    },
    ["in somebody else's sticky directory"] = {
      { dirs = { directory { uid = 34, mode = octal "777", sticky = true } } }, "belongs to backup",
    },
    ["of somebody else in a sticky directory"] = {
      { uid = 34, dirs = { directory { mode = octal "777", sticky = true } } }, "it belongs to backup",
    },
    ["that is a pipe"] = { { type = "fifo" }, "is not a regular file" },
  }
  for name, case in pairs(bad) do
    it(name .. " is refused", function()
      local fit, problem = trust.check("p.lua", sys.kept(case[1]))
      assert.is_nil(fit)
      assert.truthy(problem:find(case[2], 1, true), problem)
    end)
  end

  it("that is refused ends with status 3", function()
    local loader = require "ipfi.policy.loader"
    local path = "examples/router.lua"
    sys.world.files[path] = sys.kept { mode = octal "666" }
    local ok, problem = pcall(loader.load, path)
    sys.world.files[path] = nil
    assert.is_false(ok)
    assert.equal(3, problem.status)
    assert.equal("refusing examples/router.lua: everybody may write to it (chmod go-w it)", tostring(problem))
  end)

  it("is refused for where its path leads through", function()
    sys.world.way = { directory { path = "/open", mode = octal "777" } }
    local fit, why = trust.check("p.lua", sys.kept())
    assert.is_nil(fit)
    assert.equal("refusing p.lua, because of its directory /open: everybody may write to it (chmod go-w it)",
      why)
    sys.world.way = { directory { path = "/tmp", mode = octal "777", sticky = true },
      { path = "/tmp/link", uid = 34, gid = 34, mode = octal "777", link = true } }
    assert.equal("refusing p.lua, because of its link /tmp/link: it belongs to backup, not to root or you",
      select(2, trust.check("p.lua", sys.kept())))
    sys.world.way[2].uid = 0
    assert.is_true(trust.check("p.lua", sys.kept()))
    sys.world.way = nil
  end)

  it("that is not there ends with status 3", function()
    local ok, problem = pcall(require("ipfi.policy.loader").load, "no/such.lua")
    assert.is_false(ok)
    assert.equal(3, problem.status)
    assert.equal("cannot open no/such.lua: No such file or directory", tostring(problem))
  end)

  it("may come from standard input", function()
    sys.world.stdin = "return policy { name = 'x' }"
    assert.equal("x", require("ipfi.policy.loader").load("-").name)
  end)
end)
