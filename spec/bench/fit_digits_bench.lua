-- One epoch over the digits (1797 rows of 64): 64-128-10 with relu, batch 32, adam, shuffled,
-- against the same loop in PyTorch at its best number of threads.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local SOURCE = [[
import time
import torch
from torch import nn

best = 1e9
for threads in (1, 2):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x, y = torch.rand(1797, 64), torch.randint(0, 10, (1797,))
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    opt, loss = torch.optim.Adam(net.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    for _ in range(8):
        start = time.perf_counter()
        order = torch.randperm(1797)
        for i in range(0, 1797, 32):
            rows = order[i : i + 32]
            opt.zero_grad(set_to_none=True)
            loss(net(x[rows]), y[rows]).backward()
            opt.step()
        best = min(best, time.perf_counter() - start)
print("epoch", best)
]]

local nn, P = lariat.nn, lariat.penalty
local d = lariat.data.digits()
local x = d.x / 16

local function epoch(penalty)
  lariat.seed(0)
  local net = nn.sequential { nn.linear(64, 128), nn.relu(), nn.linear(128, 10) }
  return peer.time(function(n)
    lariat.fit(net, { x = x, y = d.y }, {
      loss = "cross_entropy", optimizer = lariat.optim.adam { lr = 1e-3 }, penalty = penalty,
      epochs = n, batch_size = 32,
    })
  end, 0.5)
end

local theirs, why = peer.python(SOURCE, "torch")
if not theirs then print(why) end
local best = theirs and theirs.epoch
peer.report("One epoch over the digits, 64-128-10, batch 32, adam.", "PyTorch", {
  { "no penalty", epoch(), best },
  { "L1 by prox", epoch(P.l1(1e-4)), nil },
  { "group lasso by input", epoch(P.group_lasso { lambda = 1e-4, by = "input" }), nil },
})
