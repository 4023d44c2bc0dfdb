-- SPDX-License-Identifier: GPL-2.0-or-later
-- The manual agrees with the program.
require "support"
local update = dofile "docs/man/update.lua"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

describe("the manual", function()
  it("has the lists that the program works with", function()
    local stale = {}
    for path in pairs(update.stale()) do
      stale[#stale + 1] = path
    end
    assert.same({}, stale, "run build/ipfi docs/man/update.lua")
  end)

  it("has a place for every list", function()
    local text = read(update.pages[1]) .. read(update.pages[2])
    for name in pairs(update.lists) do
      assert.truthy(text:find('.\\" begin ' .. name .. "\n", 1, true), name)
    end
  end)

  it("is of this version", function()
    for _, path in ipairs(update.pages) do
      assert.truthy(read(path):find(('"ipfi %s"'):format(require "ipfi.version"), 1, true), path)
    end
  end)

  it("has every option and every exit status", function()
    local page = read(update.pages[1]):gsub("\\%-", "-")
    local usage = read("shell/options.c"):match("usage_text%[%] =(.-);\n")
    for option in usage:gmatch("%-%-?[%a%-]+") do
      if option ~= "--" then
        assert.truthy(page:find(option, 1, true), option)
      end
    end
    for name, status in pairs(require("ipfi.base.errors").status) do
      assert.truthy(page:find((".B %d\n"):format(status), 1, true), name)
    end
  end)

  it("is roff without complaints", function()
    for _, path in ipairs(update.pages) do
      local pipe = io.popen(("groff -t -man -Tutf8 -wall -z %s 2>&1"):format(path))
      local complaints = pipe and pipe:read "a" or ""
      if pipe then
        pipe:close()
      end
      if not complaints:find("not found") then
        assert.equal("", complaints)
      end
    end
  end)
end)
