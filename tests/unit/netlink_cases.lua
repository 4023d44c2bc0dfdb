-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases of the netlink library on the family nlctrl.
local netlink = require "ipfi.c.netlink"
local sys = require "ipfi.c.sys"

local cases = {}

local ASK = { cmd = "getfamily", family_name = "nlctrl" }
local ASK_IN_VAIN = { cmd = "getfamily", family_name = "no such one" }

local function open()
  return assert(netlink.open "nlctrl")
end

local function expect(got, wanted)
  if got ~= wanted then
    error(("got %s, wanted %s"):format(tostring(got), tostring(wanted)), 2)
  end
end

-- Descriptors that this process has open.
local function descriptors()
  collectgarbage()
  return #assert(sys.list_dir "/proc/self/fd")
end

function cases.a_request_is_answered()
  local conn = open()
  for _ = 1, 3 do
    local replies = assert(conn:request(ASK))
    expect(#replies, 1)
    expect(replies[1].cmd, "newfamily")
    expect(replies[1].family_name, "nlctrl")
    -- GENL_ID_CTRL of linux/genetlink.h
    expect(replies[1].family_id, 16)
    expect(replies[1].mcast_groups[1].name, "notify")
  end
end

function cases.a_refusal_is_a_table()
  local conn = open()
  local replies, err = conn:request(ASK_IN_VAIN)
  expect(replies, nil)
  expect(err.name, "ENOENT")
  expect(err.errno, 2)
  expect(type(err.message), "string")
  -- And the connection lives on.
  assert(conn:request(ASK))
end

function cases.a_refusal_names_the_attribute()
  -- The kernel takes names of up to 15 bytes; the codec does too, so the number is what is wrong here.
  local conn = open()
  local _, err = conn:request { cmd = "getfamily", maxattr = 1 }
  expect(err.name, "EINVAL")
end

function cases.an_absent_family_is_told_apart()
  local conn, err = netlink.open()
  if conn then
    -- The module is loaded here.
    return
  end
  expect(err.absent, true)
  expect(err.name, "ENOENT")
  assert(err.message:find "module is not loaded")
end

function cases.what_cannot_be_encoded_is_raised()
  local conn = open()
  local ok, err = pcall(conn.request, conn, { cmd = "getfamily", family_name = 5 })
  assert(not ok)
  expect(err, "family_name: wants a string, got number")
  assert(not pcall(conn.dump, conn, { cmd = "dance" }))
  assert(not pcall(conn.stream, conn, { ASK, { cmd = "dance" } }))
  assert(not pcall(netlink.open, "nobody"))
end

function cases.a_dump_gives_every_row()
  local conn = open()
  local names, count = {}, 0
  for row in conn:dump { cmd = "getfamily" } do
    expect(row.cmd, "newfamily")
    names[row.family_name] = row
    count = count + 1
  end
  expect(conn:dump_error(), nil)
  assert(names.nlctrl and count > 3)
end

function cases.an_iterator_without_for()
  local conn = open()
  local row = conn:dump { cmd = "getfamily" }
  local count = 0
  while row() do
    count = count + 1
  end
  -- Ended is ended.
  expect(row(), nil)
  assert(count > 3)
end

function cases.a_dump_may_be_left()
  local conn = open()
  local before = descriptors()
  for _ = 1, 50 do
    for row in conn:dump { cmd = "getfamily" } do
      assert(row)
      break
    end
  end
  -- Each was closed by the loop that it left, without waiting for the collector.
  expect(#assert(sys.list_dir "/proc/self/fd"), before)
  pcall(function()
    for _ in conn:dump { cmd = "getfamily" } do
      error "out"
    end
  end)
  expect(#assert(sys.list_dir "/proc/self/fd"), before)
end

function cases.dumps_and_requests_may_be_nested()
  local conn = open()
  local outer, inner = 0, 0
  for _ in conn:dump { cmd = "getfamily" } do
    outer = outer + 1
    assert(conn:request(ASK))
    if outer <= 2 then
      for _ in conn:dump { cmd = "getfamily" } do
        inner = inner + 1
      end
    end
  end
  expect(inner, 2 * outer)
end

function cases.a_refused_dump_has_an_error()
  local conn = open()
  -- CTRL_CMD_NEWFAMILY is no request.
  local count = 0
  for _ in conn:dump { cmd = "newfamily" } do
    count = count + 1
  end
  expect(count, 0)
  expect(conn:dump_error().name, "EOPNOTSUPP")
  for _ in conn:dump { cmd = "getfamily" } do
    count = count + 1
  end
  expect(conn:dump_error(), nil)
  assert(count > 0)
end

function cases.counting_agrees_with_the_rows()
  local conn = open()
  for _, field in ipairs { "version", "family_name", "maxattr" } do
    local wanted, total = {}, 0
    for row in conn:dump { cmd = "getfamily" } do
      wanted[row[field]] = (wanted[row[field]] or 0) + 1
      total = total + 1
    end
    local counts, rows = assert(conn:dump_count({ cmd = "getfamily" }, field))
    expect(rows, total)
    for value, count in pairs(wanted) do
      expect(counts[value], count)
    end
    for value in pairs(counts) do
      assert(wanted[value])
    end
  end
  local counts, err = conn:dump_count({ cmd = "newfamily" }, "version")
  expect(counts, nil)
  expect(err.name, "EOPNOTSUPP")
end

function cases.counting_needs_a_field()
  local conn = open()
  local ok, err = pcall(conn.dump_count, conn, { cmd = "getfamily" }, "colour")
  assert(not ok and err:find "no such field")
end

function cases.a_stream_of_many_messages()
  local conn = open()
  local list = {}
  for i = 1, 300 do
    list[i] = ASK
  end
  local ok, reply = conn:stream(list)
  expect(ok, true)
  expect(reply.family_name, "nlctrl")
  expect(#assert(conn:request(ASK)), 1)
end

-- CTRL_CMD_GETFAMILY of the family called name, made long by an attribute that the kernel skips.
local function long_question(name)
  local filling = ("x"):rep(30000)
  local attrs = string.pack("<I2I2z!4Xi4", 4 + #name + 1, 2, name)
    .. string.pack("<I2I2", 4 + #filling, 99) .. filling
  return string.pack("<I4I2I2I4I4BBI2", 20 + #attrs, 16, 1, 0, 0, 3, 2, 0) .. attrs
end

function cases.a_stream_in_many_chunks()
  local conn = open()
  local question, in_vain = long_question "nlctrl", long_question "nobody"
  -- 9 MB
  local ok, reply = conn:stream(question:rep(300))
  expect(ok, true)
  expect(reply.family_name, "nlctrl")
  local _, err, index = conn:stream(question:rep(200) .. in_vain .. question:rep(99))
  expect(err.name, "ENOENT")
  expect(index, 201)
  -- What stands behind the chunk with the refusal was not sent.
  local seen = 0
  conn:stream(in_vain:rep(300), function()
    seen = seen + 1
    return false
  end)
  assert(seen > 1 and seen < 50, seen)
end

function cases.a_stream_stops_at_a_refusal()
  local conn = open()
  local list = {}
  for i = 1, 100 do
    list[i] = i == 60 and ASK_IN_VAIN or ASK
  end
  local ok, err, index = conn:stream(list)
  expect(ok, nil)
  expect(err.name, "ENOENT")
  expect(index, 60)
  expect(err.index, 60)
  local replies = assert(conn:request(ASK))
  expect(#replies, 1)
end

function cases.a_stream_may_go_on_after_refusals()
  local conn = open()
  local seen = {}
  local list = { ASK, ASK_IN_VAIN, ASK, ASK_IN_VAIN, ASK }
  local ok, reply = conn:stream(list, function(err, index)
    seen[#seen + 1] = err.name .. index
    return true
  end)
  expect(ok, true)
  expect(reply.family_name, "nlctrl")
  expect(table.concat(seen, " "), "ENOENT2 ENOENT4")
  local _, _, index = conn:stream(list, function(_, at) return at < 4 end)
  expect(index, 4)
end

function cases.a_stream_takes_bytes()
  local codec = require "ipfi.c.codec"
  local conn = open()
  -- An ipfi INFO is command 1, which nlctrl does not take as a request.
  local ok, err, index = conn:stream(codec.encode { { cmd = "info" }, { cmd = "info" } })
  expect(ok, nil)
  expect(index, 1)
  expect(err.name, "EOPNOTSUPP")
  ok, err = conn:stream "no messages"
  expect(ok, nil)
  expect(err.name, "EBADMSG")
  expect(conn:stream "", true)
  expect(conn:stream {}, true)
end

function cases.more_refusals_than_the_buffer_holds()
  local conn = open()
  local list = {}
  for i = 1, 30000 do
    list[i] = ASK_IN_VAIN
  end
  local ok, err, index = conn:stream(list)
  expect(ok, nil)
  expect(err.name, "ENOENT")
  expect(index, 1)
  assert(conn:request(ASK))
end

function cases.events_in_time()
  local conn = open()
  assert(not pcall(conn.events, conn, 0))
  assert(not pcall(conn.subscribe, conn, "weather"))
  expect(conn:subscribe "notify", true)
  local start = sys.monotonic()
  expect(#assert(conn:events(0.2)), 0)
  local waited = sys.monotonic() - start
  assert(waited > 0.15 and waited < 5, waited)
  expect(math.type(conn:fd()), "integer")
end

function cases.closed_is_closed()
  local before = descriptors()
  do
    local conn <close> = open()
    assert(conn:subscribe "notify")
  end
  local conn = open()
  conn:close()
  conn:close()
  expect(#assert(sys.list_dir "/proc/self/fd"), before)
  local ok, err = pcall(conn.request, conn, ASK)
  assert(not ok and err:find "closed")
  assert(not pcall(conn.request, 5, ASK))
end

return cases
