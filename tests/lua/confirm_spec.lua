-- SPDX-License-Identifier: GPL-2.0-or-later
-- Commits that wait to be confirmed: the functions, and the question at a terminal.
local support = require "support"
local confirm = require "ipfi.live.confirm"
local errors = require "ipfi.base.errors"
local fw = require "ipfi.fw"
local loader = require "ipfi.policy.loader"
local netlink = require "ipfi.c.netlink"
local sys = require "ipfi.c.sys"

local kernel = netlink.kernel

local function named(name)
  return loader.text(("return policy { name = %q, rules = { allow { 'web' } } }"):format(name), "p.lua")
end

local function refused(run, ...)
  local ok, err = pcall(run, ...)
  assert.is_false(ok)
  return errors.describe(err)
end

before_each(function()
  kernel.reset()
  sys.world.clock, sys.world.typed, sys.world.interrupted = 1000.0, {}, false
  fw.commit(named "old")
end)

describe("a commit that waits", function()
  it("is in force, and says how long it waits", function()
    local done = fw.commit_confirmed(named "new", 60)
    assert.same({ 2, 60 }, { done.generation, done.confirm })
    local info = fw.info()
    assert.same({ "new", 60, "committed" }, { info.name, info.confirm, info.change })
    assert.equal(75, select(2, refused(fw.commit, named "other")))
    fw.confirm()
    assert.is_nil(fw.commit(named "plain").confirm)
  end)

  it("stays when confirmed", function()
    fw.commit(named "new", { confirm = 60 })
    assert.equal(2, fw.confirm().generation)
    sys.world.clock = sys.world.clock + 100
    assert.equal("new", fw.info().name)
    local message, status = refused(fw.confirm)
    assert.same({ "fw.confirm: no rule set waits to be confirmed", 4 }, { message, status })
  end)

  it("goes by itself, and who confirms too late is told", function()
    fw.commit_confirmed(named "new", 60)
    sys.world.clock = sys.world.clock + 60
    assert.equal("old", fw.info().name)
    local message, status = refused(fw.confirm)
    assert.matches("^fw.confirm: too late: it was not confirmed in time, and the rules before it", message)
    assert.equal(6, status)
    message, status = refused(fw.rollback)
    assert.same({ "fw.rollback: no rule set waits to be confirmed", 4 }, { message, status })
  end)

  it("goes when asked to", function()
    fw.commit_confirmed(named "new", 60)
    assert.equal(3, fw.rollback().generation)
    assert.equal("old", fw.info().name)
    assert.equal(6, select(2, refused(fw.confirm)))
  end)

  it("is the one that was meant", function()
    fw.commit_confirmed(named "new", 60)
    assert.equal(75, select(2, refused(fw.confirm, { expect = 1 })))
    assert.equal(2, fw.confirm { expect = 2 }.generation)
    assert.equal("fw.confirm: the only option is expect, a generation",
      (refused(fw.confirm, { expects = 1 })))
    assert.equal("fw.rollback: expected a table of options, got 7", (refused(fw.rollback, 7)))
  end)

  it("waits for whole seconds of a day at most", function()
    for _, wrong in ipairs { 0, 86401, 1.5, -1, "60", true } do
      assert.matches("^fw.commit_confirmed: confirm is seconds, from 1 to 86400, got ",
        (refused(fw.commit_confirmed, named "new", wrong)))
      assert.matches("^fw.commit: confirm is seconds",
        (refused(fw.commit, named "new", { confirm = wrong })))
    end
    assert.matches("expected a policy", (refused(fw.commit_confirmed, "p.lua", 60)))
    assert.equal(60, fw.commit(named "new", { confirm = 60.0 }).confirm)
  end)
end)

describe("the question at a terminal", function()
  local function ask(typed, seconds)
    sys.world.typed = typed
    local done = fw.commit_confirmed(named "new", seconds or 60)
    local _, shown, said = support.catch(confirm.ask, done.generation)
    return said, fw.info().name, shown
  end

  local function decided(typed)
    local said, name = ask(typed)
    return { said, name }
  end

  it("counts down", function()
    local said, name, shown = ask({}, 3)
    assert.same({ "timed-out", "old" }, { said, name })
    for left = 1, 3 do
      assert.truthy(shown:find(("Rolled back in %d s. [y/n]"):format(left), 1, true))
    end
  end)

  it("takes yes and no, in any case, and asks again", function()
    assert.same({ "confirmed", "new" }, decided { "y\n" })
    kernel.reset()
    assert.same({ "confirmed", "new" }, decided { "what?\n", " YES \n" })
    kernel.reset()
    fw.commit(named "old")
    assert.same({ "rolled-back", "old" }, decided { "No\n" })
  end)

  it("takes Ctrl-C for no", function()
    assert.same({ "rolled-back", "old" }, decided { { "interrupted" } })
  end)

  it("leaves it to others when nobody can answer", function()
    assert.same({ "waiting", "new" }, decided { { "closed" } })
  end)

  it("hears what another session decides", function()
    local read_line = sys.read_line
    finally(function()
      sys.read_line = read_line
    end)
    sys.read_line = function(...)
      fw.confirm()
      return read_line(...)
    end
    assert.equal("confirmed", (ask {}))
    sys.read_line = function(...)
      fw.rollback()
      return read_line(...)
    end
    assert.equal("rolled-back", (ask {}))
  end)
end)
