-- SPDX-License-Identifier: GPL-2.0-or-later
-- From a checked policy to the messages of its transaction: begin, the rules, commit.
local address = require "ipfi.address"
local codec = require "ipfi.c.codec"
local fields = require "ipfi.fields"
local json = require "ipfi.json"

local compile = {}

-- IPFI_WRITTEN_LEN of the uapi header: longer ones are left out, and read back from the rule itself.
local WRITTEN_LENGTH = 8192

-- The policy of each list of messages, kept beside the list, not among the messages.
local policy_of = setmetatable({}, { __mode = "k" })

local Messages = { __name = "messages" }
Messages.__index = Messages

function Messages:__tostring()
  return ("%d messages of policy '%s'"):format(#self, policy_of[self].name)
end

--- The messages as the bytes of netlink: without the family's number and sequence numbers, which are put in
-- when they are sent.
function Messages:bytes()
  return codec.encode(self)
end

--- The rule that a message of the list adds, or nil.
-- @param index place of the message, from 1
function Messages:rule(index)
  return policy_of[self].rules[index - 1]
end

local SORTED, KEYS = table.move(fields.names, 1, #fields.names, 1, {}), {}
table.sort(SORTED)
for i, name in ipairs(SORTED) do
  KEYS[i] = json.encode(name) .. ":"
end

-- The fields as they were written, sets spread out: what the kernel keeps for the shell. Nil when too long.
local function written(rule)
  local out, n = {}, 0
  local values = rule.fields
  for i = 1, #SORTED do
    local value = values[SORTED[i]]
    if value ~= nil then
      if type(value) == "table" and (SORTED[i] == "src" or SORTED[i] == "dst") then
        value = address.spell(value)
      end
      n = n + 1
      out[n] = KEYS[i] .. json.encode(value)
    end
  end
  local text = "{" .. table.concat(out, ",") .. "}"
  return #text <= WRITTEN_LENGTH and text or nil
end

--- Makes the messages of a policy.
-- @param policy a checked policy
-- @param options { states = "recheck", "keep" or "flush", expect = generation to replace }
-- @return list of messages with the methods above
function compile.messages(policy, options)
  options = options or {}
  local list = setmetatable({}, Messages)
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
    wire.written = wire.written or written(rule)
    list[i + 1] = { cmd = "rule_add", rule = wire }
  end
  list[#list + 1] = {
    cmd = "ruleset_commit",
    flags = { "ack" },
    commit = { states = options.states or "recheck", expect = options.expect },
  }
  policy_of[list] = policy
  return list
end

return compile
