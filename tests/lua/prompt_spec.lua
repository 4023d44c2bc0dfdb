-- SPDX-License-Identifier: GPL-2.0-or-later
-- The prompt: completion, reading, keys, help.
local support = require "support"
local complete = require "ipfi.prompt.complete"
local fields = require "ipfi.field.list"
local fw = require "ipfi.fw"
local help = require "ipfi.prompt.help"
local netlink = require "ipfi.c.netlink"
local readline = require "ipfi.c.repl"
local repl = require "ipfi.prompt.repl"
local settings = require "ipfi.base.settings"
local sys = require "ipfi.c.sys"

local policy_words = select(2, require("ipfi.policy.policy").words { direct = true })
local env = { fw = fw, print = print, string = string, number = 5, allow = policy_words.allow }

-- Candidates for a line whose cursor stands at its end, "|" standing for nothing.
local function candidates(line, pending)
  -- What readline takes for the word: up to one of its break characters.
  local word = line:match("[^ \t\n\"\\'><=;:+%-*/%%^~#{}()%[%],!|&]*$")
  local list, append = complete.candidates(word, (pending or "") .. line:sub(1, #line - #word), env)
  return list, append
end

describe("completion", function()
  before_each(function()
    netlink.kernel.reset()
  end)

  -- { line, candidates, what follows a single one }
  for _, case in ipairs {
    { "fw.st", { "fw.states", "fw.stats" } },
    { "fw.stati", {} },
    { "fw.state", { "fw.states" } },
    { "numb", { "number" }, " " },
    { "fw", { "fw" }, "." },
    { "fw.nothing.x", {} },
    { "retu", { "return" }, " " },
    { "x = fw.lo", { "fw.load", "fw.log" } },
    { "allow { \"x\", dp", { "dport =" }, " " },
    { "allow { \"x\", dport = 22, ico", {} },
    { "allow { \"x\", dport = { 22, 23 }, sp", { "sport =" }, " " },
    { "p = policy { rules = { allow { \"a\" }, allow { \"b\", limit = \"1/s\", pe", { "per_source =" }, " " },
    { "policy { st", { "stateful =" }, " " },
    { "policy { limits = { tcp_s", { "tcp_syn_recv =", "tcp_syn_sent =" }, " " },
    { "policy { default = { f", { "forward =" }, " " },
    { "fw.set_limits { max_states_", { "max_states_per_source =" }, " " },
    { "fw.states { st", { "state =" }, " " },
    { "fw.states{ state = \"EST", { "ESTABLISHED" }, "\"" },
    { "fw.states { state = { \"SYN_SENT\", \"SYN_", { "SYN_RECV", "SYN_SENT" }, "\"" },
    { "fw.states { proto = 'ud", { "udp", "udplite" }, "'" },
    { "fw.states { iface = \"eth", { "eth0", "eth1" }, "\"" },
    { "fw.states { dport = \"http", { "http", "http-alt", "https" }, "\"" },
    { "fw.states { dport = \"http-a", { "alt" }, "\"" },
    { "allow { \"x\", dir = \"fo", { "forward" }, "\"" },
    { "allow { \"x\", dir = { \"in\", \"fo", { "forward" }, "\"" },
    { "allow { \"x\", icmp = \"echo-", { "reply", "request" }, "\"" },
    { "allow { \"x\", proto = \"!ud", { "udp", "udplite" }, "\"" },
    { "allow { \"x\", dscp = \"af4", { "af41", "af42", "af43" }, "\"" },
    { "allow { \"x\", comment = \"dp", {} },
    { "policy { default = \"re", { "reject" }, "\"" },
    { "group { \"g\", di", { "dir =" }, " " },
    { "allow { \"x\", helper = \"f", { "ftp" }, "\"" },
    { "allow { \"x\", mss = \"", { "pmtu" }, "\"" },
    { "fw.states { nat = \"s", { "src" }, "\"" },
    { "fw.states():cou", { "count", "count_by" }, "(" },
    { "fw.states{ proto = 6 }:ki", { "kill" }, "(" },
    { "fw.commit(p, { st", { "states =" }, " " },
    { "fw.commit(p, { states = \"k", { "keep" }, "\"" },
    { "policy { na", { "name =", "nat =" } },
    { "-- allow { dp", {} },
    { "fw.commit(p, { con", { "confirm =" }, " " },
    { "fw.states():count_by(\"nat_s", { "nat_sport", "nat_src" }, "\"" },
    { "fw.states():top(5, \"reply_b", { "reply_bytes" }, "\"" },
    { "help \"lim", { "limit", "limits" } },
    { "help(\"fw.commit_", { "fw.commit_confirmed" }, "\"" },
    { "fw.log(\"not", { "notice" }, "\"" },
    { "fw.on(\"rul", { "ruleset" }, "\"" },
    { "fw.explain { spo", { "sport =" }, " " },
    { "fw.simulate(p, { dir = \"fo", { "forward" }, "\"" },
    { "fw.simulate(p, { payl", { "payload =" }, " " },
    { "allow { \"x\", flags = \"S/", { "SAFR" }, "\"" },
    { "return \"fw", {} },
  } do
    it("knows what follows " .. case[1], function()
      local list, append = candidates(case[1])
      assert.same(case[2], list)
      if case[3] then
        assert.equal(case[3], append)
      end
    end)
  end

  it("offers every field where a new one begins", function()
    assert.equal(#fields.list, #candidates "group { \"x\", ")
    assert.equal(#fields.names_for "filter", #candidates "allow { \"x\", ")
    assert.same({ "persistent =" }, (candidates "snat { \"x\", pe"))
    assert.same({ "oif =" }, (candidates "masquerade { \"x\", oi"))
    assert.is_nil((" " .. table.concat(candidates "dnat { \"x\", ", " ")):find " oif =")
  end)

  it("goes over several lines", function()
    assert.same({ "dport =" }, (candidates("  dp", "allow {\n  \"x\",\n")))
    assert.same({ "string.gsub" }, (candidates("string.gsu", "local x = 1 -- comment {\n")))
  end)

  it("knows the running rules", function()
    fw.commit(assert(support.policy "return policy { rules = { allow { 'web' }, allow { 'dns' } } }"))
    assert.same({ "web" }, (candidates "fw.states { rule = \"w"))
    netlink.kernel.absent = true
    assert.same({}, (candidates "fw.states { rule = \"zz"))
  end)

  it("knows policy files", function()
    local list_dir = sys.list_dir
    sys.list_dir = function(path)
      return path == "/etc/ipfi/" and { "router.lua", "notes.txt", "rout2.lua", "routes",
        ".router.lua" } or nil
    end
    sys.world.stats = setmetatable({ ["/etc/ipfi/routes"] = { type = "directory" } }, {
      __index = function() return { type = "file" } end,
    })
    assert.same({ "rout2.lua", "router.lua", "routes/" }, (candidates "fw.load(\"/etc/ipfi/rout"))
    assert.same({ "router.lua" }, (candidates "fw.commit(fw.load(\"/etc/ipfi/router"))
    assert.same({}, (candidates "fw.load(\"/nowhere/x"))
    sys.list_dir, sys.world.stats = list_dir, nil
  end)

  it("never fails", function()
    for _, line in ipairs { "}}}}", ")", "'", "[[", "fw.", ".", ":", "::", "a::", "fw.states{}):", "\"\\",
      "fw.states.", "({" } do
      assert.is_table((candidates(line)))
    end
  end)
end)

describe("the prompt", function()
  local function run(...)
    readline.lines, readline.prompts, readline.history = { ... }, {}, {}
    local out, complained = support.catch(repl.run, _G)
    return out, complained
  end

  before_each(function()
    netlink.kernel.reset()
    require("ipfi.base.kernel").close()
    _G.fw = fw -- luacheck: ignore 111 112
    repl.install(_G, policy_words)
    settings.json = false
  end)

  it("shows values of expressions and runs statements", function()
    local out = run("1 + 1", "x = 5", "x, 'y'", "=x", "for i = 1, 2 do end", "nil")
    assert.matches("\n2\n5\ny\n5\n", out)
    _G.x = nil -- luacheck: ignore 111 112
  end)

  it("asks for more lines", function()
    local out = run("({", "a = 1,", "})", "fw.version")
    assert.same({ "ipfi> ", "   -> ", "   -> ", "ipfi> ", "ipfi> " }, readline.prompts)
    assert.matches("{ a = 1 }", out)
    assert.equal("({\na = 1,\n})", readline.history[1])
    assert.equal(2, #readline.history)
  end)

  it("tells rules where they were typed", function()
    _G.allow = policy_words.allow -- luacheck: ignore 111 112
    local out = run("allow { 'x' }", "({", "allow { 'y' }", "})[1]")
    _G.allow = nil -- luacheck: ignore 111 112
    assert.matches("\nallow 'x' %(stdin:1%)\nallow 'y' %(stdin:2%)\n", out)
  end)

  it("gives up lines at Ctrl-C, and shows mistakes", function()
    readline.lines = {}
    local out, complained = run("({", false, "x = = 2", "error('oh')", "error({})", "7")
    assert.matches("\n7\n", out)
    assert.equal("stdin:1: unexpected symbol near '='\n    x = = 2\n        ^\n"
      .. "stdin:1: oh\n    error('oh')\nan error that is a table\n", complained)
  end)

  it("shows C", function()
    local out = run "C"
    assert.matches("\nmax_states ", out)
    assert.matches("\nmemory at the limit ", out)
    _G.C = 9 -- luacheck: ignore 111 112
    out = run "C"
    _G.C = nil -- luacheck: ignore 111 112
    assert.matches("\n9\n", out)
  end)

  it("has a banner, and counts states at the end", function()
    assert.matches("^ipfi 0.1.0; no policy yet: every packet passes. F1 or help%(%) for help\n", (run()))
    assert.matches("no states are live\n$", (run()))
    fw.commit(assert(support.policy "return policy { name = 'x', rules = { allow { 'web' } } }"))
    netlink.kernel.states = { {}, {} }
    local out = run()
    assert.matches("policy 'x', generation 1, 1 rule. F1 or help%(%) for help\n", out)
    assert.matches("2 states live on without the prompt\n$", out)
    assert.matches("2 states live on", (run "quit"))
    local columns = sys.world.columns
    sys.world.columns = 60
    out = run()
    sys.world.columns = columns
    assert.matches("policy 'x', generation 1, 1 rule\nF1 or help%(%) for help\n", out)
  end)

  it("works without the module, and says so", function()
    netlink.kernel.absent = true
    local out, complained = run("fw.stats()", "fw.version")
    assert.matches("module absent: only %-c, fw.load and fw.compile work here\n", out)
    assert.matches("fw.stats: the kernel module is not loaded", complained)
    assert.matches("\n0.1.0\n", out)
  end)

  it("has keys", function()
    run()
    assert.matches("fw.states%(%)", (support.catch(readline.keys.F1, "", 0)))
    assert.matches("^fw.commit%(", (support.catch(readline.keys.F1, "x = fw.commit(p)", 7)))
    assert.matches("every packet passes", (support.catch(readline.keys.F3)))
    assert.matches("no states", (support.catch(readline.keys.F5)))
    assert.matches("packets judged", (support.catch(readline.keys.F7)))
    for key, side in pairs { F4 = "src_nat", F6 = "dst_nat" } do
      netlink.kernel.requests = {}
      assert.matches("no states", (support.catch(readline.keys[key])))
      assert.same({ nat = { side } }, netlink.kernel.requests[1].filter)
    end
    netlink.kernel.absent = true
    require("ipfi.base.kernel").close()
    local _, complained = support.catch(readline.keys.F5)
    assert.matches("not loaded", complained)
  end)

  it("completes with the lines before", function()
    run()
    assert.same({ "fw.states", "fw.stats" }, (readline.complete("fw.st", "x = fw.st", 4, 9)))
  end)

  it("prints JSON lines with -j", function()
    settings.json = true
    fw.commit(assert(support.policy "return policy { rules = { allow { 'web' }, deny { 'rest' } } }"))
    local out = run "fw.running()"
    settings.json = false
    assert.matches('\n{"at":"p.lua:1",.-"name":"web".-}\n{.-"name":"rest"', out)
  end)
end)

describe("help", function()
  it("explains every function of fw, every word and every field", function()
    for name in pairs(fw) do
      local text = help.about("fw." .. name)
      assert.is_nil(text:find("There is no help", 1, true), name)
    end
    for name in pairs(policy_words) do
      local later = { snat = true, dnat = true, masquerade = true, redirect = true }
      if not later[name] then
        assert.is_nil(help.about(name):find("There is no help", 1, true), name)
      end
    end
    for _, name in ipairs(fields.names) do
      assert.matches("Field of a rule\n  " .. name, help.about(name))
    end
    for name in pairs(help.topics) do
      assert.is_true(#help.about(name) > 100, name)
    end
  end)

  it("finds functions by themselves", function()
    assert.matches("^fw.commit%(policy", help.about(fw.commit))
    assert.matches("^group {", help.about(policy_words.group, policy_words))
    assert.matches("^The firewall", help.about(fw))
    assert.matches("did you mean 'dport'", help.about "dprt")
    assert.matches("There is no help about a table", help.about({}))
    assert.equal(help.overview(), help.about())
  end)

  it("lists the states with the time-outs that belong to them", function()
    local text = help.topics.states()
    assert.matches("ESTABLISHED +3600  %(tcp_established%)", text)
    assert.matches("UDP_NEW +30  %(udp_new%)", text)
    assert.matches("OTHER +180  %(other%)", text)
  end)
end)
