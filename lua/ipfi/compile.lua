-- SPDX-License-Identifier: GPL-2.0-or-later
-- From a checked policy to the messages of its transaction: begin, the rules, commit.
local codec = require "ipfi.c.codec"
local json = require "ipfi.json"

local compile = {}

-- IPFI_WRITTEN_LEN of the uapi header: longer ones are left out, and read back from the rule itself.
local WRITTEN_LENGTH = 8192

local Messages = { __name = "messages" }
Messages.__index = Messages

function Messages:__tostring()
  return ("%d messages of policy '%s'"):format(#self, self.policy.name)
end

--- The messages as the bytes of netlink: without the family's number and sequence numbers, which are put in
-- when they are sent.
function Messages:bytes()
  return codec.encode(self)
end

--- The rule that a message of the list adds, or nil.
-- @param index place of the message, from 1
function Messages:rule(index)
  return self.policy.rules[index - 1]
end

--- Makes the messages of a policy.
-- @param policy a checked policy
-- @param options { states = "recheck", "keep" or "flush", expect = generation to replace }
-- @return list of messages with the methods above
function compile.messages(policy, options)
  options = options or {}
  local list = setmetatable({}, Messages)
  -- Kept beside the messages, not among them.
  local ruleset = {
    name = policy.name,
    default_in = policy.default["in"],
    default_out = policy.default.out,
    default_forward = policy.default.forward,
  }
  if next(policy.limits) ~= nil then
    ruleset.limits = policy.limits
  end
  list[1] = { cmd = "ruleset_begin", ruleset = ruleset }
  for i, rule in ipairs(policy.rules) do
    local wire = rule.wire
    if not wire.written then
      local written = json.encode(rule.written)
      wire.written = #written <= WRITTEN_LENGTH and written or nil
    end
    list[i + 1] = { cmd = "rule_add", rule = wire }
  end
  list[#list + 1] = {
    cmd = "ruleset_commit",
    flags = { "ack" },
    commit = { states = options.states, expect = options.expect },
  }
  list.policy = policy
  return list
end

return compile
