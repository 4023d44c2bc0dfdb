-- SPDX-License-Identifier: GPL-2.0-or-later
-- Writes an imported policy as Lua, to be read and changed by people. What comes from the original's files is
-- hostile: nothing of it reaches the text but as an escaped string or an escaped comment.
local text = require "ipfi.base.text"

local writer = {}

-- Columns of a line; a rule that needs more has a line for each field.
local WIDTH = 100
-- What "file:line" behind a rule may take beside.
local ROOM = 10

-- The order of a rule's fields.
local ORDER = {
  "dir", "family", "iif", "oif", "proto", "src", "dst", "sport", "dport", "icmp", "flags", "length", "dscp",
  "to", "to_port", "helper", "mss", "state", "log",
}

local Page = {}
Page.__index = Page

function Page:line(depth, line)
  self[#self + 1] = line == "" and "" or ("  "):rep(depth) .. line
end

-- A comment, wrapped, behind an indent (blanks) of its own. Escaping leaves no character that could end it.
function Page:comment(depth, words, indent)
  local start = ("  "):rep(depth) .. "--" .. (indent or "")
  local line = start
  for word in text.escape(words):gmatch("%S+") do
    if #line > #start and #line + 1 + #word > WIDTH then
      self[#self + 1] = line
      line = start
    end
    line = line .. " " .. word
  end
  self[#self + 1] = line
end

-- A string as Lua reads it. What text.escape() makes of control characters and the like are escapes of Lua.
local function quote(s)
  return '"' .. text.escape((s:gsub('[\\"]', "\\%0"))) .. '"'
end

-- A value of a field: a string, a number, true, { raw = Lua }, or a list of these.
local function literal(value)
  if type(value) ~= "table" then
    return type(value) == "string" and quote(value) or tostring(value)
  elseif value.raw then
    return value.raw
  end
  local list = {}
  for i, item in ipairs(value) do
    list[i] = literal(item)
  end
  return "{ " .. table.concat(list, ", ") .. " }"
end

-- name = value, a long list over several lines.
function Page:field(depth, name, value)
  local line = ("%s = %s,"):format(name, literal(value))
  if type(value) ~= "table" or value.raw or depth * 2 + #line <= WIDTH then
    return self:line(depth, line)
  end
  self:line(depth, name .. " = {")
  local row = ""
  for _, item in ipairs(value) do
    local piece = literal(item) .. ","
    if row ~= "" and (depth + 1) * 2 + #row + 1 + #piece > WIDTH then
      self:line(depth + 1, row)
      row = ""
    end
    row = row == "" and piece or row .. " " .. piece
  end
  self:line(depth + 1, row)
  self:line(depth, "},")
end

function Page:rule(depth, draft)
  local parts = { quote(draft.name) }
  for _, name in ipairs(ORDER) do
    if draft.fields[name] ~= nil then
      parts[#parts + 1] = ("%s = %s"):format(name, literal(draft.fields[name]))
    end
  end
  local at = draft.record and (" -- %s:%d"):format(draft.record.file, draft.record.line) or ""
  local line = ("%s { %s },"):format(draft.word, table.concat(parts, ", "))
  if depth * 2 + #line + #at <= WIDTH + ROOM then
    return self:line(depth, line .. at)
  end
  self:line(depth, draft.word .. " {" .. at)
  self:line(depth + 1, parts[1] .. ",")
  for _, name in ipairs(ORDER) do
    if draft.fields[name] ~= nil then
      self:field(depth + 1, name, draft.fields[name])
    end
  end
  self:line(depth, "},")
end

function Page:drafts(depth, drafts)
  for _, draft in ipairs(drafts) do
    for _, remark in ipairs(draft.remarks) do
      self:comment(depth, remark)
    end
    if draft.left_out then
      self:comment(depth, table.concat(draft.record.written, " "), "    ")
    else
      self:rule(depth, draft)
    end
  end
end

-- The set of sites that a job keeps.
function Page:sites(sites)
  if #sites.hosts == 0 then
    return
  end
  self:comment(0, "Sites that are denied both ways. Rules hold addresses, so a job of cron has to look up "
    .. "the names and keep the set:")
  self:line(0, "--")
  self:line(0, "--     ipfi blocked-sites.lua set=blocked_sites file=FILE")
  self:line(0, "--")
  self:comment(0, "(it comes with the examples), where FILE has these names, one a line:")
  self:line(0, "--")
  for _, host in ipairs(sites.hosts) do
    self:line(0, "--     " .. host)
  end
  self:line(0, "--")
  self:line(0, 'local blocked_sites = set { name = "blocked_sites", dynamic = true }')
  self:line(0, "")
end

-- A group of rules, or nothing where there is nothing to say.
function Page:group(comment, opening, drafts)
  if #drafts == 0 then
    return
  end
  if self[#self] ~= "  rules = {" then
    self:line(0, "")
  end
  self:comment(2, comment)
  self:line(2, opening)
  self:drafts(3, drafts)
  self:line(2, "},")
end

--- Writes a policy.
-- @param it { dir = where it comes from, name = the policy's, options =, sites =, blocked =, blacklist =,
--   allowed =, nat = lists of drafts, remarks = list of text }
-- @return text
function writer.policy(it)
  local page = setmetatable({}, Page)
  page:line(0, "#!/usr/sbin/ipfi -f")
  page:comment(0, ("Made of the rule files of %s by ipfi --import-legacy. Behind each rule stands where it "
    .. "comes from; what could not be kept is said in comments."):format(it.dir))
  for _, remark in ipairs(it.remarks) do
    page:comment(0, remark)
  end
  page:line(0, "")
  page:sites(it.sites)
  page:line(0, "return policy {")
  page:line(1, ("name = %s,"):format(quote(it.name)))
  local default = quote(it.options.default)
  page:line(1, ('default = { ["in"] = %s, out = %s, forward = %s },'):format(default, default, default))
  if it.options.all_stateful then
    page:line(1, "stateful = true,")
  end
  if it.options.max_states then
    page:line(1, ("limits = { max_states = %d },"):format(it.options.max_states))
  end
  if #it.nat > 0 then
    page:line(0, "")
    page:line(1, "nat = {")
    page:drafts(2, it.nat)
    page:line(1, "},")
  end
  page:line(0, "")
  page:line(1, "rules = {")
  page:drafts(2, it.blocked)
  page:group("Denials come before what is allowed.", 'group { "blacklist" } {', it.blacklist)
  page:group("The original knew IPv4 only. Take family = 4 away where IPv6 shall have the same.",
    'group { "allowed", family = 4 } {', it.allowed)
  page:line(1, "},")
  page:line(0, "}")
  page:line(0, "")
  return table.concat(page, "\n")
end

return writer
