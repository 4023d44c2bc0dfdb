-- SPDX-License-Identifier: GPL-2.0-or-later
-- From a checked policy to the messages of its transaction: begin, the NAT rules, the rules, commit.
local address = require "ipfi.field.address"
local codec = require "ipfi.c.codec"
local fields = require "ipfi.field.list"
local json = require "ipfi.base.json"
local target = require "ipfi.field.target"
local text = require "ipfi.base.text"

local compile = {}

-- IPFI_WRITTEN_LEN of the uapi header: longer ones are left out, and read back from the rule itself.
local WRITTEN_LENGTH = 8192

-- The policy of each list of messages, kept beside the list, not among the messages.
local policy_of = setmetatable({}, { __mode = "k" })

local Messages = { __name = "messages" }
Messages.__index = Messages

function Messages:__tostring()
  return ("%d messages of policy '%s'"):format(#self, text.escape(policy_of[self].name))
end

--- The messages as the bytes of netlink: without the family's number and sequence numbers, which are put in
-- when they are sent.
function Messages:bytes()
  return codec.encode(self)
end

--- The rule or NAT rule that a message of the list adds, or nil.
-- @param index place of the message, from 1
function Messages:rule(index)
  local policy = policy_of[self]
  return policy.nat[index - 1] or policy.rules[index - 1 - #policy.nat]
end

local SORTED, KEYS = table.move(fields.names, 1, #fields.names, 1, {}), {}
table.sort(SORTED)
for i, name in ipairs(SORTED) do
  KEYS[i] = json.encode(name) .. ":"
end

-- Fields that may hold sets.
local SPELL = { src = address.spell, dst = address.spell, to = target.spell }

-- The fields as they were written, sets spread out: what the kernel keeps for the shell. Nil when too long.
local function written(rule)
  local out, n = {}, 0
  local values = rule.fields
  for i = 1, #SORTED do
    local value = values[SORTED[i]]
    if value ~= nil then
      local spell = type(value) == "table" and SPELL[SORTED[i]]
      if spell then
        value = spell(value)
      end
      n = n + 1
      out[n] = KEYS[i] .. json.encode(value)
    end
  end
  local object = "{" .. table.concat(out, ",") .. "}"
  return #object <= WRITTEN_LENGTH and object or nil
end

--- The message of a rule, with the fields as written.
-- @param rule of a checked policy
local function wire_of(rule)
  local wire = rule.wire
  wire.written = wire.written or written(rule)
  return wire
end
compile.wire = wire_of

--- Makes the messages of a policy.
-- @param policy a checked policy
-- @param options { states = "recheck", "keep" or "flush", expect = generation to replace,
--   confirm = seconds }
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
  if #policy.sets > 0 then
    ruleset.set = policy.sets
  end
  list[1] = { cmd = "ruleset_begin", ruleset = ruleset }
  for _, rules in ipairs { policy.nat, policy.rules } do
    for _, rule in ipairs(rules) do
      list[#list + 1] = { cmd = "rule_add", rule = wire_of(rule) }
    end
  end
  list[#list + 1] = {
    cmd = "ruleset_commit",
    flags = { "ack" },
    commit = {
      states = options.states or "recheck",
      expect = options.expect,
      confirm = options.confirm and math.tointeger(options.confirm),
    },
  }
  policy_of[list] = policy
  return list
end

--- The same for asking what the policy would do to the live states: nothing is committed.
function compile.dry_run(policy)
  local list = compile.messages(policy)
  list[#list] = { cmd = "ruleset_dry_run", flags = { "ack" } }
  return list
end

return compile
