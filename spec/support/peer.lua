--- Timing for spec/bench: a wall clock, Debian's Python as a peer, and a small table.
-- Nothing here judges: a benchmark prints, a reader compares.
-- @module spec.support.peer

local core = require "lariat.core"

local peer = {}

--- Seconds since some moment.
function peer.clock() return core.clock() end

--- Seconds one call of `fn(n)` takes per unit of n: the best of `rounds`, each at least
-- `seconds` long.
-- @usage local s = peer.time(function(n) for _ = 1, n do f() end end)
function peer.time(fn, seconds, rounds)
  seconds = seconds or 0.5
  local n, best = 1, nil
  while not best do
    local start = peer.clock()
    fn(n)
    local took = peer.clock() - start
    if took >= seconds / 2 then
      best = took / n
    else
      n = n * (took < seconds / 20 and 10 or 2)
    end
  end
  for _ = 2, rounds or 5 do
    local start = peer.clock()
    fn(n)
    best = math.min(best, (peer.clock() - start) / n)
  end
  return best
end

local function quoted(s)
  return "'" .. s:gsub("'", "'\\''") .. "'"
end
peer.quoted = quoted

--- Runs a Python script with the system's Python; each line it prints is `name number`.
-- @return a table name -> number, or nil and a sentence when a module it needs is missing
function peer.python(source, needs)
  local python = os.getenv("PEER_PYTHON") or "/usr/bin/python3"
  local probe = quoted(python) .. " -c " .. quoted("import " .. needs) .. " 2>/dev/null"
  if not os.execute(probe) then
    local why = "%s has no %s: that column is empty (Debian: python3-%s)."
    return nil, why:format(python, needs, needs)
  end
  local pipe = assert(io.popen(quoted(python) .. " -c " .. quoted(source), "r"))
  local found = {}
  for line in pipe:lines() do
    local name, value = line:match("^(%S+)%s+(%S+)$")
    if name then found[name] = tonumber(value) end
  end
  if not pipe:close() then return nil, python .. " failed: that column is empty." end
  return found
end

--- The smaller of two figures, name by name; either may be nil.
function peer.best(a, b)
  if not (a and b) then return a or b end
  local out = {}
  for name, value in pairs(a) do out[name] = math.min(value, b[name] or value) end
  return out
end

local UNITS = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "us" }, { 0, "ns" } }

local function human(s)
  if not s then return "-" end
  for _, u in ipairs(UNITS) do
    if s >= u[1] then return ("%.3g %s"):format(s / (u[1] == 0 and 1e-9 or u[1]), u[2]) end
  end
end

--- Prints rows `{job, seconds of lariat, seconds of the peer}` with the ratio lariat / peer.
function peer.report(title, name, rows)
  print(title)
  print(("%-36s %12s %12s %8s"):format("job", "lariat", name, "ratio"))
  for _, r in ipairs(rows) do
    local ratio = r[2] and r[3] and ("%.3g"):format(r[2] / r[3]) or "-"
    print(("%-36s %12s %12s %8s"):format(r[1], human(r[2]), human(r[3]), ratio))
  end
end

--- The program that runs the script, or the one in build/ under another interpreter.
function peer.program()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  if i < 0 and arg[i]:find("lariat", 1, true) then return arg[i] end
  return "build/bin/lariat"
end

return peer
