-- One training step of a 10-32-1 tanh network, batch 32, by lariat.fit, against PyTorch's eager
-- loop at its best number of threads. Wanted: a ratio of at most 0.2.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local SOURCE = [[
import time
import torch
from torch import nn

RULES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=1e-4),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-3),
}
mse = nn.MSELoss()
for rule, make in RULES.items():
    best = 1e9
    for threads in (1, 2):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 1))
        opt = make(net.parameters())
        xs = [torch.randn(32, 10) for _ in range(8)]
        ys = [torch.randn(32, 1) for _ in range(8)]
        for _ in range(6):
            start = time.perf_counter()
            for i in range(1000):
                opt.zero_grad(set_to_none=True)
                mse(net(xs[i % 8]), ys[i % 8]).backward()
                opt.step()
            best = min(best, (time.perf_counter() - start) / 1000)
    print(rule, best)
]]

local nn, P, optim = lariat.nn, lariat.penalty, lariat.optim

-- Seconds of a step: `n` epochs of eight batches.
local function step(make, penalty)
  lariat.seed(0)
  local x, y = lariat.randn(256, 10), lariat.randn(256, 1)
  local net = nn.sequential { nn.linear(10, 32), nn.tanh(), nn.linear(32, 1) }
  return peer.time(function(n)
    lariat.fit(net, { x = x, y = y }, {
      loss = "mse", optimizer = make(), penalty = penalty, epochs = n, batch_size = 32,
    })
  end, 0.5) / 8
end

local rows = {
  { "sgd", step(function() return optim.sgd { lr = 0.01 } end), "sgd" },
  { "sgd, momentum, L2", step(function() return optim.sgd { lr = 0.01, momentum = 0.9 } end,
    P.l2(1e-4)), "momentum" },
  { "adam", step(function() return optim.adam { lr = 1e-3 } end), "adam" },
}
local theirs, why = peer.python(SOURCE, "torch")
if not theirs then print(why) end
for _, r in ipairs(rows) do r[3] = theirs and theirs[r[3]] end
peer.report("One step of a 10-32-1 tanh network, batch 32.", "PyTorch", rows)
