-- SPDX-License-Identifier: GPL-2.0-or-later
-- From a record of the original to a rule of ours.
--
-- A restriction that our rules do not have must not be forgotten in silence. A rule that allows or translates
-- is left out then, for without the restriction it would reach further; one that denies is kept without it,
-- and denies more than it did. Both are told. A rule that stands in the wrong file, or has the direction
-- of another kind, is left out: it never becomes something else.
local legacy_nat = require "ipfi.legacy.nat"
local legacy_values = require "ipfi.legacy.values"
local protocol = require "ipfi.field.protocol"
local side = require "ipfi.legacy.side"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"

local legacy_rule = {}

-- IPFI_NAME_LEN of the uapi header.
local NAME_LENGTH = 63

local LISTS = { INPUT = "in", OUTPUT = "out", FORWARD = "forward" }
local NAT_HOOKS = { PRE = true, POST = true }

-- The names of protocols that stand instead of their numbers: those that every system knows.
local NAMED = { [protocol.TCP] = "tcp", [protocol.UDP] = "udp", [protocol.ICMP] = "icmp" }

-- The flags in the order in which they are shown, with our letters.
local FLAGS = {
  { "SYN", "S" }, { "FIN", "F" }, { "RST", "R" }, { "PSH", "P" }, { "ACK", "A" }, { "URG", "U" },
}

-- RFC 879 and what fits into a packet: as our own field mss.
local MSS_LEAST, MSS_MOST = 64, 65534

-- Keys about how the original showed its rules, or where it put them.
local IGNORED = { "NATURAL_LANGUAGE", "POSITION" }

-- All keys, for what may be meant by one that is none of them.
local KEYS = {
  "NAME", "DIRECTION", "INDEVICE", "OUTDEVICE", "PROTOCOL", "TOTAL_LENGTH", "TOS", "SYN", "FIN", "PSH", "ACK",
  "RST", "URG", "ICMP_TYPE", "ICMP_CODE", "ICMP_ECHO_ID", "ICMP_ECHO_SEQ", "KEEP_STATE", "NOTIFY", "NAT",
  "SNAT", "MASQUERADE", "FTP_SUPPORT", "NEWADDR", "NEWPORT", "MSS_VALUE", "SRCADDR", "DSTADDR", "SRCPORT",
  "DSTPORT", "MYSRCADDR", "MYDSTADDR", "SRCADDR_NOT", "DSTADDR_NOT", "SRCPORT_NOT", "DSTPORT_NOT",
  "_END_SRCADDR", "_END_DSTADDR", "_END_SRCPORT", "_END_DSTPORT",
}

-- Parts of the names of keys that restrict a rule.
local RESTRICTING = { "SRC", "DST", "ADDR", "PORT", "DEVICE", "PROTO", "ICMP", "FLAG", "MAC", "USER", "_NOT" }

local Check = {}
Check.__index = Check

--- Records a mistake in an entry of the record, or in the record itself.
function Check:fail(place, message)
  self.journal:fail(place, message)
  self.failed = true
end

--- Tells what is not kept.
-- @param decides what becomes of the rule for it: "lost" or "dropped"; nil when it changes nothing of whom
--   the rule is about
function Check:note(place, message, decides)
  self.draft.notes[#self.draft.notes + 1] = { place = place, message = message, decides = decides }
end

--- Notes a restriction that cannot be kept.
function Check:lose(place, message)
  self.lost = true
  self:note(place, message, "lost")
end

--- Notes that the whole rule cannot be kept.
function Check:drop(place, message)
  self.dropped = true
  self:note(place, message, "dropped")
end

--- Adds a field to our rule.
function Check:put(name, value)
  local fields = self.draft.fields
  fields[#fields + 1] = { name = name, value = value }
  fields[name] = value
end

--- YES or NO, or what words say it is called; a mistake counts as nil.
function Check:switch(entry, words)
  local value, problem = legacy_values.switch(entry, words)
  if value == nil then
    self:fail(entry, problem)
  end
  return value
end

--- Takes a switch out of the record.
-- @return its entry when it is YES, else nil
function Check:asks(key)
  local entry = self.record:take(key)
  return entry and self:switch(entry) and entry or nil
end

--- Takes a number out of the record.
-- @return number, entry; nil when it is absent or wrong
function Check:number(key, least, most)
  local entry = self.record:take(key)
  if not entry then
    return nil
  end
  local number, problem = legacy_values.number(entry, least, most)
  if not number then
    self:fail(entry, problem)
  end
  return number, entry
end

-- A name as ours can be; that it is taken is found when all rules are there.
local function take_name(c)
  local entry, record = c.record:take "NAME", c.record
  local name = entry and entry.value or ""
  local place = ("%s %d"):format(record.file, record.line)
  local clean = name:gsub("%c", "?")
  while #clean > NAME_LENGTH do
    clean = clean:sub(1, (utf8.offset(clean, -1) or #clean) - 1)
  end
  if clean == "" then
    clean = place
    c:note(entry or record, ("the rule has no name; here it is '%s'"):format(place))
  elseif clean ~= name then
    c:note(entry, ("the name %s cannot be kept as it is; here it is '%s'")
      :format(text.quote(name), text.escape(clean)))
  end
  c.draft.name = clean
end

-- The list of a filter rule, or the hook of one of address translation.
local function take_direction(c)
  local entry = c.record:take "DIRECTION"
  local value = entry and (entry.value or ""):upper()
  if not entry then
    c:drop(c.record, "the rule has no DIRECTION, so it never matched")
  elseif not LISTS[value] and not NAT_HOOKS[value] then
    c:fail(entry, ("DIRECTION: expected INPUT, OUTPUT, FORWARD, PRE or POST, got %s")
      :format(text.quote(entry.value or "")))
  elseif c.draft.kind == "filter" and NAT_HOOKS[value] then
    c:drop(entry, ("DIRECTION=%s is for address translation, whose rules stand in the file translation")
      :format(value))
  else
    c.direction = value
    if c.draft.kind == "filter" then
      c:put("dir", LISTS[value])
    end
  end
end

local function take_device(c, key, name, without)
  local entry = c.record:take(key)
  local device, problem
  if entry then
    device, problem = legacy_values.device(entry)
  end
  if problem then
    c:fail(entry, problem)
  elseif device and without[c.direction] then
    c:lose(entry, ("%s: %s"):format(key, without[c.direction]))
  elseif device then
    c:put(name, device)
  end
end

local NO_WAY_IN = { OUTPUT = "what is made on this machine has come in by no device" }
local NO_WAY_OUT = { INPUT = "what is for this machine leaves by no device" }

local function take_protocol(c)
  local number = c:number("PROTOCOL", 0, 255)
  if number then
    c.protocol = number
    c:put("proto", NAMED[number] or number)
  end
end

-- A field that belongs to one protocol makes the rule one about it.
local function belongs_to(c, entry, number, what)
  if c.protocol and c.protocol ~= number then
    c:lose(entry, ("%s: %s belong to %s, but the rule is about protocol %d")
      :format(entry.key, what, NAMED[number]:upper(), c.protocol))
    return false
  elseif not c.protocol then
    c.protocol = number
    c:put("proto", NAMED[number])
  end
  return true
end

local function take_addresses(c)
  for _, it in ipairs { { "SRC", "src" }, { "DST", "dst" } } do
    local value, negated = side.take(c, it[1], "ADDR")
    if value then
      c:put(it[2], value)
    end
    c.negated = c.negated or negated
  end
end

local function take_ports(c)
  for _, it in ipairs { { "SRC", "sport" }, { "DST", "dport" } } do
    local value = side.take(c, it[1], "PORT")
    if value and c.protocol and not protocol.has_ports(c.protocol) then
      c:lose(c.record, ("%sPORT: protocol %d has no ports"):format(it[1], c.protocol))
    elseif value then
      c:put(it[2], value)
    end
  end
end

local function take_icmp(c)
  local type_, entry = c:number("ICMP_TYPE", 0, 255)
  local code, of = c:number("ICMP_CODE", 0, 255)
  local echo = c.record:take "ICMP_ECHO_ID"
  echo = c.record:take "ICMP_ECHO_SEQ" or echo
  local any = entry or of or echo
  if not any then
    return
  elseif c.draft.fields.sport or c.draft.fields.dport then
    c:lose(any, ("%s: ICMP has no ports, but the rule asks for some"):format(any.key))
    return
  elseif echo and belongs_to(c, echo, protocol.ICMP, "identifiers and sequence numbers of echoes") then
    c:lose(echo, ("%s is nothing a rule can ask for"):format(echo.key))
  end
  if not entry and not of then
    return
  elseif belongs_to(c, entry or of, protocol.ICMP, "types and codes") then
    if not entry then
      c:lose(of, "ICMP_CODE without ICMP_TYPE is nothing a rule can ask for")
    elseif type_ and (code or not of) then
      c:put("icmp", code and ("%d/%d"):format(type_, code) or type_)
    end
  end
end

local function take_flags(c)
  local set, looked_at, first = "", "", nil
  for _, flag in ipairs(FLAGS) do
    local entry = c.record:take(flag[1])
    if entry then
      first = first or entry
      looked_at = looked_at .. flag[2]
      if c:switch(entry, "TRUE or FALSE") then
        set = set .. flag[2]
      end
    end
  end
  if not first or not belongs_to(c, first, protocol.TCP, "flags") then
    return
  elseif c.draft.kind == "filter" then
    c:put("flags", set .. "/" .. looked_at)
  elseif set ~= "S" then
    c:lose(first, ("%s: translation is for whole connections, not for single packets"):format(first.key))
  end
  -- SYN alone is what every connection begins with, and its beginning is when it is translated.
end

local function take_length(c)
  local length = c:number("TOTAL_LENGTH", 0, 65535)
  if length then
    c:put("length", length)
  end
end

-- The octet that was the type of service: six bits of it are the DSCP now, two belong to congestion
-- notification (RFC 2474, RFC 3168), which a rule does not look at.
local function take_tos(c)
  local tos, entry = c:number("TOS", 0, 255)
  if not tos then
    return
  elseif tos & 3 ~= 0 then
    c:lose(entry, ("TOS=%d has bits that are no type of service any more, but congestion notification")
      :format(tos))
    return
  end
  c:put("dscp", tos >> 2)
end

-- What an allow rule says beside whom it is about. The others have no use for it.
local function take_state(c, options)
  local keep, ftp = c:asks "KEEP_STATE", c:asks "FTP_SUPPORT"
  if c.draft.word ~= "allow" then
    local what = c.draft.kind == "filter" and "a rule that denies" or "a rule that translates"
    if ftp then
      c:note(ftp, ("FTP_SUPPORT belongs to the rule that allows the control connection, not to %s")
        :format(what))
    end
    return
  end
  if ftp and not options.stateful then
    c:note(ftp, "FTP_SUPPORT had no effect, because STATEFUL is NO in options: not kept")
  elseif ftp and c.protocol and c.protocol ~= protocol.TCP then
    c:note(ftp, ("FTP_SUPPORT: FTP is TCP, but the rule is about protocol %d: not kept"):format(c.protocol))
  elseif ftp then
    if not c.protocol then
      belongs_to(c, ftp, protocol.TCP, "control connections")
      c:note(ftp, "FTP_SUPPORT: FTP is TCP, so the rule is about TCP only here")
    end
    c:put("helper", "ftp")
    return
  end
  if keep and options.stateful and not options.all_stateful then
    c:put("state", true)
  end
end

local function take_mss(c)
  local entry = c.record:take "MSS_VALUE"
  if not entry then
    return
  end
  local value, problem = "pmtu", nil
  if (entry.value or ""):upper() ~= "TO_PMTU" then
    value, problem = legacy_values.number(entry, MSS_LEAST, MSS_MOST)
  end
  if problem then
    c:fail(entry, (problem:gsub(", got", " or TO_PMTU, got")))
  elseif c.draft.word ~= "allow" then
    c:note(entry, "MSS_VALUE belongs to the rule that allows the connection (mss = ...): not kept")
  elseif c.direction ~= "FORWARD" or c.protocol ~= protocol.TCP then
    c:note(entry, "MSS_VALUE needs DIRECTION=FORWARD and PROTOCOL=6: not kept")
  else
    c:put("mss", value)
  end
end

-- A key that is none may be a misspelt restriction: the rule must not do without it.
local function take_rest(c)
  for _, key in ipairs(IGNORED) do
    c.record:take(key)
  end
  for _, entry in ipairs(c.record:rest()) do
    local nearest = suggest.nearest(entry.key, KEYS)
    local restricts = nearest ~= nil
    for _, part in ipairs(RESTRICTING) do
      restricts = restricts or entry.key:find(part, 1, true) ~= nil
    end
    local message = ("unknown key %s%s"):format(text.quote(entry.key), suggest.hint(entry.key, KEYS))
    if restricts then
      c:lose(entry, message .. " (it may be a restriction)")
    else
      c:note(entry, message)
    end
  end
end

-- Address translation in the files of filter rules. The original made a rule that denies of it.
local function refuse_nat(c)
  for _, key in ipairs { "NAT", "SNAT", "MASQUERADE", "NEWADDR", "NEWPORT" } do
    local entry = c.record:take(key)
    if entry and (key:find "^NEW" or c:switch(entry)) and not c.dropped then
      c:drop(entry, ("%s translates addresses; such rules stand in the file translation"):format(key))
    end
  end
end

-- What became of the rule.
local function conclude(c)
  local draft, consequence = c.draft, nil
  if c.dropped then
    consequence = "it is left out"
  elseif c.lost and draft.word ~= "deny" then
    consequence = ("it is left out, because it would %s more without that")
      :format(draft.word == "allow" and "allow" or "translate")
  elseif c.lost then
    consequence = "it is kept without that, so it denies more than it did"
  end
  draft.left_out = c.dropped or (c.lost and draft.word ~= "deny") or false
  -- Said once, with the last reason.
  local reason
  for _, note in ipairs(draft.notes) do
    if note.decides == (c.dropped and "dropped" or "lost")
      and not (reason and reason.place.line > note.place.line) then
      reason = note
    end
  end
  if reason then
    reason.message = ("%s; %s"):format(reason.message, consequence)
  end
end

--- Makes a rule of a record.
-- @param record of legacy_reader.lua; its entries are used up
-- @param word "allow" or "deny"; nil for a rule of the file translation
-- @param options of legacy_options.lua
-- @param journal takes the mistakes
-- @return draft { kind = "filter" or "nat", word =, name =, record =, fields = list of { name =, value = },
--   notes = list of { place =, message = }, left_out = true when it is not to be }
function legacy_rule.draft(record, word, options, journal)
  local c = setmetatable({ record = record, journal = journal }, Check)
  c.draft = { kind = word and "filter" or "nat", word = word, record = record, fields = {}, notes = {} }
  take_name(c)
  take_direction(c)
  if word then
    refuse_nat(c)
  else
    legacy_nat.kind(c, options)
  end
  take_device(c, "INDEVICE", "iif", NO_WAY_IN)
  take_device(c, "OUTDEVICE", "oif", word and NO_WAY_OUT or legacy_nat.NO_WAY_OUT)
  take_protocol(c)
  take_addresses(c)
  take_ports(c)
  take_icmp(c)
  take_flags(c)
  take_length(c)
  take_tos(c)
  take_state(c, options)
  take_mss(c)
  if c:asks "NOTIFY" then
    c:put("log", true)
  end
  if not word then
    legacy_nat.finish(c)
  elseif word == "deny" and c.negated then
    -- Whatever is not one IPv4 address would be all of IPv6, too.
    c:put("family", 4)
  end
  take_rest(c)
  conclude(c)
  return c.draft
end

return legacy_rule
