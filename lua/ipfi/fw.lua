-- SPDX-License-Identifier: GPL-2.0-or-later
-- The table fw: what scripts and the prompt do with the firewall. Every function raises an error value when
-- it fails (its text by tostring(), its kind in .kind, the exit status in .status). help.lua describes them.
local codec = require "ipfi.c.codec"
local compile = require "ipfi.policy.compile"
local confirm = require "ipfi.live.confirm"
local decoded = require "ipfi.live.messages"
local errors = require "ipfi.base.errors"
local events = require "ipfi.live.events"
local drops = require "ipfi.live.drops"
local expectations = require "ipfi.live.expectations"
local explain = require "ipfi.live.explain"
local json = require "ipfi.base.json"
local kernel = require "ipfi.base.kernel"
local legacy = require "ipfi.legacy.import"
local lint = require "ipfi.lint.lint"
local loader = require "ipfi.policy.loader"
local log = require "ipfi.base.log"
local login = require "ipfi.simulate.login"
local plan = require "ipfi.plan.plan"
local policy = require "ipfi.policy.policy"
local printer = require "ipfi.base.print"
local running = require "ipfi.live.ruleset"
local sets = require "ipfi.live.sets"
local states = require "ipfi.live.states"
local stats = require "ipfi.live.stats"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"

local fw = {}

fw.version = require "ipfi.version"

-- What fw.print writes: "text", or "json" with -j. Set by main.
fw.output = "text"

local COMMIT_STATES = { recheck = true, keep = true, flush = true }
local OPTIONS = { "confirm", "expect", "states" }

local function check_policy(p, who)
  if not policy.is(p) or not p.checked then
    errors.raise("lua", "%s: expected a policy, as fw.load() returns it, got %s", who, text.quote(p))
  end
end

-- The packet tests of a policy's own file must pass before it is committed.
local function check_tests(p)
  if p.tests and #p.tests > 0 then
    require("ipfi.simulate.test_run").check(p)
  end
end

local function check_options(options, who)
  if options == nil then
    return {}
  elseif type(options) ~= "table" then
    errors.raise("lua", "%s: expected a table of options, got %s", who, text.quote(options))
  end
  for name in pairs(options) do
    if name ~= "confirm" and name ~= "expect" and name ~= "states" then
      errors.raise("lua", "%s: unknown option %s%s", who, text.quote(name),
        type(name) == "string" and suggest.hint(name, OPTIONS) or "")
    end
  end
  if options.states ~= nil and not COMMIT_STATES[options.states] then
    errors.raise("lua", "%s: states is 'recheck', 'keep' or 'flush', got %s%s", who,
      text.quote(options.states),
      type(options.states) == "string" and suggest.hint(options.states, suggest.keys(COMMIT_STATES)) or "")
  elseif options.expect ~= nil and not (math.type(options.expect) == "integer" and options.expect >= 0
    and options.expect <= 0xffffffff) then
    errors.raise("lua", "%s: expect is a generation, got %s", who, text.quote(options.expect))
  elseif options.confirm ~= nil then
    confirm.check(options.confirm, who)
  end
  return options
end

-- The built-in engine, loaded when it is first needed.
local function simulation(name)
  return function(...)
    return require("ipfi.simulate.simulate")[name](...)
  end
end

fw.load = loader.load
fw.lint = lint.check
fw.import_legacy = legacy.import

function fw.compile(p, options)
  check_policy(p, "fw.compile")
  return compile.messages(p, check_options(options, "fw.compile"))
end

function fw.decode(bytes)
  if type(bytes) ~= "string" then
    errors.raise("lua", "fw.decode: expected bytes, got %s", text.quote(bytes))
  end
  local messages, problem = codec.decode(bytes)
  if not messages then
    errors.raise("lua", "fw.decode: %s", problem)
  end
  return decoded.new(messages)
end

function fw.plan(p, options)
  check_policy(p, "fw.plan")
  return plan.make(p, check_options(options, "fw.plan"))
end

function fw.commit(p, options)
  check_policy(p, "fw.commit")
  check_tests(p)
  local messages = compile.messages(p, check_options(options, "fw.commit"))
  if options and options.confirm then
    login.warn(p)
  end
  local answer = kernel.transact(messages, "commit of policy '" .. p.name .. "'", function(index)
    local rule = messages:rule(index)
    return rule and { at = rule.at, rule = rule.name }
  end)
  local info = kernel.count_rules(answer.info or {})
  return { generation = info.generation, rules = info.rules, nat_rules = info.nat_rules,
    confirm = info.confirm and info.confirm / 1000, warning = answer.warning }
end

function fw.commit_confirmed(p, seconds)
  check_policy(p, "fw.commit_confirmed")
  return fw.commit(p, { confirm = confirm.check(seconds, "fw.commit_confirmed") })
end

fw.confirm = confirm.accept
fw.rollback = confirm.roll_back

function fw.info()
  local info = kernel.count_rules(kernel.ask({ cmd = "info" }, "fw.info").info or {})
  info.armed, info.nat_rules = info.armed == 1, info.nat_rules or 0
  info.confirm = info.confirm and info.confirm / 1000
  return info
end

fw.running = running.get
fw.states = states.query
fw.expectations = expectations.get
fw.explain = explain.explain
fw.simulate = simulation "pass"
function fw.replay(...)
  return require("ipfi.simulate.replay").open(...)
end
-- Functions that stand in a table: see simulate.lua.
fw.sim = {}
for _, name in ipairs { "advance", "new", "pass", "reply", "reset" } do
  fw.sim[name] = function(...)
    return require("ipfi.simulate.simulate").library[name](...)
  end
end
fw.drops = drops.get
fw.set = sets.get
fw.sets = sets.all
fw.resolve = require "ipfi.live.resolve"
fw.limits = stats.limits
fw.set_limits = stats.set_limits
fw.stats = stats.get
fw.on = events.on
fw.run = events.run
fw.log = log.log
fw.print = printer.print
fw.json = json.encode

return fw
