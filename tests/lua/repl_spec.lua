-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the prompt is made of: mistakes and where they are, the countdown, long output, where lines are kept.
local support = require "support"
local countdown = require "ipfi.prompt.countdown"
local excerpt = require "ipfi.base.snippet"
local fw = require "ipfi.fw"
local help = require "ipfi.prompt.help"
local inputs = require "ipfi.prompt.chunks"
local netlink = require "ipfi.c.netlink"
local pager = require "ipfi.base.pager"
local pagers = require "ipfi.c.pager"
local readline = require "ipfi.c.repl"
local repl = require "ipfi.prompt.repl"
local settings = require "ipfi.base.settings"
local sys = require "ipfi.c.sys"

local complete = require "ipfi.prompt.complete"

_G.fw = fw -- luacheck: ignore 111 112

before_each(function()
  netlink.kernel.reset()
  require("ipfi.base.kernel").close()
  sys.world.clock, sys.world.stats, sys.world.tty = 1000.0, {}, {}
end)

after_each(function()
  sys.world.stats = nil
end)

describe("a mistake", function()
  -- What the user reads about an input that does not compile, or fails.
  local function complaint(source)
    local chunk, problem = inputs.compile(source)
    if not chunk then
      return problem
    end
    local _, said = xpcall(chunk, inputs.describe)
    return said
  end

  -- { input, the line that is shown, the place of the caret in it }
  for _, case in ipairs {
    { "x = = 2", "x = = 2", 5 },
    { "max = ax ax ax", "max = ax ax ax", 13 },
    { "max = ax ax", nil },
    { "1 +* 2", "1 +* 2", 4 },
    { "=1 +* 2", "=1 +* 2", 5 },
    { "f(1, 2", nil },
    { "local s = \"abc", "local s = \"abc", 15 },
    { "a = 1\nb = )\nc = 3", "b = )", 5 },
    { "for i = 1, 2 do\n  print(i))\nend", "  print(i))", 11 },
    { "\tx = 1 1", " x = 1 1", 8 },
    { "print(nothing.there)", "print(nothing.there)", 7 },
    { "local t = {} return t.a.b", "local t = {} return t.a.b", 23 },
    { "fw.stat()", "fw.stat()", 4 },
    { "fw:statz()", "fw:statz()", 4 },
    { "local a\nlocal b = 1\nreturn a + b", "return a + b", 8 },
    { "nothing.a = nothing.b", "nothing.a = nothing.b" },
    { "fw.states { dports = 22 }", "fw.states { dports = 22 }", 13 },
    { "fw.set_limits { udp_new = 'x' }", "fw.set_limits { udp_new = 'x' }", 28 },
    { "fw.set_limits { udp_new = {} }", "fw.set_limits { udp_new = {} }", 17 },
    { "error('oh')", "error('oh')" },
    { "('x'):rep(1e10, 5, 6, {}).a.b = #nil", "('x'):rep(1e10, 5, 6, {}).a.b = #nil" },
  } do
    it("is shown where it is: " .. case[1]:gsub("\n", " | "), function()
      local said = complaint(case[1])
      if not case[2] then
        assert.is_nil(said)
        return
      end
      local shown = "\n    " .. case[2]
      if case[3] then
        shown = shown .. "\n    " .. (" "):rep(case[3] - 1) .. "^"
      end
      assert.equal(shown, said:sub(-#shown), said)
      assert.is_nil(said:sub(1, -#shown - 1):find "\n")
    end)
  end

  it("in a function is shown in the input that defined it", function()
    assert(inputs.compile "function broken(x)\n  local y = 1\n  return x.field + tonumber(y)\nend")()
    for i = 1, 50 do
      assert(inputs.compile(("y = %d\nz = 2\nw = 3"):format(i)))
    end
    assert.equal("stdin:3: attempt to index a nil value (local 'x')\n      return x.field + tonumber(y)\n"
      .. "             ^", complaint "broken()")
    _G.broken = nil -- luacheck: ignore 111 112
  end)

  it("of a call that is one of several lines names the line", function()
    assert.equal("fw.states: unknown filter 'dports'; did you mean 'dport'?\n    fw.states(f)",
      complaint "local f = { dports = 1 }\nfw.states(f)")
    assert.equal("fw.states: unknown filter 'dports'; did you mean 'dport'?",
      complaint "fw.states(setmetatable({ ['dpo' .. 'rts'] = 1 }, nil))")
  end)

  it("in a policy file is shown in the file, below the words that are always there", function()
    local _, problem, e = support.policy "return policy { rules = {\n  allow { 'web', dport = 'htpps' },\n} }"
    assert.equal(problem .. "\n      allow { 'web', dport = 'htpps' },\n                              ^",
      excerpt.annotate(problem, e.file, e.source))
  end)

  it("never sends control characters to the terminal", function()
    assert.is_nil(complaint("x = = '\27[31m'"):find "\27")
    assert.is_nil(complaint("error('\27[31m')"):find "\27")
  end)

  it("in a long line is shown around its place", function()
    local shown = excerpt.show(("x"):rep(200) .. "= =" .. ("y"):rep(200), 203, 40)
    local line, caret = shown:match "^    ([^\n]*)\n    ( *%^)\n$"
    assert.is_true(require("ipfi.base.text").width(line) <= 36)
    assert.matches("^….*….?$", line)
    local at = utf8.offset(line, #caret)
    assert.equal("= =", line:sub(at - 2, at))
  end)
end)

describe("the countdown", function()
  local kernel = netlink.kernel

  local function event(fields)
    table.insert(kernel.events, { cmd = "event_ruleset", info = fields })
  end

  after_each(countdown.stop)

  it("is not there when nothing waits", function()
    assert.is_nil(countdown.begin())
    assert.equal("ipfi> ", countdown.prompt(false))
    assert.equal("   -> ", countdown.prompt(true))
    assert.same({ "ipfi> ", nil, 3 }, { countdown.look(false) })
  end)

  it("shows the seconds left, and looks again when they change", function()
    kernel.confirm = 42000
    countdown.begin()
    assert.equal("ipfi<CONFIRM 42s> ", countdown.prompt(false))
    assert.equal("    CONFIRM 42s-> ", countdown.prompt(true))
    sys.world.clock = sys.world.clock + 1.5
    local prompt, seconds, fd, said = countdown.look(false)
    assert.same({ "ipfi<CONFIRM 41s> ", 3 }, { prompt, fd, said })
    assert.is_true(seconds > 0.5 and seconds < 0.52, seconds)
  end)

  it("ends when somebody else confirms, and says so", function()
    kernel.confirm, kernel.generation = 42000, 5
    countdown.begin()
    event { generation = 5, name = "x", change = "confirmed" }
    local prompt, seconds, _, said = countdown.look(false)
    assert.same({ "ipfi> ", nil, "generation 5 is confirmed and stays\n" }, { prompt, seconds, said })
  end)

  it("ends when the kernel takes the rules back, and says what runs", function()
    kernel.confirm, kernel.generation = 42000, 5
    countdown.begin()
    event { generation = 6, name = "old\27", change = "timed-out" }
    local _, _, _, said = countdown.look(false)
    assert.equal("generation 5 was not confirmed in time; 'old\\x1b' is back as generation 6\n", said)
    kernel.confirm, kernel.generation = 42000, 1
    countdown.begin()
    event { generation = 0, name = "", change = "timed-out" }
    assert.equal("generation 1 was not confirmed in time; there is no policy, as before\n",
      (select(4, countdown.look(false))))
    kernel.confirm, kernel.generation = 42000, 7
    countdown.begin()
    event { generation = 8, name = "old", change = "rolled-back" }
    assert.equal("generation 7 was rolled back; 'old' is back as generation 8\n",
      (select(4, countdown.look(false))))
  end)

  it("begins when somebody else commits, and says so", function()
    countdown.begin()
    event { generation = 9, name = "new", change = "committed", confirm = 59200 }
    local prompt, _, _, said = countdown.look(false)
    assert.equal("ipfi<CONFIRM 60s> ", prompt)
    assert.equal("policy 'new', generation 9, goes in 60 s unless fw.confirm() keeps it\n",
      said)
    -- A commit that is to stay needs no words.
    event { generation = 10, name = "newer", change = "committed" }
    assert.same({ "ipfi> ", nil, nil, nil }, { countdown.look(false), nil })
  end)

  it("says at the next line only what the user has not done", function()
    kernel.confirm, kernel.generation = 42000, 5
    countdown.begin()
    kernel.confirm = nil
    event { generation = 5, name = "x", change = "confirmed" }
    assert.is_nil(countdown.begin())
    kernel.confirm = 1000
    countdown.begin()
    kernel.confirm = nil
    event { generation = 6, name = "x", change = "timed-out" }
    assert.matches("not confirmed in time", countdown.begin())
  end)

  it("asks where it cannot listen", function()
    kernel.refuse.ruleset = { errno = 1, name = "EPERM", message = "no" }
    kernel.confirm, kernel.generation = 42000, 5
    countdown.begin()
    kernel.confirm = 40000
    local prompt, _, fd = countdown.look(false)
    assert.same({ "ipfi<CONFIRM 40s> " }, { prompt, fd })
    kernel.confirm = nil
    assert.equal("generation 5 waits no more\n", (select(4, countdown.look(false))))
  end)

  it("needs no module", function()
    kernel.absent = true
    assert.is_nil(countdown.begin())
    assert.equal("ipfi> ", (countdown.look(false)))
  end)

  it("is the prompt's", function()
    kernel.confirm = 9000
    readline.lines, readline.prompts = { "({", "})" }, {}
    local seen = {}
    readline.waiting = function(idle)
      seen[#seen + 1] = idle()
    end
    support.catch(repl.run, _G)
    readline.waiting = nil
    assert.same({ "ipfi<CONFIRM 9s> ", "    CONFIRM 9s-> ", "ipfi<CONFIRM 9s> " }, readline.prompts)
    assert.same(readline.prompts, seen)
  end)
end)

describe("long output", function()
  local getenv = os.getenv
  local environment

  before_each(function()
    environment = {}
    -- luacheck: push ignore 122
    os.getenv = function(name) return environment[name] end
    -- luacheck: pop
    sys.world.tty = { [0] = true, [1] = true }
    sys.world.stats["/usr/bin/less"] = { type = "file" }
    settings.paged, pagers.started, pagers.patience = true, {}, math.huge
  end)

  after_each(function()
    os.getenv = getenv -- luacheck: ignore 122
    settings.paged = false
  end)

  local function lines(n)
    return function(write)
      for i = 1, n do
        if not write(("line %d\n"):format(i)) then
          return
        end
      end
    end
  end

  it("goes through the pager, all of it and in order", function()
    assert.equal("", (support.catch(pager.page, lines(100))))
    local reader = pagers.started[1]
    assert.equal("/usr/bin/less", reader.command)
    assert.is_true(reader.closed)
    assert.matches("^line 1\nline 2\n.*line 100\n$", table.concat(reader.pieces))
  end)

  it("that fits the screen stays there", function()
    assert.matches("^line 1\n.*line 24\n$", (support.catch(pager.page, lines(24))))
    assert.equal(0, #pagers.started)
    support.catch(pager.page, lines(25))
    assert.equal(1, #pagers.started)
    -- Lines that are wider than the screen take several of its lines.
    support.catch(pager.page, function(write) write((("x"):rep(101) .. "\n"):rep(13)) end)
    assert.equal(2, #pagers.started)
  end)

  it("is the same without a terminal, outside the prompt, and for who wants no pager", function()
    for _, change in ipairs {
      function() sys.world.tty[1] = nil end,
      function() sys.world.tty[0] = nil end,
      function() settings.paged = false end,
      function() environment.PAGER = "" end,
      function() environment.PAGER = "cat" end,
      function() environment.TERM = "dumb" end,
      function() sys.world.stats = {} end,
    } do
      change()
      assert.matches("line 100\n$", (support.catch(pager.page, lines(100))))
      assert.equal(0, #pagers.started)
      settings.paged, environment, sys.world.tty = true, {}, { [0] = true, [1] = true }
      sys.world.stats["/usr/bin/less"] = { type = "file" }
    end
    environment.PAGER = "most -s"
    support.catch(pager.page, lines(100))
    assert.equal("most -s", pagers.started[1].command)
  end)

  it("ends when the reader has seen enough", function()
    for _ = 1, 5000 do
      table.insert(netlink.kernel.states, { proto = 17, src = "10.0.0.1", sport = 1, dst = "10.0.0.2",
        dport = 53, state = "UDP_NEW" })
    end
    pagers.patience = 2
    local q, read = fw.states(), 0
    local each = q.each
    q.each = function(...)
      local next_row = each(...)
      return function()
        read = read + 1
        return next_row()
      end
    end
    assert.equal("", (support.catch(fw.print, q)))
    assert.equal(2, #pagers.started[1].pieces)
    assert.is_true(read < 3500, read)
    -- And reads on when there is more to see.
    pagers.patience = math.huge
    support.catch(fw.print, q)
    assert.equal(5001, select(2, table.concat(pagers.started[2].pieces):gsub("\n", "")))
  end)

  it("that an error ends is shown up to there", function()
    local out = support.catch(pcall, pager.page, function(write)
      write "a line\n"
      error "oh"
    end)
    assert.equal("a line\n", out)
    support.catch(pcall, pager.page, function(write)
      lines(100)(write)
      error "oh"
    end)
    assert.is_true(pagers.started[1].closed)
  end)
end)

describe("the history", function()
  local getenv = os.getenv

  after_each(function()
    os.getenv = getenv -- luacheck: ignore 122
    sys.world.home, sys.world.euid = nil, 0
  end)

  -- Where lines are kept with this HOME.
  local function path_with(home)
    os.getenv = function(name) return name == "HOME" and home or nil end -- luacheck: ignore 122
    readline.lines, readline.path = {}, nil
    support.catch(repl.run, _G)
    return readline.path
  end

  it("is in the user's home directory, and nowhere else", function()
    local function directory(uid, mode)
      return { type = "directory", uid = uid, mode = tonumber(mode, 8) }
    end
    sys.world.stats = { ["/root"] = directory(0, "700"), ["/home/bob"] = directory(1000, "755"),
      ["/tmp"] = directory(0, "777"), ["/home/file"] = { type = "file", uid = 0, mode = 0 } }
    assert.equal("/root/.ipfi_history", path_with "/root")
    assert.is_nil(path_with "/home/bob")
    assert.is_nil(path_with "/tmp")
    assert.is_nil(path_with "/home/file")
    assert.is_nil(path_with "/nowhere")
    assert.is_nil(path_with "")
    assert.is_nil(path_with(nil))
    -- Root that kept another's HOME has its own.
    sys.world.home = "/root"
    assert.equal("/root/.ipfi_history", path_with "/home/bob")
    sys.world.euid = 1000
    assert.equal("/home/bob/.ipfi_history", path_with "/home/bob")
  end)
end)

describe("help at the cursor", function()
  -- { line with | for the cursor, the first line of the help }
  for _, case in ipairs {
    { "fw.comm|it(p)", "^fw.commit%(" },
    { "fw.commit|(p)", "^fw.commit%(" },
    { "|fw.commit(p)", "^fw.commit%(" },
    { "fw.commit(p, { states = \"ke|ep\" })", "^States of a connection" },
    { "fw.states{ rule = \"web\" }:kill|", "^query:kill" },
    { "allow { \"x\", dpo|rt = 22 }", "^Field of a rule\n  dport" },
    { "allow { \"x\", dport = \"ht|tp\" }", "^Field of a rule\n  dport" },
    { "allow { \"x\", |", "^allow {" },
    { "fw.set_limits { max_states = 10| }", "^Limit\n  max_states" },
    { "fw.explain { payload| = 'x' }", "^Field of a packet\n  payload" },
    { "nothing|", "^ipfi: a firewall" },
    { "|", "^ipfi: a firewall" },
    { "  )( |", "^ipfi: a firewall" },
  } do
    it("knows " .. case[1], function()
      local before, after = case[1]:match "^(.*)|(.*)$"
      assert.matches(case[2], help.at(complete.place(before .. after, #before)))
    end)
  end
end)
