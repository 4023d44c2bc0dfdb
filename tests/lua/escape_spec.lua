-- SPDX-License-Identifier: GPL-2.0-or-later
-- Names that others chose never reach the terminal as they are: whatever the kernel, a file, the network or
-- another program says, no control character, no mark that reorders text and no broken UTF-8 is written.
local support = require "support"
local cjson = require "cjson"
local complete = require "ipfi.prompt.complete"
local errors = require "ipfi.base.errors"
local fw = require "ipfi.fw"
local help = require "ipfi.prompt.help"
local json = require "ipfi.base.json"
local log = require "ipfi.base.log"
local main = require "ipfi.main"
local netlink = require "ipfi.c.netlink"
local printer = require "ipfi.base.print"
local settings = require "ipfi.base.settings"
local style = require "ipfi.base.style"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local kernel = netlink.kernel

-- A colour, an end of line, a bidirectional override, a C1 control, a tag, half a character, DEL.
local EVIL = "a\27[31mb\rc\u{202e}d\u{9b}e\u{e0041}f\xffg\127"
local SHOWN = "a\\x1b[31mb\\x0dc\\u{202e}d\\u{009b}e\\u{e0041}f\\xffg\\x7f"

-- Fails unless a text may go to a terminal; lines are its only structure.
local function assert_harmless(s)
  local place = s:gsub("\n", ""):find("[%c\127]")
  assert.is_nil(place, ("control character in %q"):format(s))
  assert.truthy(utf8.len(s), ("broken UTF-8 in %q"):format(s))
  for _, code in utf8.codes(s) do
    assert.is_false(text.misleads(code), ("U+%04X in %q"):format(code, s))
  end
end

local function evil_state()
  return {
    id = 1, family = 4, proto = 6, state = "ESTABLISHED", flags = { "reply_seen" }, list = "in",
    generation = 1,
    src = "10.0.0.1", sport = 1, dst = "10.0.0.2", dport = 2, iif = 9, oif = 9, rule = netlink.rule_id(EVIL),
    packets = 1, bytes = 1, reply_packets = 1, reply_bytes = 1, timeout = 1000, age = 1, helper = EVIL,
  }
end

setup(function()
  sys.world.interfaces[9] = EVIL
end)

teardown(function()
  sys.world.interfaces[9] = nil
end)

before_each(function()
  kernel.reset()
  kernel.generation, kernel.name = 1, EVIL
  kernel.rules = {
    {
      id = netlink.rule_id(EVIL), name = EVIL, verdict = "allow", at = EVIL .. ":1", lists = { "in" },
      packets = 1, bytes = 1, log = { prefix = EVIL }, comment = EVIL, iif = { EVIL },
      written = json.encode { comment = EVIL, log = EVIL, iif = EVIL, src = { EVIL } },
    },
    { id = 5, name = EVIL .. "2", verdict = "snat", at = EVIL, lists = { "srcnat" }, packets = 1, bytes = 1 },
  }
  kernel.states = { evil_state() }
  kernel.expectations = {
    { family = 4, proto = 6, src = "10.0.0.1", dst = "10.0.0.2", dport = 1, helper = EVIL,
      rule = netlink.rule_id(EVIL), timeout = 1000 },
  }
  kernel.sets = { [EVIL] = {} }
end)

describe("a name with control characters", function()
  it("is escaped", function()
    assert.equal(SHOWN, text.escape(EVIL))
    assert_harmless(SHOWN)
  end)

  it("is shown in every list", function()
    local shown = 0
    for _, value in ipairs {
      fw.running(), fw.states(), fw.expectations(), fw.sets(), fw.states():count_by "rule",
      fw.states():count_by "iif", fw.states():top(5, "rule"), fw.states():top(5, "bytes"),
      fw.running().rules, fw.running().rules[1], fw.info(), { [EVIL] = EVIL }, EVIL, { EVIL }, { { EVIL } },
      setmetatable({}, { __tostring = function() return EVIL end, __metatable = "x" }),
      { setmetatable({}, { __tostring = function() return EVIL end }) },
      setmetatable({}, { __name = EVIL }),
    } do
      for _, look in ipairs { support.terminal(80), support.terminal(300), style.plain() } do
        local s = printer.show(value, look)
        assert_harmless(s)
        shown = shown + (s:find("\\x1b[31m", 1, true) and 1 or 0)
      end
      local lines = {}
      printer.json(value, function(line)
        assert.equal("\n", line:sub(-1))
        lines[#lines + 1] = line
        assert_harmless(line)
        cjson.decode(line)
      end)
      assert.is_true(#lines > 0)
    end
    assert.is_true(shown > 30)
  end)

  it("is shown in rows as text", function()
    for _, value in ipairs {
      fw.running().rules[1], fw.running(), fw.states(), fw.expectations()[1], fw.sets(),
    } do
      assert_harmless(tostring(value))
    end
    for row in fw.states():each() do
      assert_harmless(tostring(row))
    end
  end)

  it("is shown by errors and logs", function()
    assert_harmless(tostring(errors.kernel({ errno = 22, name = EVIL, message = EVIL, attr = EVIL }, "commit",
      { at = "p.lua:1", rule = EVIL })))
    assert_harmless(tostring(errors.kernel({ errno = 22, name = "EINVAL", message = EVIL }, "commit")))
    local _, complained = support.catch(log.log, "warning", "%s\n%s", EVIL, EVIL)
    assert_harmless(complained)
    assert.equal(("ipfi: %s\nipfi: %s\n"):format(SHOWN, SHOWN), complained)
    assert_harmless(help.about(EVIL, {}))
    for _, call in ipairs {
      function() return fw.set(EVIL) end, function() return fw.states { [EVIL] = 1 } end,
      function() return fw.states { rule = EVIL .. "x" } end, function() return fw.states():top(1, EVIL) end,
      function() return fw.load(EVIL) end, function() return fw.on(EVIL, print) end,
      function() return fw.set_limits { [EVIL] = 1 } end, function() return fw.commit({}, { [EVIL] = 1 }) end,
      function() return fw.decode(EVIL) end, function() return fw.log(EVIL, "x") end,
    } do
      local ok, problem = pcall(call)
      assert.is_false(ok)
      assert_harmless(tostring(problem))
    end
  end)

  it("is shown by mistakes of a policy", function()
    for _, source in ipairs {
      "return policy { name = EVIL }", "return policy { [EVIL] = 1 }",
      "return policy { limits = { [EVIL] = 1 } }", "return policy { default = { [EVIL] = 1 } }",
      "return policy { rules = { [EVIL] = 1 } }", "return policy { rules = { allow { EVIL } } }",
      "return policy { rules = { allow { 'x', [EVIL] = 1 } } }",
      "return policy { rules = { allow { 'x', dport = EVIL } } }",
      "return policy { rules = { allow { 'x', src = EVIL } } }",
      "return policy { rules = { allow { 'x', iif = EVIL } } }",
      "return policy { rules = { allow { 'x', log = EVIL } } }",
      "return policy { rules = { allow { 'x', user = EVIL } } }",
      "return policy { rules = { group { EVIL, [EVIL] = 1 } { allow { 'x' } } } }",
      "return set { EVIL }", "return set { name = EVIL }", "local x = args[EVIL].y", "error(EVIL)",
      "return EVIL", "return EVIL.x.y",
    } do
      local ok, problem = pcall(require("ipfi.policy.loader").text,
        (source:gsub("EVIL", ("%q"):format(EVIL):gsub("\r", "\\r"):gsub("\27", "\\27"))), "p.lua")
      assert.is_false(ok, source)
      assert_harmless(text.escape_lines(tostring(problem)))
    end
  end)

  it("is no candidate of completion", function()
    for _, source in ipairs { "fw.set('", "fw.states { rule = '", "fw.states { iif = '" } do
      for _, candidate in ipairs((complete.candidates("", source, _G))) do
        assert_harmless(candidate)
      end
    end
  end)

  it("is shown whatever the program was asked to do", function()
    local path = os.tmpname()
    local evil_path = path .. EVIL:gsub("\r", "")
    local file = assert(io.open(evil_path, "w"))
    file:write "x ="
    file:close()
    for _, options in ipairs {
      { policy = evil_path }, { script = evil_path }, { policy = evil_path .. "/" },
      { script = "no" .. EVIL },
      { modules = { EVIL } }, { expr = { EVIL } },
      { expr = { "error(args.x)" }, args = { "x=" .. EVIL } },
      { import_legacy = EVIL }, { expr = { "fw.print(fw.running())" } }, { expr = { "=fw.sets()" } },
      { expr = { "error(setmetatable({}, { __tostring = function() return args[1] end }))" },
        args = { EVIL } },
      { expr = { "error(setmetatable({}, { __tostring = error }))" } },
    } do
      local all = {
        expr = {}, modules = {}, args = {}, color = "auto", verbose = 1, lock_wait = 0, quiet = false,
        json = false, syslog = true, check = false, interactive = false,
      }
      for name, value in pairs(options) do
        all[name] = value
      end
      sys.world.syslog = {}
      local out, complained = support.catch(main, all)
      assert_harmless(out)
      assert_harmless((complained:gsub("\t", " ")))
      assert.is_true(#out + #complained > 0)
      for _, line in ipairs(sys.world.syslog) do
        assert_harmless(line)
      end
    end
    os.remove(evil_path)
    os.remove(path)
    settings.verbose, settings.syslog = 0, false
  end)
end)
