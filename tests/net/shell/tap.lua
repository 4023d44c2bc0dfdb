-- SPDX-License-Identifier: GPL-2.0-or-later
-- Results of a Lua test that runs in a guest, as tests/lab/lib.sh writes them.
local tap = { failed = 0 }

--- One result; why is shown when it is not so.
function tap.ok(so, name, why)
  if so then
    print("ok " .. name)
  else
    tap.failed = tap.failed + 1
    print(("not ok %s - %s"):format(name, tostring(why):gsub("\n", " ")))
  end
end

--- The same value.
function tap.is(got, wanted, name)
  tap.ok(got == wanted, name, ("got %s, wanted %s"):format(got, wanted))
end

--- An error table with these fields.
function tap.refused(err, wanted, name)
  if type(err) ~= "table" then
    return tap.ok(false, name, ("%s is no error table"):format(err))
  end
  for key, value in pairs(wanted) do
    if err[key] ~= value then
      return tap.ok(false, name, ("%s is %s, wanted %s (%s)"):format(key, err[key], value, err.message))
    end
  end
  tap.ok(true, name)
end

--- Ends the script with what its caller looks at.
function tap.finish()
  os.exit(tap.failed == 0 and 0 or 1, true)
end

return tap
