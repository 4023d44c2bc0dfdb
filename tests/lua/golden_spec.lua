-- SPDX-License-Identifier: GPL-2.0-or-later
-- The bytes that policies are compiled to, pinned: tests/lua/golden/NAME.lua becomes what NAME.txt says,
-- field by field and byte by byte. After a change that is meant to change them:
--
--     UPDATE=1 busted tests/lua/golden_spec.lua
local IPFI = "build/ipfi"

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local content = file:read "a"
  file:close()
  return content
end

if not read(IPFI) then
  describe("compiled policies", function()
    pending "the program is not built"
  end)
  return
end

-- What the program makes of a policy: the messages to read, then all bytes in hexadecimal, 32 a line.
local SHOW = [[
  local bytes = fw.compile(fw.load(arg[1])):bytes()
  print(tostring(fw.decode(bytes)))
  print()
  for at = 1, #bytes, 32 do
    local hex = bytes:sub(at, at + 31):gsub(".", function(c) return ("%02x"):format(c:byte()) end)
    print(("%06x  %s"):format(at - 1, hex))
  end
]]

local function run(script, ...)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(script)
  file:close()
  local pipe = assert(io.popen(("%s %s %s 2>&1"):format(IPFI, path, table.concat({ ... }, " "))))
  local output = pipe:read "a"
  local ok = pipe:close()
  os.remove(path)
  return output, ok
end

describe("the compiled policy", function()
  if string.pack("=I2", 1) ~= "\1\0" then
    pending "is pinned for machines whose least byte comes first"
    return
  end
  for _, name in ipairs { "empty", "rules", "nat" } do
    it("is as it was: " .. name, function()
      local golden = "tests/lua/golden/" .. name
      local output, ok = run(SHOW, golden .. ".lua")
      assert.is_true(ok, output)
      if os.getenv "UPDATE" then
        local file = assert(io.open(golden .. ".txt", "w"))
        file:write(output)
        file:close()
      end
      assert.equal(read(golden .. ".txt"), output)
    end)
  end

  it("has every attribute that a rule may have", function()
    local text = read "tests/lua/golden/rules.txt" .. read "tests/lua/golden/nat.txt"
    local names = run [[
      for _, attr in ipairs(require "ipfi.c.codec".schema().nests.rule) do print(attr.name) end]]
    -- Those that come from the kernel.
    local given = { id = true, packets = true, bytes = true }
    local count = 0
    for name in names:gmatch "%S+" do
      count = count + 1
      local found = given[name] or text:find("\n  rule." .. name, 1, true)
      assert.is_truthy(found, name .. " stands in no golden policy")
    end
    assert.is_true(count > 30)
  end)
end)
