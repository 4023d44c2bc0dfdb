-- SPDX-License-Identifier: GPL-2.0-or-later
-- One of the workers of tests/stress on the control side: does args.what until args.seconds are over, and
-- prints how many rounds succeeded. A round may fail: others commit, and the module goes away, meanwhile.
-- luacheck: read globals fw args
local stop = os.time() + math.tointeger(tonumber(args.seconds))
local round, failed, last = 0, 0, "none"

local function commit(variants, ways)
  local policies = {}
  for i, variant in ipairs(variants) do
    policies[i] = fw.load(args.policy, variant)
  end
  return function()
    fw.commit(policies[round % #policies + 1], { states = ways[round % #ways + 1] })
  end
end

local work = {
  commit = function()
    return commit({ {}, { deny = "1" }, { n = "200" } }, { "recheck", "keep" })
  end,
  recommit = function()
    return commit({ { n = "5" }, { n = "100" } }, { "recheck", "recheck", "flush" })
  end,
  dump = function()
    return function()
      local rows = 0
      for _ in fw.states():each() do
        rows = rows + 1
      end
      fw.states { proto = "udp", src = "10.9.0.0/16" }:count()
      fw.running()
      fw.stats()
      return rows
    end
  end,
  delete = function()
    return function()
      fw.states { dport = ("%d-%d"):format(5000, 5000 + round % 100) }:kill()
      fw.states { family = 6, sport = ("%d-%d"):format(1024, 1024 + round % 2000) }:kill()
    end
  end,
  limits = function()
    return function()
      local most = ({ 20000, 500, 4000 })[round % 3 + 1]
      fw.set_limits { max_states = most, max_states_per_source = round % 2 * 300 }
    end
  end,
}

local step = work[args.what]()
while os.time() < stop do
  local ok, problem = pcall(step)
  if ok then
    round = round + 1
  else
    failed, last = failed + 1, tostring(problem)
  end
end
print(("%d rounds, %d failed, the last because: %s"):format(round, failed, last))
