-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is made of the answers about packets: judgements and their text.
require "support"
local explain = require "ipfi.live.explain"
local fw = require "ipfi.fw"
local packet = require "ipfi.packet.packet"

local ROWS = {
  [1] = { name = "loopback", at = "gw.lua:9", iif = "lo" },
  [2] = { name = "ssh", at = "gw.lua:10", dport = { 22, 2222 } },
  [3] = { name = "few", at = "gw.lua:11", limit = "10/minute" },
  [4] = { name = "one", at = "gw.lua:12", per_source = 5 },
  [5] = { name = "not there", at = "gw.lua:13", src = "!10.0.0.0/8" },
  [9] = { name = "to www", at = "gw.lua:2" },
}

local function judge(messages, t)
  local data, meta = packet.build(t or { iif = "eth0", src = "10.0.0.9", dst = "192.0.2.1", proto = "tcp",
    dport = 80 })
  return explain.judgement(messages, ROWS, data, meta)
end

local function step(rule, field, list)
  return { list = list or "in", rule = rule, field = field }
end

describe("a judgement", function()
  it("names rules, and the field that differs first with both values", function()
    local j = judge({
      { step = { step(1, "iif"), step(2, "dport"), step(3, "limit") } },
      { step = { step(4, "per_source"), step(5, "src"), step(77) } },
      { result = { verdict = "deny", reason = "rule-deny", list = "in", rule = 77 } },
    })
    assert.same({ "deny", "rule-deny", "#000000000000004d" }, { j.verdict, j.reason, j.rule })
    assert.same({ rule = "ssh", at = "gw.lua:10", list = "in", field = "dport", wants = "22,2222",
      has = "80" }, j.steps[2])
    assert.is_true(j.steps[6].matched)
    local shown = tostring(j)
    for _, line in ipairs { "1  'loopback' (gw.lua:9): iif is eth0, not lo",
      "2  'ssh' (gw.lua:10): dport is 80, not 22,2222", "its limit 10/minute is used up",
      "this source has its 5 states", "src is 10.0.0.9, not !10.0.0.0/8",
      "6  '#000000000000004d': matches" } do
      assert.truthy(shown:find(line, 1, true), line .. "\n" .. shown)
    end
  end)

  it("speaks of the default, of translations and of states", function()
    local j = judge {
      { step = { step(9, nil, "dstnat"), step(2, "dport", "forward") } },
      { result = { verdict = "allow", reason = "default-allow", list = "forward", state = "SYN_SENT",
        dstnat_rule = 9, src = "10.0.0.9", sport = 40000, dst = "10.1.1.1", dport = 8080 } },
    }
    assert.same({ "default", nil }, { j.rule, j.at })
    assert.same({ src = "10.0.0.9", sport = 40000, dst = "10.1.1.1", dport = 8080 }, j.nat)
    assert.equal("8080", j.steps[2].has) -- the filter sees what is translated
    local shown = tostring(j)
    assert.truthy(shown:find("allowed by the default of list forward", 1, true))
    assert.truthy(shown:find("leaves as 10.0.0.9:40000 > 10.1.1.1:8080, translated by 'to www' (gw.lua:2)",
      1, true))
    assert.truthy(shown:find("state SYN_SENT, of a connection that it opens", 1, true))
  end)

  it("folds many steps that differ alike", function()
    local steps = {}
    for i = 1, 500 do
      steps[i] = step(i == 250 and 1 or 2, i == 250 and "iif" or "dport")
    end
    local shown = tostring(judge { { step = steps },
      { result = { verdict = "deny", reason = "default-deny", list = "in" } } })
    assert.truthy(shown:find("… 248 more that differ in dport", 1, true))
    assert.truthy(shown:find("250  'loopback'", 1, true))
    assert.truthy(shown:find("… 249 more that differ in dport", 1, true))
    assert.is_true(select(2, shown:gsub("\n", "")) < 12)
  end)

  it("says when no rule set is running", function()
    assert.truthy(tostring(judge { { result = { verdict = "allow", list = "in" } } })
      :find("no rule set is running, every packet passes", 1, true))
  end)
end)

describe("wrong questions", function()
  for what, call in pairs {
    ["did you mean 'iif'"] = function() fw.explain { iff = "eth0" } end,
    ["fw.explain: expected a packet"] = function() fw.explain(5) end,
    ["did you mean 'reason'"] = function() fw.drops { resaon = "x" } end,
    ["did you mean 'rule-deny'"] = function() fw.drops { reason = "rule-dny" } end,
    ["fw.drops: src"] = function() fw.drops { src = "nowhere" } end,
    ["fw.drops: expected a filter"] = function() fw.drops(5) end,
  } do
    it("are refused: " .. what, function()
      local ok, problem = pcall(call)
      assert.is_false(ok)
      assert.truthy(tostring(problem):find(what, 1, true), tostring(problem))
    end)
  end
end)
