-- SPDX-License-Identifier: GPL-2.0-or-later
-- Imports the rule files of the original IPFIREwall: allowed, blacklist, translation, blacksites and
-- options, any of which may be missing. They become the text of a policy, and the loader makes the policy of
-- that text, so that what is printed and what is loaded are the same.
--
-- The order of judgement is the original's: states, blocked sites, blacklist, allowed, default. What a rule
-- asks for and ours cannot is told, and never makes a rule allow more (legacy_rule.lua).
local errors = require "ipfi.base.errors"
local journal = require "ipfi.legacy.journal"
local legacy_options = require "ipfi.legacy.options"
local legacy_rule = require "ipfi.legacy.rule"
local legacy_sites = require "ipfi.legacy.sites"
local loader = require "ipfi.policy.loader"
local log = require "ipfi.base.log"
local reader = require "ipfi.legacy.reader"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"
local trust = require "ipfi.policy.safe_path"
local writer = require "ipfi.legacy.writer"

local legacy = {}

-- IPFI_NAME_LEN of the uapi header.
local NAME_LENGTH = 63

local FILES = { "options", "blacksites", "blacklist", "allowed", "translation" }

-- The texts of the files that are there.
local function read_files(dir, notes)
  local names, problem = sys.list_dir(dir)
  if not names then
    errors.raise("policy", "cannot read %s: %s", text.escape(dir), problem)
  end
  local there, sources = {}, {}
  for _, name in ipairs(names) do
    there[name] = true
  end
  for _, name in ipairs(FILES) do
    if there[name] then
      local path = notes:path(name)
      local source, status = sys.read_file(path)
      local fit
      if not source then
        errors.raise("policy", "cannot open %s: %s", text.escape(path), status)
      end
      fit, problem = trust.check(path, status)
      if not fit then
        errors.raise("policy", "%s", problem)
      end
      sources[name] = source
    end
  end
  if next(sources) == nil then
    errors.raise("policy", "%s: none of the files %s is there", text.escape(dir),
      table.concat(FILES, ", "))
  end
  return sources
end

-- The names of all rules, each for one of them.
local Names = {}
Names.__index = Names

-- A name that is free, cut to make room for a number where it is not.
function Names:free(name)
  local number = self.numbers[name] or 1
  local candidate = name
  while self.taken[candidate] do
    number = number + 1
    local suffix = " " .. number
    local stem = name:sub(1, NAME_LENGTH - #suffix)
    while #stem > 0 and not utf8.len(stem) and utf8.len(name) do
      stem = stem:sub(1, -2)
    end
    candidate = stem .. suffix
  end
  self.numbers[name] = number
  return candidate
end

function Names:give(draft)
  local first = self.taken[draft.name]
  if first then
    local name = self:free(draft.name)
    draft.notes[#draft.notes + 1] = {
      place = draft.record,
      message = ("the name is taken by the rule at %s; here it is '%s'"):format(first, text.escape(name)),
    }
    draft.name = name
  end
  self.taken[draft.name] = draft.record and ("%s:%d"):format(draft.record.file, draft.record.line)
    or "blacksites"
end

-- Tells what was not kept, in the journal. Returns the same for the text of the policy.
local function tell(list, notes, prefix)
  local remarks = {}
  notes:sort(list)
  for i, note in ipairs(list) do
    local message = prefix .. note.message
    notes:warn(note.place, message)
    remarks[i] = ("%s:%d: %s"):format(note.place.file, note.place.line, message)
  end
  return remarks
end

-- The rules of one file.
local function drafts_of(it, file, word)
  local list = {}
  local source = it.sources[file]
  for i, record in ipairs(source and reader.records(source, file, { RULE = true }, it.notes) or {}) do
    local draft = legacy_rule.draft(record, word, it.options, it.notes)
    local name = draft.name
    if not draft.left_out then
      it.names:give(draft)
    end
    draft.remarks = tell(draft.notes, it.notes, ("rule '%s': "):format(text.escape(name)))
    list[i] = draft
  end
  return list
end

-- The rules that deny blocked sites both ways.
local function blocked(sites, names)
  local addresses = table.move(sites.addresses, 1, #sites.addresses, 1, {})
  if #sites.hosts > 0 then
    table.insert(addresses, 1, { raw = "blocked_sites" })
  end
  if #addresses == 0 then
    return {}
  end
  local value = #addresses == 1 and addresses[1] or addresses
  local drafts = {
    { word = "deny", name = "from blocked sites", fields = { src = value }, notes = {}, remarks = {} },
    { word = "deny", name = "to blocked sites", fields = { dst = value }, notes = {}, remarks = {} },
  }
  for _, draft in ipairs(drafts) do
    names:give(draft)
  end
  return drafts
end

local function read_sites(it)
  local source = it.sources.blacksites
  local openers = { BSRULE = true, RULE = true }
  local records = source and reader.records(source, "blacksites", openers, it.notes) or {}
  local sites = legacy_sites.read(records, it.notes)
  if #sites.hosts > 0 then
    it.notes:warn(sites.place, ("names are not looked up by rules: let cron run ipfi "
      .. "examples/blocked-sites.lua set=blocked_sites %s, which keeps the set that is denied both ways")
      :format(table.concat(sites.hosts, " ")))
  end
  return sites
end

--- Imports a directory. What could not be kept is said as warnings, on standard error and in the system log.
-- @param dir the directory of the files
-- @return checked policy, as fw.load gives it; list of the warnings, each "dir/file:line: message"; the text
--   of the policy. Raises an error of kind "policy" when a file is wrong or none is there.
function legacy.import(dir)
  if type(dir) ~= "string" or dir == "" then
    errors.raise("policy", "fw.import_legacy: expected the path of a directory, got %s", text.quote(dir))
  end
  local notes = journal.new(dir, FILES)
  local it = {
    dir = text.escape(dir),
    name = "imported",
    notes = notes,
    sources = read_files(dir, notes),
    names = setmetatable({ taken = {}, numbers = {} }, Names),
  }
  local options = it.sources.options and reader.options(it.sources.options, "options", notes)
  it.options = legacy_options.read(options, notes)
  it.remarks = tell(it.options.notes, notes, "")
  it.sites = read_sites(it)
  table.move(tell(it.sites.notes, notes, ""), 1, #it.sites.notes, #it.remarks + 1, it.remarks)
  it.blocked = blocked(it.sites, it.names)
  it.blacklist = drafts_of(it, "blacklist", "deny")
  it.allowed = drafts_of(it, "allowed", "allow")
  it.nat = drafts_of(it, "translation", nil)
  local warnings, mistakes = notes:warnings(), notes:errors()
  for _, warning in ipairs(warnings) do
    log.write("warning", warning)
  end
  if #mistakes > 0 then
    error(errors.policy(mistakes), 0)
  end
  local source = writer.policy(it)
  return loader.text(source, "imported from " .. dir), warnings, source
end

return legacy
