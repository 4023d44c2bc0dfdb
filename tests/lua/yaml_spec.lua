-- SPDX-License-Identifier: GPL-2.0-or-later
-- docs/netlink/ipfi.yaml against the uapi header, as the compiler reads it, and against the program's own
-- schema; and its form against what the kernel's netlink specifications may hold.
local cjson = require "cjson"
local lyaml = require "lyaml"

local HEADER = "include/uapi/linux/ipfi.h"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local function run(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  assert(pipe:close(), command)
  return text
end

-- The enums of the header by name: lists of { name, value }.
local function header_enums()
  local enums = {}
  for name, body in run("cc -E -P -Iinclude/uapi " .. HEADER):gmatch "enum%s+([%w_]+)%s*(%b{})" do
    local list, values, value = {}, {}, 0
    for item in body:sub(2, -2):gmatch "[^,]+" do
      local id, given = item:match "^%s*([%w_]+)%s*=?%s*([%w_]*)%s*$"
      if id then
        -- A value is a number, or that of a name before it.
        value = tonumber(given) or values[given] or value
        values[id] = value
        list[#list + 1] = { name = id, value = value }
        value = value + 1
      end
    end
    enums[name] = list
  end
  return enums
end

local function c_name(prefix, name)
  return ((prefix .. name):gsub("-", "_"):upper())
end

-- Values of a definition by name.
local function definition_values(definition)
  local values, value = {}, definition["value-start"] or 0
  for _, entry in ipairs(definition.entries) do
    local name = type(entry) == "table" and entry.name or entry
    value = type(entry) == "table" and entry.value or value
    values[name] = value
    value = value + 1
  end
  return values
end

local function by_name(list)
  local index = {}
  for _, item in ipairs(list) do
    assert.is_nil(index[item.name], item.name)
    index[item.name] = item
  end
  return index
end

-- The list without what stands for the start and the end of an enum and has no attribute.
local function values_of(enum)
  local values = {}
  for _, item in ipairs(enum) do
    if not item.name:find "^__" and not item.name:find "_UNSPEC$" then
      values[item.name] = item.value
    end
  end
  return values
end

describe("docs/netlink/ipfi.yaml", function()
  local spec = lyaml.load(read "docs/netlink/ipfi.yaml")
  local enums = header_enums()
  local sets = by_name(spec["attribute-sets"])
  local definitions = by_name(spec.definitions)

  it("has every attribute of the header, and no other", function()
    local checked = 0
    for _, set in ipairs(spec["attribute-sets"]) do
      local enum = enums[(set["enum-name"]:gsub("-", "_"))]
      assert.is_table(enum, set.name)
      local values, value = {}, 1
      for _, attribute in ipairs(set.attributes) do
        values[c_name(set["name-prefix"], attribute.name)] = attribute.value or value
        value = (attribute.value or value) + 1
      end
      assert.same(values_of(enum), values)
      checked = checked + 1
    end
    -- Every enum of attributes has a set.
    local attributes = 0
    for name in pairs(enums) do
      attributes = attributes + ((name:find "_attr$" or name == "ipfi_limit") and 1 or 0)
    end
    assert.equal(attributes, checked)
  end)

  it("has every command of the header, and no other", function()
    local values, value = {}, 1
    for _, operation in ipairs(spec.operations.list) do
      value = operation.value or value
      values[c_name(spec.operations["name-prefix"], operation.name)] = value
      value = value + 1
    end
    assert.same(values_of(enums.ipfi_cmd), values)
  end)

  it("has every enum of values of the header", function()
    local prefixes = {
      state_id = "IPFI_STATE_",
      reason = "IPFI_REASON_",
      verdict = "IPFI_VERDICT_",
      list = "IPFI_LIST_",
      commit_states = "IPFI_COMMIT_",
      field = "IPFI_FIELD_",
      event = "IPFI_EVENT_",
      cause = "IPFI_CAUSE_",
      helper = "IPFI_HELPER_",
      change = "IPFI_CHANGE_",
    }
    for name, prefix in pairs(prefixes) do
      local wanted = {}
      for id, value in pairs(values_of(enums["ipfi_" .. name])) do
        local short = id:sub(#prefix + 1):lower():gsub("_", "-")
        if short ~= "none" or name == "state_id" then
          wanted[short] = value
        end
      end
      assert.same(wanted, definition_values(definitions[name:gsub("_", "-")]))
    end
    -- Flags are bits in the header and their places in the specification.
    local flags = { ["rule-flags"] = "IPFI_RULE_F_", ["state-flags"] = "IPFI_STATE_F_" }
    local text = read(HEADER)
    for name, prefix in pairs(flags) do
      local wanted = {}
      for id, bit in text:gmatch("#define " .. prefix .. "([%w_]+) %(1 << (%d+)%)") do
        wanted[id:lower():gsub("_", "-")] = tonumber(bit)
      end
      assert.is_truthy(next(wanted))
      assert.same(wanted, definition_values(definitions[name]))
    end
  end)

  it("says what the program's schema says", function()
    local program = "build/ipfi"
    local file = io.open(program)
    if not file then
      pending "build/ipfi is not built"
      return
    end
    file:close()
    local schema = cjson.decode(run(program .. [[ -e 'local schema = require "ipfi.c.codec".schema()
      for _, nest in pairs(schema.nests) do nest.list = nil end
      io.write(require "cjson".encode(schema))']]))
    assert.equal(spec.name, schema.name)
    local seen = 0
    for name, nest in pairs(schema.nests) do
      local set = sets[name:gsub("_", "-")]
      assert.is_table(set, name)
      seen = seen + 1
      local attributes = {}
      for place, attribute in ipairs(set.attributes) do
        attributes[place] = attribute
      end
      for _, attr in ipairs(nest) do
        local attribute = attributes[attr.number]
        local at = name .. "." .. attr.name
        -- In Lua the ranges of an address list stand under one name.
        local plain = (name == "addrs" and attr.name == "ranges") and "range" or attr.name
        assert.equal(plain:gsub("_", "-"), attribute.name, at)
        assert.equal(attr.type == "address" and "binary" or attr.type, attribute.type, at)
        assert.equal(attr.nest and attr.nest:gsub("_", "-"), attribute["nested-attributes"], at)
        assert.equal(attr.repeated or nil, attribute["multi-attr"], at)
        local enum = attr.enum or attr.mask
        assert.equal(enum and enum:gsub("_", "-"), attribute.enum, at)
        local mask = attribute["enum-as-flags"] or
          (attribute.enum and definitions[attribute.enum].type == "flags") or false
        assert.equal(attr.mask ~= nil, mask, at)
        assert.equal(attr.most, attribute.checks and attribute.checks["max-len"], at)
      end
    end
    assert.equal(#spec["attribute-sets"], seen)
    for name, values in pairs(schema.enums) do
      if name ~= "cmd" then
        local wanted = {}
        for _, value in ipairs(values) do
          wanted[value.name:lower():gsub("_", "-")] = value.value
        end
        assert.same(wanted, definition_values(definitions[name:gsub("_", "-")]))
      end
    end
  end)

  it("has the limits of the header", function()
    local text = read(HEADER):gsub("IPFI_TIMEOUT_MAX", (read(HEADER):match "IPFI_TIMEOUT_MAX (%d+)"))
    local limits = by_name(sets.limits.attributes)
    local count = 0
    for name, least, most in text:gmatch "X%([%u_]+, ([%l_]+), (%w+), (%w+), %w+%)" do
      local checks = limits[name:gsub("_", "-")].checks
      assert.equal(tonumber(least), checks.min, name)
      assert.equal(tonumber(most), checks.max, name)
      count = count + 1
    end
    assert.equal(#sets.limits.attributes, count)
  end)

  it("has the commands and groups that the header's trees tell of", function()
    local tree = read(HEADER):match "/%*\n %* ipfi: .-%*/"
    local admin, groups = {}, {}
    for name, body in tree:gsub("IPFI_CMD_", "\1"):gmatch "\1([%u_]+)%s+%->([^\1]*)" do
      admin[name:lower():gsub("_", "-")] = body:find "%s%s+admin\n" ~= nil
    end
    for name in tree:gmatch 'group "(%l+)"' do
      groups[name] = true
    end
    local checked = 0
    for _, operation in ipairs(spec.operations.list) do
      assert.equal("ipfi", operation["attribute-set"])
      if operation.event then
        assert.is_true(groups[operation.mcgrp], operation.name)
      else
        local flagged = operation.flags ~= nil and operation.flags[1] == "admin-perm"
        assert.equal(admin[operation.name], flagged, operation.name)
        checked = checked + 1
      end
      for _, way in ipairs { operation["do"] or {}, operation.dump or {}, { event = operation.event } } do
        for _, message in pairs(way) do
          for _, attribute in ipairs(message.attributes) do
            assert.is_table(by_name(sets.ipfi.attributes)[attribute], operation.name)
          end
        end
      end
    end
    assert.is_true(checked >= 16)
    for _, group in ipairs(spec["mcast-groups"].list) do
      assert.is_true(groups[group.name], group.name)
      groups[group.name] = nil
    end
    assert.same({}, groups)
  end)

  -- What the level "genetlink" of the kernel's specifications knows (Documentation/netlink/genetlink.yaml).
  it("keeps to the form of the kernel's specifications", function()
    local function only(object, keys, where)
      for key in pairs(object) do
        assert.is_truthy((" " .. keys .. " "):find(" " .. key .. " ", 1, true), where .. ": " .. key)
      end
    end
    local types = {}
    for name in ("pad flag binary u8 u16 u32 u64 string nest"):gmatch "%S+" do
      types[name] = true
    end
    only(spec, "name doc protocol uapi-header definitions attribute-sets operations mcast-groups", "top")
    assert.equal("genetlink", spec.protocol)
    for _, definition in ipairs(spec.definitions) do
      only(definition, "name type doc value-start entries", definition.name)
      assert.is_truthy(definition.type == "enum" or definition.type == "flags")
      for _, entry in ipairs(definition.entries) do
        if type(entry) == "table" then
          only(entry, "name value doc", definition.name)
        end
      end
    end
    for _, set in ipairs(spec["attribute-sets"]) do
      only(set, "name name-prefix enum-name doc attributes", set.name)
      for _, attribute in ipairs(set.attributes) do
        local at = set.name .. "." .. attribute.name
        only(attribute, "name type doc value multi-attr nested-attributes enum enum-as-flags checks", at)
        assert.is_true(types[attribute.type], at)
        assert.equal(attribute.type == "nest", attribute["nested-attributes"] ~= nil, at)
        assert.is_truthy(not attribute.enum or definitions[attribute.enum], at)
        assert.is_truthy(not attribute["nested-attributes"] or sets[attribute["nested-attributes"]], at)
        only(attribute.checks or {}, "min max max-len", at)
        assert.is_nil(attribute.name:find "[^%w-]", at)
      end
    end
    only(spec.operations, "name-prefix enum-name list", "operations")
    for _, operation in ipairs(spec.operations.list) do
      only(operation, "name doc value attribute-set flags do dump event mcgrp", operation.name)
      assert.is_string(operation.doc)
      for _, way in ipairs { "do", "dump" } do
        only(operation[way] or {}, "request reply", operation.name)
      end
    end
  end)
end)
