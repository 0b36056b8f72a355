-- Resident memory. First a loop that makes a million temporaries of 1 MB, without a call to
-- collectgarbage; wanted: a peak below 256 MB. An argument is another number of them. Then the
-- fit of a network 784-512-512-10 on 8192 rows in batches of 128 beside PyTorch's, each in a
-- process of its own: at the end, and the peak; wanted: a quarter.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local function status(key)
  local f = io.open("/proc/self/status")
  if not f then return nil end
  local kb = f:read("a"):match(key .. ":%s+(%d+) kB")
  f:close()
  return kb and tonumber(kb) / 1024
end

local function train()
  local nn = lariat.nn
  local net = nn.sequential {
    nn.linear(784, 512), nn.relu(), nn.linear(512, 512), nn.relu(), nn.linear(512, 10),
  }
  local x, y = lariat.randn(8192, 784), lariat.randint(1, 10, { 8192 })
  lariat.fit(net, { x = x, y = y }, {
    loss = "cross_entropy", optimizer = "adam", epochs = 3, batch_size = 128, progress = false,
  })
  print("now", status "VmRSS")
  print("peak", status "VmHWM")
end

if arg and arg[1] == "train" then return train() end

local TORCH = [[
import torch
from torch import nn
net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
                    nn.Linear(512, 10))
x, y = torch.randn(8192, 784), torch.randint(0, 10, (8192,))
opt, loss = torch.optim.Adam(net.parameters(), lr=1e-3), nn.CrossEntropyLoss()
for _ in range(3):
    order = torch.randperm(8192)
    for k in range(0, 8192, 128):
        rows = order[k : k + 128]
        opt.zero_grad(set_to_none=True)
        loss(net(x[rows]), y[rows]).backward()
        opt.step()
for line in open("/proc/self/status"):
    for key, name in (("VmRSS", "now"), ("VmHWM", "peak")):
        if line.startswith(key):
            print(name, int(line.split()[1]) / 1024)
]]

local function temporaries(count)
  local a = lariat.zeros(512, 512)
  assert(a.numel * 4 == 1024 * 1024)
  local before, start = status "VmHWM", peer.clock()
  for _ = 1, count do
    local b = a + 1 -- luacheck: ignore
  end
  local seconds = peer.clock() - start
  local each = seconds / count * 1e6
  print(("%d temporaries of 1 MB in %.1f s, %.1f us each."):format(count, seconds, each))
  local line = "peak resident memory: %.0f MB before, %.0f MB after (wanted: below 256)."
  print(line:format(before, status "VmHWM"))
end

local function of_own_process()
  local program, n = arg[0], -1
  while arg[n] do
    program, n = arg[n] .. " " .. program, n - 1
  end
  local pipe, found = assert(io.popen(program .. " train")), {}
  for name, value in pipe:read("a"):gmatch("(%S+)%s+(%S+)") do found[name] = tonumber(value) end
  pipe:close()
  return found
end

if not status "VmHWM" then
  print "There is no /proc/self/status here: resident memory is not known."
  return
end
temporaries(math.tointeger(tonumber(arg and arg[1])) or 1000000)
local ours, theirs, why = of_own_process(), peer.python(TORCH, "torch")
if not theirs then print(why) end
for _, key in ipairs { "now", "peak" } do
  local other = theirs and theirs[key]
  local ratio = other and ("%.0f MB of PyTorch's, %.3f"):format(other, ours[key] / other) or "-"
  print(("resident in the fit of an MLP, %s: %.0f MB; %s"):format(key, ours[key], ratio))
end
