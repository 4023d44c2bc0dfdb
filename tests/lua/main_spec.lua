-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the options do, in the program's own order, on a kernel that is a stand-in.
local support = require "support"
local main = require "ipfi.main"
local netlink = require "ipfi.c.netlink"
local settings = require "ipfi.base.settings"
local sys = require "ipfi.c.sys"

local kernel = netlink.kernel
local files = {}

local function file(content)
  local path = os.tmpname()
  files[#files + 1] = path
  local f = assert(io.open(path, "w"))
  f:write(content)
  f:close()
  return path
end

-- Runs the program with options; returns its status, its output and what it complained about.
local function run(options)
  local all = {
    expr = {}, modules = {}, args = {}, color = "auto", verbose = 0, lock_wait = 0, quiet = false,
      json = false,
    syslog = false, check = false, interactive = false,
  }
  for name, value in pairs(options) do
    all[name] = value
  end
  local out, complained, status = support.catch(main, all)
  return status, out, complained
end

before_each(function()
  kernel.reset()
  sys.world.locked, sys.world.stdin, sys.world.tty, sys.world.syslog = false, "", {}, {}
end)

after_each(function()
  for _, path in ipairs(files) do
    os.remove(path)
  end
  files = {}
  settings.json, settings.verbose, settings.syslog, settings.quiet = false, 0, false, false
end)

local GOOD = "return policy { name = 'x', rules = { allow { 'web', dport = tonumber(args.port or 80) } } }"
local BAD = "return policy { rules = {\n  allow { 'web', dport = 'htpps' },\n} }"

describe("-f", function()
  it("commits in silence", function()
    local status, out, complained = run { policy = file(GOOD) }
    assert.same({ 0, "", "" }, { status, out, complained })
    assert.equal(1, kernel.generation)
    assert.equal("web", kernel.rules[1].name)
  end)

  it("gives arguments to the policy", function()
    assert.equal(0, (run { policy = file(GOOD), args = { "port=8080" } }))
    assert.same({ { from = 8080 } }, kernel.rules[1].dport)
    local status, _, complained = run { policy = file(GOOD), args = { "prt=8080" } }
    assert.equal(3, status)
    assert.matches("does not use the argument 'prt'; did you mean 'port'%?", complained)
  end)

  it("says what it did with -v", function()
    local path = file(GOOD)
    local _, _, complained = run { policy = path, verbose = 1 }
    assert.equal(("ipfi: %s: generation 1, 1 rule\n"):format(path), complained)
  end)

  it("tells mistakes with file, line and rule, ends with 3, and changes nothing", function()
    local path = file(BAD)
    local status, out, complained = run { policy = path, syslog = true }
    assert.equal(3, status)
    assert.equal("", out)
    local message = ("%s:2: rule 'web': unknown service 'htpps'; did you mean 'https'?"):format(path)
    assert.equal(message .. "\n", complained)
    assert.same({ "err: " .. message }, sys.world.syslog)
    assert.equal(0, kernel.generation)
    assert.equal(0, #kernel.requests)
  end)

  it("passes on --states, and the generation it read", function()
    kernel.generation = 4
    kernel.states = { {} }
    assert.equal(0, (run { policy = file(GOOD), states = "flush" }))
    assert.same({ states = "flush", expect = 4 }, kernel.sent[#kernel.sent].commit)
    assert.equal(5, kernel.generation)
    assert.same({}, kernel.states)
  end)

  it("ends with 75 when another one commits", function()
    sys.world.locked = true
    local status, _, complained = run { policy = file(GOOD) }
    assert.equal(75, status)
    assert.matches("another ipfi is committing %(/run/ipfi.lock is locked%)", complained)
    sys.world.locked = false
    kernel.refuse.ruleset_commit = { errno = 116, name = "ESTALE", message = "stale" }
    assert.equal(75, (run { policy = file(GOOD) }))
  end)

  it("ends with 4, 5 or 77 when the kernel says no", function()
    local path = file(GOOD)
    kernel.refuse.rule = "web"
    local status, _, complained = run { policy = path }
    assert.equal(4, status)
    assert.matches(path:gsub("%p", "%%%0") .. ":1: rule 'web': refused by the kernel: dport: ", complained)
    kernel.reset()
    kernel.refuse.ruleset_begin = { errno = 1, name = "EPERM", message = "no" }
    assert.equal(77, (run { policy = path }))
    kernel.reset()
    kernel.absent = true
    status, _, complained = run { policy = path }
    assert.equal(5, status)
    assert.matches("the kernel module is not loaded", complained)
    kernel.absent, kernel.version = false, true
    assert.equal(5, (run { policy = path }))
  end)

  it("with -n only plans", function()
    local path = file(GOOD)
    local status, out = run { policy = path, plan = true }
    assert.equal(0, status)
    assert.matches("^policy 'x': 5 to add; no rule set is running", out)
    assert.matches("  %+ allow 'web' %(.-:1%): dport 80\n", out)
    assert.equal(0, kernel.generation)
    assert.equal(10, (run { policy = path, plan = true, exit_code = true }))
    assert.equal(0, (run { policy = path }))
    status, out = run { policy = path, plan = true, exit_code = true }
    assert.equal(0, status)
    assert.matches("nothing to do", out)
    kernel.absent = true
    assert.equal(5, (run { policy = path, plan = true, exit_code = true }))
  end)

  it("with -c only checks", function()
    kernel.absent = true
    local path = file(GOOD)
    assert.same({ 0, "", "" }, { run { policy = path, check = true } })
    assert.same({ 0, "", ("ipfi: %s: ok, 1 rule\n")
      :format(path) }, { run { policy = path, check = true, verbose = 1 } })
    assert.equal(3, (run { policy = file(BAD), check = true }))
  end)
end)

describe("-e", function()
  it("runs statements, and prints what stands behind =", function()
    local status, out = run { expr = { "y = 5", "=y, fw.version" } }
    assert.equal(0, status)
    assert.equal("5\n0.1.0\n", out)
    _G.y = nil -- luacheck: ignore 111 112
  end)

  it("stops at the first mistake", function()
    assert.same({ 1, "", "ipfi: -e:1: oh\n" }, { run { expr = { "error('oh')", "=5" } } })
    local status, out, complained = run { expr = { "x ==", "=5" } }
    assert.same({ 1, "" }, { status, out })
    assert.matches("syntax error near", complained)
    assert.same({ 130, "", "ipfi: interrupted!\n" }, { run { expr = { "error('interrupted!')" } } })
  end)

  it("ends with the status of the error", function()
    kernel.absent = true
    assert.equal(5, (run { expr = { "fw.stats()" } }))
    kernel.reset()
    kernel.refuse.stats = { errno = 1, name = "EPERM", message = "no" }
    assert.equal(77, (run { expr = { "fw.stats()" } }))
    assert.equal(3, (run { expr = { "policy { rules = { allow { 'x', dprt = 1 } } }" } }))
  end)

  it("has the words of the policy language", function()
    assert.equal(0, (run { expr = { "fw.commit(policy { rules = { allow { 'hand', dport = 22 } } })" } }))
    assert.equal("hand", kernel.rules[1].name)
    assert.equal("-e:1", kernel.rules[1].at)
  end)

  it("prints JSON lines with -j", function()
    local _, out = run { expr = { "fw.print(fw.running())", "fw.print { a = 1 }" }, policy = file(GOOD),
      json = true }
    assert.matches('^{"at":"[^"]+:1",.-"verdict":"allow"}\n{"a":1}\n$', out)
  end)
end)

describe("a script", function()
  it("has fw, arg and args", function()
    local path = file("#!/usr/sbin/ipfi\nfw.print(arg[0] == args.me, arg[1], args[1])")
    local status, out = run { script = path, args = { "one", "me=" .. path } }
    assert.same({ 0, "true\none\none\n" }, { status, out })
  end)

  it("that is not there is an error", function()
    local status, _, complained = run { script = "no/such.lua" }
    assert.equal(1, status)
    assert.matches("no/such.lua", complained)
  end)

  it("may come from standard input", function()
    sys.world.stdin = "#!/usr/sbin/ipfi\nfw.print 'in'"
    assert.same({ 0, "in\n", "" }, { run {} })
    sys.world.stdin = "\nx ="
    local status, _, complained = run {}
    assert.equal(1, status)
    assert.matches("stdin:2: unexpected symbol", complained)
  end)

  it("shows where an error came from with -v", function()
    local path = file("local function f() error('deep') end\nlocal function g() f() return 1 end\ng()")
    local _, _, complained = run { script = path, verbose = 1 }
    assert.matches("deep\nipfi: stack traceback:", complained)
    _, _, complained = run { script = path }
    assert.is_nil(complained:find("traceback"))
  end)
end)

describe("-l", function()
  it("loads a module into a global of its name", function()
    local _, out = run { modules = { "cjson" }, expr = { "=cjson.encode { 1 }" } }
    assert.equal("[1]\n", out)
    assert.equal(1, (run { modules = { "no_such_module" } }))
  end)
end)

describe("the prompt", function()
  it("comes on a terminal, and with -i behind the rest", function()
    sys.world.tty = { [0] = true }
    local _, out = run {}
    assert.matches("^ipfi 0.1.0; ", out)
    local _, both = run { expr = { "=1" }, interactive = true }
    assert.matches("^1\nipfi 0.1.0; ", both)
  end)
end)

describe("--version", function()
  it("is that of the uapi header", function()
    local header = assert(io.open "include/uapi/linux/ipfi.h"):read "a"
    local version = header:match('#define IPFI_VERSION "([^"]+)"')
    assert.same({ 0, ("ipfi %s\n"):format(version), "" }, { run { version = true } })
  end)
end)
