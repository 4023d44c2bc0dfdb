-- SPDX-License-Identifier: GPL-2.0-or-later
-- Stands in for ipfi.c.netlink: a kernel module in a few lines, that keeps a rule set, limits and states. A
-- test may put states into kernel.states, and make it absent or refuse things.
local codec = require "ipfi.c.codec"
local sys = require "ipfi.c.sys"

local netlink = {}

local kernel = {}
netlink.kernel = kernel

-- FNV-1a of 64 bits, as ipfi_rule_id() of the core.
local function rule_id(name)
  local hash = 0xcbf29ce484222325
  for i = 1, #name do
    hash = (hash ~ name:byte(i)) * 0x100000001b3
  end
  return hash
end
netlink.rule_id = rule_id

--- Back to a module that was just loaded.
function kernel.reset()
  kernel.absent, kernel.version = false, false
  kernel.refuse = {}
  kernel.generation, kernel.name, kernel.rules = 0, nil, {}
  kernel.default = { default_in = "deny", default_out = "deny", default_forward = "deny" }
  kernel.states, kernel.expectations = {}, {}
  kernel.events, kernel.groups = {}, {}
  kernel.confirm = nil
  kernel.sets = {}
  -- What a trial of any rule set says.
  kernel.dry_run = nil
  kernel.before, kernel.deadline, kernel.change = nil, nil, nil
  kernel.requests = {}
  kernel.interrupted_dumps = 0
  kernel.limits = {}
  for _, limit in ipairs(codec.limits()) do
    -- 0 below the least value stands for what the machine's memory allows.
    kernel.limits[limit.name] = limit.default < limit.least and 65536 or limit.default
  end
end
kernel.reset()

local function failure(errno, name, message, attr)
  return { errno = errno, name = name, message = message, attr = attr }
end

local function copy(t)
  if type(t) ~= "table" then
    return t
  end
  local other = {}
  for key, value in pairs(t) do
    other[key] = copy(value)
  end
  return other
end

local function contains(list, value)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end
  return false
end

local function in_range(range, number)
  return number >= range.from and number <= (range.to or range.from)
end

-- Any of the flags asked for; none asked for: none there.
local function is_translated(flags, state)
  for _, flag in ipairs { "src_nat", "dst_nat" } do
    if contains(state.flags or {}, flag) and (#flags == 0 or contains(flags, flag)) then
      return #flags > 0
    end
  end
  return #flags == 0
end

-- The filters that tests use; the real ones are the module's business.
local function matches(filter, state)
  if not filter then
    return true
  end
  return (not filter.family or filter.family == state.family)
    and (not filter.proto or filter.proto == state.proto)
    and (not filter.states or contains(filter.states, state.state))
    and (not filter.src or filter.src.addr == state.src)
    and (not filter.dst or filter.dst.addr == state.dst)
    and (not filter.dport or in_range(filter.dport, state.dport))
    and (not filter.rule or filter.rule == state.rule)
    and (not filter.id or filter.id == state.id)
    and (not filter.master or filter.master == state.master)
    and (not filter.helper or filter.helper == state.helper or state.master ~= nil)
    and (not filter.nat or is_translated(filter.nat, state))
end

local function select_states(filter, keep)
  local matched, rest = {}, {}
  for _, state in ipairs(kernel.states) do
    local list = matches(filter, state) and matched or rest
    list[#list + 1] = state
  end
  if not keep then
    kernel.states = rest
  end
  return matched
end

-- What a commit that waits replaced comes back when the clock has come so far.
local function roll_back(change)
  kernel.rules, kernel.name = kernel.before.rules, kernel.before.name
  kernel.generation = kernel.generation + 1
  kernel.before, kernel.deadline, kernel.change = nil, nil, change
end

local function info()
  if kernel.deadline and sys.world.clock >= kernel.deadline then
    roll_back("timed-out")
  end
  return {
    -- A test may say it itself.
    confirm = kernel.confirm or kernel.deadline and math.ceil((kernel.deadline - sys.world.clock) * 1000),
    change = kernel.change,
    version = "fake", generation = kernel.generation, armed = kernel.generation > 0 and 1 or 0,
      name = kernel.name,
    rules = #kernel.rules,
  }
end

local handlers = {}

function handlers.info()
  return { { cmd = "info", info = info() } }
end

local function decision(decide)
  return function(message)
    info()
    if not kernel.deadline then
      return nil, failure(2, "ENOENT", "no rule set waits to be confirmed")
    elseif message.commit.expect and message.commit.expect ~= kernel.generation then
      return nil, failure(116, "ESTALE", "another rule set waits to be confirmed", "commit.expect")
    end
    decide()
    return { { cmd = message.cmd, info = info() } }
  end
end

handlers.ruleset_confirm = decision(function()
  kernel.before, kernel.deadline, kernel.change = nil, nil, "confirmed"
end)
handlers.ruleset_rollback = decision(function()
  roll_back("rolled-back")
end)

function handlers.limits_get()
  return { { cmd = "limits_get", limits = copy(kernel.limits) } }
end

function handlers.limits_set(message)
  for name, value in pairs(message.limits) do
    kernel.limits[name] = value
  end
  return {}
end

function handlers.states_count(message)
  return { { cmd = "states_count", stats = { states = #select_states(message.filter, true) } } }
end

function handlers.states_delete(message)
  return { { cmd = "states_delete", stats = { states = #select_states(message.filter, false) } } }
end

function handlers.stats()
  local counters = {}
  for i, reason in ipairs(codec.reasons()) do
    counters[i] = { reason = reason.name,
      packets = reason.name == "default-deny" and 7 or i == 1 and 100 or 0 }
  end
  return { { cmd = "stats", stats = {
    states = #kernel.states, states_peak = 9, max_states = kernel.limits.max_states, state_size = 192,
    memory = 192 * #kernel.states, memory_at_limit = 192 * kernel.limits.max_states,
    generation = kernel.generation, packets = 107, created = 12, evicted = 1, expired = 2, translated = 3,
    expectations = #kernel.expectations, counters = counters,
  } } }
end

-- A set is a list of members in the order of their text, which is as good as the kernel's. Times stand still.
local function find_set(message)
  local set = kernel.sets[message.set.name]
  if set then
    return set
  end
  return nil, failure(2, "ENOENT", "no rule set declares a dynamic set of this name", "set.name")
end

local function find_member(set, member)
  for i, other in ipairs(set) do
    if other.addr == member.addr and other.length == member.length then
      return i
    end
  end
  return nil
end

local function whole(member)
  local other = copy(member)
  other.length = other.length or (other.addr:find(":", 1, true) and 128 or 32)
  return other
end

local function set_reply(message, set, changed)
  return { { cmd = message.cmd, set = { name = message.set.name, members = #set, changed = changed } } }
end

function handlers.set_add(message)
  local set, err = find_set(message)
  if not set then
    return nil, err
  end
  local added = 0
  for _, member in ipairs(message.set.member or {}) do
    member = whole(member)
    local place = find_member(set, member)
    if place then
      set[place] = member
    else
      added = added + 1
      set[#set + 1] = member
    end
  end
  table.sort(set, function(a, b)
    local v4, v6 = not a.addr:find(":", 1, true), not b.addr:find(":", 1, true)
    if v4 ~= v6 then
      return v4
    end
    return a.addr < b.addr
  end)
  return set_reply(message, set, added)
end

function handlers.set_delete(message)
  local set, err = find_set(message)
  if not set then
    return nil, err
  end
  local before = #set
  for _, member in ipairs(message.set.member or copy(set)) do
    local place = find_member(set, whole(member))
    if place then
      table.remove(set, place)
    end
  end
  return set_reply(message, set, before - #set)
end

local dumps = {}

-- In parts of two, so that a reader has to go on. Of a member only itself is found.
function dumps.sets_dump(message)
  local list = {}
  if not message.set then
    local names = {}
    for name in pairs(kernel.sets) do
      names[#names + 1] = name
    end
    table.sort(names)
    for i, name in ipairs(names) do
      list[i] = { cmd = "sets_dump", set = { name = name, members = #kernel.sets[name] } }
    end
    return list
  end
  local set, err = find_set(message)
  if not set then
    return {}, err
  end
  list[1] = { cmd = "sets_dump", set = { name = message.set.name, members = #set } }
  if message.set.member then
    local place = find_member(set, whole(message.set.member[1]))
    list[2] = { cmd = "sets_dump", set = { name = message.set.name, member = { copy(set[place]) } } }
    return list
  end
  for i = 1, #set, 2 do
    list[#list + 1] = { cmd = "sets_dump",
      set = { name = message.set.name, member = { copy(set[i]), copy(set[i + 1]) } } }
  end
  return list
end

function dumps.states_dump(message)
  local list = {}
  for i, state in ipairs(select_states(message.filter, true)) do
    list[i] = { cmd = "states_dump", state = copy(state) }
  end
  return list
end

function dumps.expectations_dump()
  local list = {}
  for i, expectation in ipairs(kernel.expectations) do
    list[i] = { cmd = "expectations_dump", expectation = copy(expectation) }
  end
  return list
end

function dumps.rules_dump()
  local ruleset = copy(kernel.default)
  ruleset.set = {}
  for name in pairs(kernel.sets) do
    table.insert(ruleset.set, name)
  end
  table.sort(ruleset.set)
  local list = { { cmd = "rules_dump", info = info(), ruleset = ruleset } }
  for i, rule in ipairs(kernel.rules) do
    list[i + 1] = { cmd = "rules_dump", rule = copy(rule) }
  end
  return list
end

local Connection = {}
Connection.__index = Connection

function Connection.request(_, message)
  kernel.requests[#kernel.requests + 1] = message
  local refusal = kernel.refuse[message.cmd]
  if refusal then
    return nil, refusal
  end
  return handlers[message.cmd](message)
end

function Connection:dump(message)
  kernel.requests[#kernel.requests + 1] = message
  local list, i, err = {}, 0, kernel.refuse[message.cmd]
  if not err then
    list, err = dumps[message.cmd](message)
  end
  self.err = err
  if kernel.interrupted_dumps > 0 then
    kernel.interrupted_dumps = kernel.interrupted_dumps - 1
    self.err = { errno = 4, name = "EINTR", message = "the dump is not consistent", interrupted = true }
  end
  return function()
    i = i + 1
    return list[i]
  end
end

function Connection:dump_error()
  return self.err
end

function Connection.subscribe(_, group)
  local refusal = kernel.refuse[group]
  if refusal then
    return nil, refusal
  end
  kernel.groups[group] = true
  return true
end

function Connection.fd()
  return 3
end

-- Hands out what a test put into kernel.events, one at a time; then time passes.
function Connection.events(_, seconds)
  local event = table.remove(kernel.events, 1)
  if event and event.refusal then
    return nil, event.refusal
  elseif not event and not seconds then
    error("nothing will ever happen")
  elseif not event then
    sys.world.clock = sys.world.clock + seconds
  end
  return { event }
end

function Connection:dump_count(message, field)
  local nest, name = field:match("^(.-)%.(.*)$")
  local counts, rows = {}, 0
  for row in self:dump(message) do
    local value = row[nest] and row[nest][name]
    rows = rows + 1
    if value ~= nil then
      counts[value] = (counts[value] or 0) + 1
    end
  end
  if self.err then
    return nil, self.err
  end
  return counts, rows
end

local function add_rule(transaction, message)
  local rule = copy(message.rule)
  if rule.name == kernel.refuse.rule then
    return failure(22, "EINVAL", "ports need proto, and only protocols that have ports", "rule.dport")
  end
  rule.id, rule.packets, rule.bytes = rule_id(rule.name), 0, 0
  transaction.rules[#transaction.rules + 1] = rule
  return nil
end

local function commit(transaction, message)
  local expect = message.commit.expect
  if expect and expect ~= kernel.generation then
    return failure(116, "ESTALE", "another rule set was committed")
  elseif info().confirm then
    return failure(16, "EBUSY", "the running rule set waits to be confirmed")
  end
  kernel.change = "committed"
  if message.commit.confirm then
    kernel.before = { rules = kernel.rules, name = kernel.name }
    kernel.deadline = sys.world.clock + message.commit.confirm
  end
  kernel.generation = kernel.generation + 1
  kernel.rules, kernel.name = transaction.rules, transaction.begin.name
  for list in pairs(kernel.default) do
    kernel.default[list] = transaction.begin[list] or "deny"
  end
  for name, value in pairs(transaction.begin.limits or {}) do
    kernel.limits[name] = value
  end
  local sets = {}
  for _, name in ipairs(transaction.begin.set or {}) do
    sets[name] = kernel.sets[name] or {}
  end
  kernel.sets = sets
  if message.commit.states == "flush" then
    kernel.states = {}
  end
  return nil
end

function Connection.stream(self, messages)
  local transaction = { rules = {} }
  kernel.sent, kernel.sender = messages, self
  if self.closed then
    error("the connection is closed")
  end
  for i, message in ipairs(messages) do
    local err = kernel.refuse[message.cmd]
    if not err and message.cmd == "ruleset_begin" then
      transaction.begin = message.ruleset
    elseif not err and message.cmd == "rule_add" then
      err = add_rule(transaction, message)
    elseif not err and message.cmd == "ruleset_commit" then
      err = commit(transaction, message)
    elseif not err and message.cmd == "ruleset_dry_run" then
      return true, { cmd = message.cmd, stats = { states = #kernel.states }, dry_run = copy(kernel.dry_run) }
    end
    if err then
      err.index = i
      return nil, err, i
    end
  end
  return true, { cmd = "ruleset_commit", info = info() }
end

function Connection:close()
  self.closed = true
end

function netlink.open()
  if kernel.absent then
    return nil, { errno = 2, name = "ENOENT", message = "no such family", absent = true }
  elseif kernel.version then
    return nil, { errno = 93, name = "EPROTONOSUPPORT", message = "version 2", version = true }
  end
  return setmetatable({}, Connection)
end

return netlink
