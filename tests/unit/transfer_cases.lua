-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases for ipfi.c.transfer: what goes over and comes back, and bytes that nobody can have meant.
local transfer = require "ipfi.c.transfer"

local cases = {}

local MOST = 1 << 20

local function stand_in() end

local function there_and_back(value, atoms)
  atoms = atoms or {}
  return transfer.decode(transfer.encode(value, atoms, MOST), atoms, stand_in, MOST)
end

local function expect(got, wanted)
  if got ~= wanted or math.type(got) ~= math.type(wanted) then
    error(("expected %s, got %s"):format(wanted, got), 2)
  end
end

local function expect_error(pattern, run, ...)
  local ok, problem = pcall(run, ...)
  if ok or not tostring(problem):find(pattern) then
    error(("expected an error like '%s', got %s"):format(pattern, ok and "none" or problem), 2)
  end
end

local function decode(bytes, most)
  return transfer.decode(bytes, {}, stand_in, most or MOST)
end

function cases.scalars()
  for _, value in ipairs {
    0, 1, -1, 63, 64, 127, 128, -128, 1 << 31, math.maxinteger, math.mininteger, 0.0, 1.5, -1e300, math.huge,
    "", "x", "\0\255", ("long"):rep(100), true, false,
  } do
    expect(there_and_back(value), value)
  end
  expect(there_and_back(nil), nil)
  local nan = there_and_back(0 / 0)
  expect(nan == nan, false)
  expect(there_and_back(print), stand_in)
end

function cases.tables()
  local t = there_and_back {
    1, 2, { 3 }, x = "y", [10] = false, [-1] = "minus", [1.5] = 1, [true] = { z = 0 },
  }
  expect(t[1], 1)
  expect(t[3][1], 3)
  expect(t.x, "y")
  expect(t[10], false)
  expect(t[-1], "minus")
  expect(t[1.5], 1)
  expect(t[true].z, 0)
  expect(#there_and_back { 1, nil, 3 }, 3)
  expect(next(there_and_back {}), nil)
end

-- What was one thing is one thing again, and what holds itself does.
function cases.identity()
  local shared, text = {}, ("t"):rep(1000)
  local t = there_and_back { shared, shared, { shared }, text, text }
  expect(t[1], t[2])
  expect(t[1], t[3][1])
  expect(t[4], text)
  expect(#transfer.encode({ text, text, text }, {}, MOST) < 1100, true)
  local cycle = {}
  cycle.cycle = cycle
  local back = there_and_back(cycle)
  expect(back.cycle, back)
end

function cases.atoms()
  local class, key = { __name = "class" }, {}
  local atoms = { class, key }
  local t = there_and_back(setmetatable({ [key] = "value", class = class }, class), atoms)
  expect(getmetatable(t), class)
  expect(t[key], "value")
  expect(t.class, class)
  -- Other metatables stay where they are, and nothing of them is called.
  local hostile = setmetatable({ 1 },
    { __index = error, __len = error, __pairs = error, __eq = error })
  expect(getmetatable(there_and_back(hostile)), nil)
  expect(there_and_back(hostile)[1], 1)
end

function cases.refused()
  expect_error("it holds a thread", transfer.encode, { coroutine.create(print) }, {}, MOST)
  expect_error("it holds a userdata", transfer.encode, { io.stdout }, {}, MOST)
  expect_error("it is too large", transfer.encode, { ("x"):rep(1000) }, {}, 1000)
  local deep = {}
  for _ = 1, 250 do
    deep = { deep }
  end
  expect_error("more than 200 deep", transfer.encode, deep, {}, MOST)
end

function cases.damaged()
  local bytes = transfer.encode({ 1, 2.5, "text", ("long"):rep(20), { a = { b = "c" } }, { 1, 2 }, true }, {},
    MOST)
  -- Without its end.
  for length = 0, #bytes - 1 do
    expect_error("it is damaged", decode, bytes:sub(1, length))
  end
  expect_error("it is damaged", decode, bytes .. "n")
  -- With any byte another one: a value of some kind, or refused.
  for place = 1, #bytes do
    for byte = 0, 255, 7 do
      local other = bytes:sub(1, place - 1) .. string.char(byte) .. bytes:sub(place + 1)
      local ok, problem = pcall(decode, other)
      expect(ok or problem:find("it is damaged") ~= nil or problem:find("it is too large") ~= nil, true)
    end
  end
  for _, bad in ipairs {
    "?", "r\1", "r\0", "a\1", "a\0",
    "s" .. ("\xff"):rep(9) .. "\1x", "i" .. ("\xff"):rep(10) .. "\1",
    "T\0\0\1ni\1", "T\0\0\1d\0\0\0\0\0\0\xf8\x7fi\1", "T\1\0\0",
    "T\0\xff\xff\xff\xff\x0f\0", "T\0\0\xff\xff\xff\xff\x0f",
  } do
    expect_error("it is damaged", decode, bad)
  end
  expect_error("it is damaged", decode, ("T\0\1\0"):rep(300) .. "n")
end

-- A few bytes do not become many.
function cases.bounded()
  local bytes = transfer.encode({ {}, {}, {}, {}, {}, {}, {}, {} }, {}, MOST)
  expect(#decode(bytes, 2000), 8)
  expect_error("it is too large", decode, bytes, 300)
  expect_error("it is too large", decode, transfer.encode(("x"):rep(1000), {}, MOST), 500)
  expect_error("it is too large", decode, "T\0\x80\x01\0" .. ("n"):rep(128), 1000)
end

return cases
