-- A loop that makes a million temporaries of 1 MB, without a call to collectgarbage. Wanted: a
-- peak of resident memory below 256 MB. An argument is another number of temporaries.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local function peak()
  local f = io.open("/proc/self/status")
  if not f then return nil end
  local kb = f:read("a"):match("VmHWM:%s+(%d+) kB")
  f:close()
  return kb and tonumber(kb) / 1024
end

local count = math.tointeger(tonumber(arg and arg[1])) or 1000000
local a = lariat.zeros(512, 512)
assert(a.numel * 4 == 1024 * 1024)
local before, start = peak(), peer.clock()
for _ = 1, count do
  local b = a + 1 -- luacheck: ignore
end
local seconds = peer.clock() - start
local each = seconds / count * 1e6
print(("%d temporaries of 1 MB in %.1f s, %.1f us each."):format(count, seconds, each))
if before then
  local line = "peak resident memory: %.0f MB before, %.0f MB after (wanted: below 256)."
  print(line:format(before, peak()))
else
  print("There is no /proc/self/status here: the peak of memory is not known.")
end
