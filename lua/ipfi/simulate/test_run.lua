-- SPDX-License-Identifier: GPL-2.0-or-later
-- Runs the packet tests of a policy, each in a simulation of its own.
local errors = require "ipfi.base.errors"
local simulate = require "ipfi.simulate.simulate"
local text = require "ipfi.base.text"

local test_run = {}

-- A test as one line: "deny by 'rest'", with what else is expected or is the case.
local function outcome(verdict, rule, at)
  local words = { verdict }
  if rule == "default" then
    words[#words + 1] = "by the default"
  elseif rule then
    words[#words + 1] = ("by '%s'"):format(text.escape(rule))
  end
  if at then
    words[#words + 1] = ("(%s)"):format(text.escape(at))
  end
  return table.concat(words, " ")
end

local function nat_text(nat)
  if not nat then
    return "no translation"
  end
  local words = {}
  for _, name in ipairs { "src", "sport", "dst", "dport" } do
    if nat[name] ~= nil then
      words[#words + 1] = ("%s %s"):format(name, nat[name])
    end
  end
  return table.concat(words, " ")
end

-- Is what was expected of a translation so? What does not stand there may be anything.
local function same_nat(wanted, got)
  if not wanted or not got then
    return not wanted and not got
  end
  for name, value in next, wanted do
    if got[name] ~= value then
      return false
    end
  end
  return true
end

-- What differs between an expectation and a judgement, as "expected ..., got ..."; nil when nothing does.
local function difference(expect, judged)
  if expect.verdict ~= judged.verdict or (expect.rule and expect.rule ~= judged.rule) then
    return ("expected %s, got %s"):format(outcome(expect.verdict, expect.rule),
      outcome(judged.verdict, judged.rule, judged.at))
  elseif expect.reason and expect.reason ~= judged.reason then
    return ("expected the reason %s, got %s"):format(expect.reason, judged.reason)
  elseif expect.state ~= nil and (expect.state or nil) ~= judged.state then
    return ("expected %s, got %s"):format(expect.state and "state " .. expect.state or "no state",
      judged.state and "state " .. judged.state or "no state")
  elseif expect.nat ~= nil and not same_nat(expect.nat, judged.nat) then
    return ("expected %s, got %s"):format(nat_text(expect.nat), nat_text(judged.nat))
  end
  return nil
end

-- Runs the packets of a test. Returns nil, or what is wrong.
local function run(p, test)
  local s = simulate.new(p, { devices = test.devices, sets = test.sets })
  local last, problem
  for i, step in ipairs(test.steps) do
    local where = #test.steps > 1 and ("packet %d: "):format(i) or ""
    if step.after then
      s:advance(step.after)
    end
    local t = step.packet
    if step.reply and not last then
      problem = where .. "no packet came through that it could answer"
      break
    elseif step.reply then
      t = simulate.library.reply(last, step.packet)
    end
    local judged = s:pass(t)
    local wrong = difference(step.expect, judged)
    if wrong then
      problem = where .. wrong
      break
    end
    last = judged.verdict == "allow" and judged or last
  end
  s:close()
  return problem
end

-- Policies whose tests have passed.
local passed = setmetatable({}, { __mode = "k" })

--- Runs the tests of a policy, once.
-- @param p a checked policy
-- @return how many there are; raises an error of kind "policy" that lists those that fail
function test_run.check(p)
  local tests = p.tests or {}
  if passed[p] then
    return #tests
  end
  local failures = {}
  for _, test in ipairs(tests) do
    local ok, problem = pcall(run, p, test)
    if not ok and errors.is(problem) and problem.kind ~= "lua" then
      error(problem, 0)
    elseif not ok then
      problem = tostring(problem)
    end
    if problem then
      failures[#failures + 1] = ("%s: test '%s': %s"):format(test.at, text.escape(test.name), problem)
    end
  end
  if #failures > 0 then
    error(errors.policy(failures), 0)
  end
  passed[p] = true
  return #tests
end

return test_run
