-- SPDX-License-Identifier: GPL-2.0-or-later
-- What bash completes behind "ipfi": packaging/ipfi.bash-completion, asked as bash asks it.
package.path = "tests/lua/?.lua;" .. package.path
local program = require "program"

if not program.exists(program.path) then
  describe("bash", function()
    pending "needs the program, which is not built"
  end)
  return
end

-- The candidates for the last of these words, which are those of bash: it cuts at "=".
local function candidates(words)
  local pipe = assert(io.popen(([[bash --norc -c '
    . packaging/ipfi.bash-completion
    COMP_WORDS=(%s %s) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _ipfi; printf "%%s " "${COMPREPLY[@]}"' 2>&1]]):format(program.path, words)))
  local list = pipe:read "a"
  pipe:close()
  return list
end

describe("bash", function()
  -- { words, candidates }
  for _, case in ipairs {
    { "--comp", "--compile= " },
    { "--con", "--confirm= " },
    { "--s", "--sim --states= --syslog " },
    { "--states =", "keep recheck flush " },
    { "--states = k", "keep " },
    { "--color = a", "auto always " },
    { "-f examples/gat", "examples/gateway.lua " },
    { "-c -f examples/j", "examples/jobs " },
    { "examples/rou", "examples/router.lua " },
    { "--import-legacy = docs/n", "docs/netlink " },
    { "--apply = docs/nat", "docs/nat.md " },
    { "-e fw", " " },
  } do
    it("completes " .. case[1], function()
      local wanted = {}
      for word in case[2]:gmatch "%S+" do
        wanted[#wanted + 1] = word
      end
      local got = {}
      for word in candidates(case[1]):gmatch "%S+" do
        got[#got + 1] = word
      end
      table.sort(wanted)
      table.sort(got)
      assert.same(wanted, got)
    end)
  end

  it("knows every option", function()
    local list = " " .. candidates "-"
    for _, option in ipairs { "-f", "-n", "-c", "-j", "--confirm=", "--exit-code", "--sim", "--help" } do
      assert.truthy(list:find(" " .. option .. " ", 1, true), option)
    end
  end)
end)
