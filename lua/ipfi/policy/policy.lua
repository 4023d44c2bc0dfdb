-- SPDX-License-Identifier: GPL-2.0-or-later
-- The words of the policy language: they note what was written and where; checking comes when all is read.
local address = require "ipfi.field.address"
local constructors = require "ipfi.policy.constructors"
local errors = require "ipfi.base.errors"
local fields = require "ipfi.field.list"
local limits = require "ipfi.field.limits"
local lists = require "ipfi.field.lists"
local packet_test = require "ipfi.policy.packet_test"
local rule = require "ipfi.policy.rule"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local policy = {}

-- IPFI_AT_LEN, IPFI_NAME_LEN and IPFI_RULES_MAX of the uapi header.
local AT_LENGTH, NAME_LENGTH = 255, 63
policy.RULES_MOST = 1000000
-- IPFI_SETS_MAX.
local SETS_MOST = 1024
-- Inputs of the prompt that are remembered for one place.
local TEXTS_MOST = 8
-- Lists may stand in lists; one that holds itself has no end.
local DEPTH_MOST = 64

local VERDICTS = { "allow", "deny", "reject" }
local IS_VERDICT = { allow = true, deny = true, reject = true }

--- The words that make rules.
policy.verdicts = suggest.keys(rule.place)

--- The fields of policy { }: { name =, forms =, help = }.
policy.fields = {
  { name = "name", forms = "text",
    help = "The policy's name, shown with the rules. Without it, the file's." },
  {
    name = "default",
    forms = [['deny' or { ["in"] = 'deny', out = 'allow', forward = 'deny' }]],
    help = "What happens to packets that no rule of a list matches: allow, deny or reject. Without it, deny. "
      .. "in is a word of Lua: write [\"in\"], or input.",
  },
  { name = "limits", forms = "{ max_states = 65536, ... }", help = "Limits that are set with the commit." },
  { name = "stateful", forms = "true or false",
    help = "Every allow rule makes states unless it says state = false." },
  {
    name = "rules",
    forms = "a list of rules, groups and lists of these; false stands for no rule",
    help = "The rules in their order. In each list the first that matches decides.",
  },
  {
    name = "nat",
    forms = "a list of NAT rules, groups and lists of these; false stands for no rule",
    help = "The NAT rules in their order. The first dnat or redirect that matches a connection when it "
      .. "enters or "
      .. "is made here changes its destination, the first snat or masquerade when it leaves its source.",
  },
  {
    name = "tests",
    forms = "a list of test { }",
    help = "Packet tests. One that stands by itself before the policy belongs to it too.",
  },
}

local POLICY_FIELDS = {}
for _, field in ipairs(policy.fields) do
  POLICY_FIELDS[#POLICY_FIELDS + 1] = field.name
end
policy.field_names = POLICY_FIELDS

local function class(name)
  local meta = { __name = name, __metatable = name }
  meta.__index = meta
  return meta
end

local Rule, Group, Policy, Test = class "rule", class "group", class "policy", class "test"

-- The classes hide their metatable from policies, so objects carry their kind.
local KIND = {}

--- What stands for itself when a policy that was noted elsewhere comes back: see apart.lua.
policy.atoms = { KIND, values.ELEMENT, Rule, Group, Policy, Test, address.Set }

local function kind(value)
  if type(value) ~= "table" then
    return nil
  end
  return rawget(value, KIND) or (rawget(value, values.ELEMENT) ~= nil and "set") or nil
end

function Rule:__tostring()
  return ("%s '%s' (%s)"):format(self.verdict, text.escape(tostring(self.name)), self.at)
end

function Group:__tostring()
  return ("group '%s' (%s)"):format(text.escape(tostring(self.name or "")), self.at)
end

function Test:__tostring()
  return ("test (%s)"):format(self.at)
end

function Policy:__tostring()
  return ("policy '%s': %s"):format(text.escape(tostring(self.name)), policy.size(self))
end

--- How many rules a policy has, as text: "5 rules", "5 rules, 2 NAT rules".
-- @param p a policy, or a table with its rules and nat
function policy.size(p)
  return policy.counted(p.rules and #p.rules or 0, p.nat and #p.nat or 0)
end

--- The same of numbers.
function policy.counted(rules, nat_rules)
  local size = text.plural(rules, "rule")
  return nat_rules > 0 and size .. ", " .. text.plural(nat_rules, "NAT rule") or size
end

--- Is this value a policy?
function policy.is(value)
  return kind(value) == "policy"
end

--- Is this value a rule, a group, a policy or a set: something with a short text of its own?
function policy.is_object(value)
  return kind(value) ~= nil
end

local Builder = {}
Builder.__index = Builder

function Builder:report(at, message)
  self.errors[#self.errors + 1] = at .. ": " .. message
end

local function is_plain(value)
  return kind(value) == nil
end

-- What is nil of that which was written for the fields of a rule, as texts; nil for nothing. A list in them,
-- of addresses or ports, has no holes either.
local PLAIN = { into = is_plain }

local function absent(written)
  local list = constructors.problems(written, PLAIN)
  return #list > 0 and list or nil
end

-- The same of a list of rules, where "condition and allow { ... }" may be nil, but no variable.
local function absent_rules(written)
  local list = type(written) == "table" and is_plain(written)
    and constructors.problems(written, { lists = true, into = is_plain }) or {}
  return #list > 0 and list or nil
end

-- The same of a policy, whose rules are lists of these.
local function absent_fields(spec)
  local optional = { [spec.rules or 0] = true, [spec.nat or 0] = true, [spec.tests or 0] = true }
  local list = constructors.problems(spec, {
    into = function(value)
      return is_plain(value) and not optional[value]
    end,
  })
  for _, name in ipairs { "rules", "nat", "tests" } do
    for _, message in ipairs(absent_rules(spec[name]) or {}) do
      list[#list + 1] = name .. ": " .. message
    end
  end
  return #list > 0 and list or nil
end

-- The directory of this program's own files.
local OWN = debug.getinfo(1, "S").source:match("^(.*/)[^/]*$")

-- Where a function stands: its file, or false when it does not belong to the policy.
function Builder:file_of(func)
  local info = debug.getinfo(func, "S")
  local file = false
  local foreign = info.what ~= "C" and info.source:sub(1, #OWN) ~= OWN
  if foreign and (self.chunk == nil or info.source == self.chunk) then
    file = self.file or text.escape(info.source:match("^[@=](.*)$") or info.short_src)
  end
  self.files[func] = file
  return file
end

-- At the prompt every line has its number in its own input: remembers which texts have a place.
function Builder:note_text(at, func)
  local source = self.source_of and self.source_of(func)
  if not source then
    return
  end
  local list = self.texts[at] or {}
  self.texts[at] = list
  for i = #list, 1, -1 do
    if list[i] == source then
      table.remove(list, i)
    end
  end
  list[#list + 1] = source
  if #list > TEXTS_MOST then
    table.remove(list, 1)
  end
end

-- "file:line" of the code that called a constructor; level 1 is the function that calls this one.
function Builder:where(level)
  level = level + 1
  while true do
    local info = debug.getinfo(level, "fl")
    if not info then
      return self.file or "?"
    end
    local file = self.files[info.func]
    if file == nil then
      file = self:file_of(info.func)
    end
    if file then
      local at = file .. ":" .. info.currentline
      self:note_text(at, info.func)
      return #at <= AT_LENGTH and at or "..." .. at:sub(-(AT_LENGTH - 3))
    end
    level = level + 1
  end
end

function Builder:rule(verdict, written)
  local at = self:where(3)
  self.count = self.count + 1
  local definition = { [KIND] = "rule", verdict = verdict, at = at, fields = {} }
  if type(written) ~= "table" or kind(written) then
    definition.problem = ("expected %s { \"name\", ... }, got %s")
      :format(verdict, kind(written) or text.quote(written))
    return setmetatable(definition, Rule)
  end
  local own = definition.fields
  for key, value in next, written do
    own[key] = value
  end
  definition.absent = absent(written)
  definition.name, own[1] = own[1], nil
  return setmetatable(definition, Rule)
end

function Group:__call(children)
  if type(children) ~= "table" or kind(children) then
    self.problem = "its rules stand in a second pair of braces: group { \"name\", ... } { rules }"
    return self
  end
  self.children, self.absent_rules = children, absent_rules(children)
  return self
end

function Builder:group(written)
  local group = { [KIND] = "group", at = self:where(3), fields = {}, told = {}, taken = {}, left_out = {} }
  if type(written) ~= "table" or kind(written) then
    group.problem = ("expected group { \"name\", fields } { rules }, got %s")
      :format(kind(written) or text.quote(written))
    return setmetatable(group, Group)
  end
  group.absent = absent(written)
  for key, value in next, written do
    if kind(value) and kind(value) ~= "set" then
      group.problem = "its rules stand in a second pair of braces: group { \"name\", ... } { rules }"
    else
      group.fields[key] = value
    end
  end
  group.name, group.fields[1] = group.fields[1], nil
  if group.name ~= nil and type(group.name) ~= "string" then
    group.problem = ("the first value is the group's name, text; got %s"):format(text.quote(group.name))
    group.name = nil
  end
  return setmetatable(group, Group)
end

-- Notes the names of dynamic sets, each once, in their order.
function Builder:declare(names)
  for _, name in ipairs(names or {}) do
    if not self.declared[name] then
      self.declared[name] = true
      self.declared[#self.declared + 1] = name
    end
  end
end

--- Notes a packet test; the policy of the file has it, wherever it stands.
function Builder:test(written)
  local noted = setmetatable({ [KIND] = "test", at = self:where(3), written = {} }, Test)
  if type(written) ~= "table" or kind(written) then
    noted.written = nil
  else
    for key, value in next, written do
      noted.written[key] = value
    end
    noted.absent = absent(written)
  end
  if not self.direct then
    self.tests[#self.tests + 1] = noted
  end
  return noted
end

--- The names of the dynamic sets that were made.
function Builder:declarations()
  return table.move(self.declared, 1, #self.declared, 1, {})
end

function Builder:set(list)
  local at = self:where(3)
  local set, message
  local holes = type(list) == "table" and not kind(list) and absent(list)
  if holes then
    message = holes[1]
  elseif type(list) == "table" and not kind(list) and (list.name ~= nil or list.dynamic ~= nil) then
    set, message = address.dynamic(list)
  elseif type(list) == "string" then
    message = ("write set { name = '%s', dynamic = true }, or set { addresses }"):format(text.escape(list))
  else
    set, message = address.set(list)
  end
  if set then
    self:declare(set.sets)
    return set
  end
  if self.direct then
    errors.raise("policy", "%s: set: %s", at, message)
  end
  self:report(at, "set: " .. message)
  -- Stands in for the set, so that the other mistakes of the file are found too.
  return assert(address.set { "me" })
end

-- Reports what is nil of that which was written for the fields of something.
local function report_absent(self, at, what, list)
  for _, message in ipairs(list or {}) do
    self:report(at, ("%s: %s"):format(what, message))
  end
end

local function check_name(self, p, spec)
  local name = spec.name
  if name == nil then
    local stem = (self.file or "policy"):match("([^/]+)$") or "policy"
    name = stem:gsub("%.lua$", ""):gsub("%c", "?")
    name = name:sub(1, NAME_LENGTH)
  elseif type(name) ~= "string" or name == "" or #name > NAME_LENGTH or name:find("%c") then
    self:report(p.at, ("policy: name: expected text of 1 to %d bytes, got %s")
      :format(NAME_LENGTH, text.quote(name)))
    name = "?"
  end
  p.name = name
end

local function check_default(self, p, spec)
  p.default = { ["in"] = "deny", out = "deny", forward = "deny" }
  local default = spec.default
  if default == nil then
    return
  end
  local function report(message, ...)
    self:report(p.at, "policy: default: " .. message:format(...))
  end
  local function check(verdict, what)
    if IS_VERDICT[verdict] then
      return true
    end
    local hint = type(verdict) == "string" and suggest.hint(verdict, VERDICTS) or ""
    report("%s is allow, deny or reject, got %s%s", what, text.quote(verdict), hint)
    return false
  end
  if type(default) == "string" then
    if check(default, "it") then
      p.default = { ["in"] = default, out = default, forward = default }
    end
    return
  elseif type(default) ~= "table" or kind(default) then
    return report("expected 'deny' or { [\"in\"] = 'deny', ... }, got %s", text.quote(default))
  end
  local said = {}
  for name, verdict in next, default do
    local list = lists.named(name)
    if not list then
      report("unknown list %s%s", text.quote(name),
        type(name) == "string" and suggest.hint(name, lists.names) or "")
    elseif said[list] ~= nil and said[list] ~= verdict then
      report("list '%s' stands there twice, with two verdicts", list)
    else
      said[list] = verdict
    end
  end
  for _, list in ipairs(lists.names) do
    if said[list] ~= nil and check(said[list], list) then
      p.default[list] = said[list]
    end
  end
end

local function check_limits(self, p, spec)
  p.limits = {}
  if spec.limits == nil then
    return
  elseif type(spec.limits) ~= "table" or kind(spec.limits) then
    return self:report(p.at, ("policy: limits: expected { name = number }, got %s")
      :format(text.quote(spec.limits)))
  end
  p.limits = limits.parse(spec.limits, function(message)
    self:report(p.at, "policy: limits: " .. message)
  end)
end

-- The dynamic sets: those that the file makes, used or not; at the prompt those that the rules use.
local function take_sets(self, p)
  if self.direct then
    self.declared = {}
  end
  for _, part in ipairs { p.nat, p.rules } do
    for _, one in ipairs(part) do
      self:declare(one.wire.src and one.wire.src.set)
      self:declare(one.wire.dst and one.wire.dst.set)
    end
  end
  p.sets = self:declarations()
  if #p.sets > SETS_MOST then
    self:report(p.at, ("policy: %d dynamic sets are more than %d"):format(#p.sets, SETS_MOST))
  end
end

-- The packet tests: those of the list, and those that stand in the file by themselves.
local function check_tests(self, p, spec)
  p.tests = {}
  local written, met, list = spec.tests, {}, {}
  if written ~= nil and (type(written) ~= "table" or kind(written)) then
    return self:report(p.at, ("policy: tests: expected a list of test { }, got %s")
      :format(kind(written) or text.quote(written)))
  end
  for _, part in ipairs { self.tests, written or {} } do
    for _, one in ipairs(part) do
      if kind(one) ~= "test" then
        self:report(p.at, ("policy: tests: expected test { \"name\", ... }, got %s")
          :format(kind(one) or text.quote(one)))
      elseif not met[one] then
        met[one] = true
        list[#list + 1] = one
        report_absent(self, one.at, "test", one.absent)
      end
    end
  end
  local names = { rules = {}, sets = p.sets }
  for _, part in ipairs { p.rules, p.nat } do
    for _, one in ipairs(part) do
      names.rules[#names.rules + 1] = one.name
    end
  end
  for _, one in ipairs(list) do
    p.tests[#p.tests + 1] = packet_test.check(one, names, function(at, message)
      self:report(at, message)
    end)
  end
end

local function check_stateful(self, p, spec)
  if spec.stateful ~= nil and type(spec.stateful) ~= "boolean" then
    self:report(p.at, ("policy: stateful: expected true or false, got %s"):format(text.quote(spec.stateful)))
  end
  p.stateful = spec.stateful == true
end

-- One walk over the rules or the NAT rules: groups hand their fields down, each rule is checked and kept.
-- self.part is "rules" or "nat", where they stand in the policy.
local Walk = {}
Walk.__index = Walk

-- The fields that hold inside a group, and which group each came from.
local function inherit(outer, group)
  local inner = { fields = {}, origin = {} }
  for key, value in next, outer.fields do
    inner.fields[key], inner.origin[key] = value, outer.origin[key]
  end
  for key, value in next, group.fields do
    inner.fields[key], inner.origin[key] = value, group
  end
  return inner
end

function Walk:group(group, outer, depth)
  local function report(message)
    self.builder:report(group.at, ("group '%s': %s"):format(text.escape(group.name or ""), message))
  end
  if group.problem then
    return report(group.problem)
  elseif not group.children then
    return report("has no rules: write group { ... } { rules }")
  end
  for _, list in ipairs { group.absent or {}, group.absent_rules or {} } do
    report_absent(self.builder, group.at, ("group '%s'"):format(text.escape(group.name or "")), list)
  end
  local unknown = {}
  for key in next, group.fields do
    if not fields.by_name[key] then
      unknown[#unknown + 1] = rule.unknown_field(key)
    end
  end
  table.sort(unknown)
  for _, message in ipairs(unknown) do
    report(message)
  end
  local walked = self:list(group.children, inherit(outer, group), group.at, depth)
  -- What some of its rules have no use for is meant for the others: there must be one.
  for _, name in ipairs(fields.names) do
    if group.left_out[name] and not group.taken[name] then
      report(("%s: it means nothing to any of its rules"):format(name))
    end
  end
  return walked
end

function Walk:rule(definition, outer)
  local builder = self.builder
  local problem = definition.problem
    or (definition.name == nil and definition.absent and definition.absent[1])
    or rule.bad_name(definition.name)
  if problem then
    return builder:report(definition.at, "rule: " .. problem)
  end
  local part = rule.is_nat(definition.verdict) and "nat" or "rules"
  if part ~= self.part then
    return builder:report(definition.at, ("rule '%s': %s stands in %s = { ... } of the policy, not in %s")
      :format(text.escape(definition.name), definition.verdict, part, self.part))
  end
  local first = self.names[definition.name]
  if first then
    return builder:report(definition.at,
      ("rule '%s': the name is taken by the rule at %s; rule names are unique")
      :format(text.escape(definition.name), first.at))
  end
  self.names[definition.name] = definition
  report_absent(builder, definition.at, ("rule '%s'"):format(text.escape(definition.name)),
    definition.absent)
  local effective = definition.fields
  if next(outer.fields) ~= nil then
    effective = {}
    for key, value in next, outer.fields do
      effective[key] = value
    end
    for key, value in next, definition.fields do
      effective[key] = value
    end
  end
  local wire = self.checker:rule(definition, effective, outer.origin)
  if #builder.errors == 0 then
    local rules = self.policy[part]
    rules[#rules + 1] = {
      name = definition.name,
      verdict = definition.verdict,
      at = definition.at,
      wire = wire,
      fields = effective,
    }
  end
end

function Walk:item(item, outer, at, depth)
  local what = kind(item)
  if what == "rule" then
    return self:rule(item, outer)
  elseif what == "group" then
    return self:group(item, outer, depth)
  elseif item == false then
    return nil
  elseif type(item) == "table" and not what then
    return self:list(item, outer, at, depth)
  end
  local got = what or text.quote(item)
  local hint = type(item) == "function" and " (a word like allow needs its { })" or ""
  return self.builder:report(at, ("%s: expected rules and groups, got %s%s"):format(self.part, got, hint))
end

function Walk:list(list, outer, at, depth)
  if depth > DEPTH_MOST then
    return self.builder:report(at,
      ("%s: lists stand in lists more than %d deep"):format(self.part, DEPTH_MOST))
  end
  local count, last = 0, 0
  for key in next, list do
    if math.type(key) ~= "integer" or key < 1 then
      return self.builder:report(at,
        ("%s: a list of rules has no key %s; a rule's name is its first value")
        :format(self.part, text.quote(key)))
    end
    count, last = count + 1, math.max(last, key)
  end
  if last == count then
    for i = 1, count do
      self:item(list[i], outer, at, depth + 1)
    end
    return
  end
  -- A list with holes, from "condition and allow { ... } or nil": the rest keeps its order.
  local keys = {}
  for key in next, list do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    self:item(list[key], outer, at, depth + 1)
  end
end

--- Checks a policy that was built; mistakes are reported to the builder.
function Builder:finish(p)
  local spec = p.spec
  p.spec = nil
  report_absent(self, p.at, "policy", p.absent)
  p.absent = nil
  local unknown = {}
  for key in next, spec do
    if kind(key) or type(key) ~= "string" then
      unknown[#unknown + 1] = "policy: rules stand in rules = { ... }"
    else
      local known = false
      for _, name in ipairs(POLICY_FIELDS) do
        known = known or key == name
      end
      if not known then
        unknown[#unknown + 1] = ("policy: unknown field %s%s")
          :format(text.quote(key), suggest.hint(key, POLICY_FIELDS))
      end
    end
  end
  table.sort(unknown)
  for i, message in ipairs(unknown) do
    if message ~= unknown[i - 1] then
      self:report(p.at, message)
    end
  end
  check_name(self, p, spec)
  check_default(self, p, spec)
  check_limits(self, p, spec)
  check_stateful(self, p, spec)
  local checker = rule.checker(p.stateful, function(at, message)
    self:report(at, message)
  end)
  local names = {}
  for _, part in ipairs { "rules", "nat" } do
    local written = spec[part]
    p[part] = {}
    if written ~= nil and (type(written) ~= "table" or kind(written)) then
      self:report(p.at, ("policy: %s: expected a list of rules, got %s")
        :format(part, kind(written) or text.quote(written)))
    elseif written ~= nil then
      local walk = setmetatable({ builder = self, policy = p, part = part, names = names, checker = checker },
        Walk)
      walk:list(written, { fields = {}, origin = {} }, p.at, 0)
    end
  end
  local count = #p.rules + #p.nat
  if count > policy.RULES_MOST then
    self:report(p.at, ("policy: %d rules are more than %d"):format(count, policy.RULES_MOST))
  end
  take_sets(self, p)
  -- With mistakes in the rules, a test that names one of them is not to blame.
  if #self.errors == 0 then
    check_tests(self, p, spec)
  end
  p.checked = true
  return p
end

function Builder:policy(spec)
  local at = self:where(3)
  local p = setmetatable({ [KIND] = "policy", at = at, source = self.file, spec = {} }, Policy)
  if type(spec) ~= "table" or kind(spec) then
    self:report(at, ("expected policy { name = ..., rules = { ... } }, got %s")
      :format(kind(spec) or text.quote(spec)))
  else
    for key, value in next, spec do
      p.spec[key] = value
    end
    p.absent = absent_fields(spec)
  end
  if self.direct then
    self:finish(p)
    if #self.errors > 0 then
      local list = self.errors
      self.errors = {}
      error(errors.policy(list, nil, nil, self.texts), 0)
    end
  end
  return p
end

--- The words of the language, noting into a builder of their own.
-- @param options { file = the name to show, chunk = source of the chunk that calls the words (nil: any),
--   direct = true when mistakes are raised by policy { } itself, as at the prompt, source_of = function
--   (function) -> the text it stands in, or nil }
-- @return builder (fields errors, tests, finish), table of words
function policy.words(options)
  local builder = setmetatable({
    errors = {},
    files = setmetatable({}, { __mode = "k" }),
    count = 0,
    declared = {},
    tests = {},
    file = options.file,
    chunk = options.chunk,
    direct = options.direct,
    source_of = options.source_of,
    texts = {},
  }, Builder)
  -- Builder methods look three levels up for the caller: where(), the method, the function here. The
  -- parentheses keep these calls from being tail calls, which would take the last one away.
  local words = {}
  for _, word in ipairs { "group", "set", "policy", "test" } do
    words[word] = function(written)
      return (builder[word](builder, written))
    end
  end
  for _, verdict in ipairs(policy.verdicts) do
    words[verdict] = function(written)
      return (builder:rule(verdict, written))
    end
  end
  return builder, words
end

return policy
