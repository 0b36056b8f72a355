-- Training steps, small operations and textbook gradient descent, in float32, against PyTorch
-- (NumPy for the last, in float64) at its best number of threads, in one run. A step is
-- forward, backward and update, as a loop of lariat.fit takes it. An argument is part of a
-- name: rows whose names hold it are measured.
--
-- Wanted, as lariat / PyTorch: MLP sgd 0.5, adam 0.36, adam + L1 0.26, dropout 0.4, batch 1
-- 0.5, 32 0.5, 1024 0.77, tiny 0.04, convolutions 0.5, ten operations 0.1 (compiled 0.02),
-- a + b of length 10 0.25 us, textbook 0.17.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local nn, P, optim = lariat.nn, lariat.penalty, lariat.optim
local only = arg and arg[1] or ""

local SOURCE = [[
import re, sys, time
import numpy as np
import torch
from torch import nn

ONLY = "PATTERN"

def show(name, seconds):
    print(name, seconds, flush=True)

def best(fn, inner, reps=5):
    fn(inner)
    out = 1e9
    for _ in range(reps):
        start = time.perf_counter()
        fn(inner)
        out = min(out, (time.perf_counter() - start) / inner)
    return out

def mlp(drop):
    def make():
        d = [nn.Dropout(drop)] if drop else []
        return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), *d, nn.Linear(512, 512),
                             nn.ReLU(), *d, nn.Linear(512, 10))
    return make

def tiny():
    return nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 1))

def cnn():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64 * 144, 128), nn.ReLU(),
                         nn.Linear(128, 10))

sgd = lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=1e-4)
adam = lambda p: torch.optim.Adam(p, lr=1e-3)
l1 = lambda m: 1e-5 * sum(p.abs().sum() for p in m.parameters())
ce, mse = nn.CrossEntropyLoss(), nn.MSELoss()

def labels(n):
    return [torch.randint(0, 10, (n,)) for _ in range(8)]

def job(name, make, rule, shape, ys, loss, inner, extra=None):
    if ONLY not in name:
        return
    out = 1e9
    for threads in (1, 2):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        net = make()
        opt = rule(net.parameters())
        xs = [torch.randn(*shape) for _ in range(8)]
        def steps(n):
            for i in range(n):
                opt.zero_grad(set_to_none=True)
                f = loss(net(xs[i % 8]), ys[i % 8])
                if extra:
                    f = f + extra(net)
                f.backward()
                opt.step()
        out = min(out, best(steps, inner))
    show(name, out)

job("mlp_sgd", mlp(0), sgd, (128, 784), labels(128), ce, 30)
job("mlp_adam", mlp(0), adam, (128, 784), labels(128), ce, 30)
job("mlp_adam_l1", mlp(0), adam, (128, 784), labels(128), ce, 30, l1)
job("mlp_dropout", mlp(0.5), sgd, (128, 784), labels(128), ce, 30)
for n in (1, 32, 1024):
    job("mlp_batch_%d" % n, mlp(0), sgd, (n, 784), labels(n), ce, 5 if n > 128 else 50)
targets = [torch.randn(32, 1) for _ in range(8)]
plain = lambda p: torch.optim.SGD(p, lr=0.01)
job("tiny_sgd", tiny, plain, (32, 10), targets, mse, 500)
job("tiny_adam", tiny, adam, (32, 10), targets, mse, 500)
job("conv_sgd", cnn, sgd, (64, 1, 28, 28), labels(64), ce, 5)

torch.set_num_threads(1)
if ONLY in "ten_operations_compiled":
    w, a = torch.randn(10, requires_grad=True), torch.randn(10)
    def ten(n):
        for _ in range(n):
            y = w
            for _ in range(5):
                y = (y * a).tanh()
            y.sum().backward()
            w.grad = None
    seconds = best(ten, 2000)
    show("ten_operations", seconds)
    show("ten_operations_compiled", seconds)
if ONLY in "a_plus_b":
    a, b = torch.randn(10), torch.randn(10)
    def add(n):
        for _ in range(n):
            a + b
    show("a_plus_b", best(add, 100000))
if ONLY in "textbook_compiled":
    X = np.random.rand(100, 10)
    y = X.sum(1, keepdims=True)
    def textbook(n):
        for _ in range(n):
            th = np.random.rand(10, 1)
            for _ in range(1000):
                r = X @ th - y
                J = (r ** 2).sum() / 200 + 0.1 / 200 * (th ** 2).sum()
                th = th - 0.01 * (X.T @ r / 100 + 0.1 / 100 * th)
    seconds = best(textbook, 3)
    show("textbook", seconds)
    show("textbook_compiled", seconds)
]]

local rows = {}

local function row(title, name, measure)
  if name:find(only, 1, true) then rows[#rows + 1] = { title, measure(), name } end
end

-- Seconds of a step of lariat.fit on eight batches, or so many.
local function steps(make, x, y, batch, options)
  return function()
    lariat.seed(0)
    local net, count = make(), x.shape[1] // batch
    options.loss = options.loss or "cross_entropy"
    options.batch_size, options.progress = batch, false
    return peer.time(function(n)
      options.epochs = n
      lariat.fit(net, { x = x, y = y }, options)
    end, 0.5) / count
  end
end

local function mlp(drop)
  return function()
    local layers = {
      nn.linear(784, 512), nn.relu(), nn.linear(512, 512), nn.relu(), nn.linear(512, 10),
    }
    if drop then
      table.insert(layers, 5, nn.dropout(drop))
      table.insert(layers, 3, nn.dropout(drop))
    end
    return nn.sequential(layers)
  end
end

local function sgd() return optim.sgd { lr = 0.01, momentum = 0.9 } end
local function adam() return optim.adam { lr = 1e-3 } end

local function mlp_row(title, name, batch, options, drop)
  row(title, name, function()
    local x, y = lariat.randn(8 * batch, 784), lariat.randint(1, 10, { 8 * batch })
    return steps(mlp(drop), x, y, batch, options)()
  end)
end

mlp_row("784-512-512-10, batch 128, sgd, L2", "mlp_sgd", 128,
  { optimizer = sgd(), penalty = P.l2(1e-4) })
mlp_row("the same, adam", "mlp_adam", 128, { optimizer = adam() })
mlp_row("the same, adam, L1", "mlp_adam_l1", 128, { optimizer = adam(), penalty = P.l1(1e-5) })
mlp_row("the same, sgd, L2, dropout", "mlp_dropout", 128,
  { optimizer = sgd(), penalty = P.l2(1e-4) }, 0.5)
for _, batch in ipairs { 1, 32, 1024 } do
  mlp_row("the same, sgd, L2, batch " .. batch, "mlp_batch_" .. batch, batch,
    { optimizer = sgd(), penalty = P.l2(1e-4) })
end

for name, rule in pairs { sgd = function() return optim.sgd { lr = 0.01 } end, adam = adam } do
  row("10-32-1 tanh, batch 32, " .. name, "tiny_" .. name, steps(function()
    return nn.sequential { nn.linear(10, 32), nn.tanh(), nn.linear(32, 1) }
  end, lariat.randn(256, 10), lariat.randn(256, 1), 32, { optimizer = rule(), loss = "mse" }))
end

row("conv 1-32-64 3x3, pool, 128, 10, batch 64", "conv_sgd", function()
  local x, y = lariat.randn(512, 1, 28, 28), lariat.randint(1, 10, { 512 })
  return steps(function()
    return nn.sequential {
      nn.conv2d(1, 32, 3), nn.relu(), nn.conv2d(32, 64, 3), nn.relu(), nn.max_pool2d(2),
      nn.flatten(), nn.linear(64 * 144, 128), nn.relu(), nn.linear(128, 10),
    }
  end, x, y, 64, { optimizer = sgd(), penalty = P.l2(1e-4) })()
end)

row("10 operations and their derivative", "ten_operations", function()
  local w, a = lariat.randn(10, { requires_grad = true }), lariat.randn(10)
  return peer.time(function(n)
    for _ = 1, n do
      local y = w
      for _ = 1, 5 do y = (y * a):tanh() end
      y:sum():backward()
      w.grad = nil
    end
  end, 0.3)
end)

row("the same, compiled", "ten_operations_compiled", function()
  local w, a = lariat.randn(10, { requires_grad = true }), lariat.randn(10)
  local f = lariat.compile(function(x)
    local y = x
    for _ = 1, 5 do y = (y * a):tanh() end
    local sum = y:sum()
    return sum, lariat.grad(sum, { x })[1]
  end)
  return peer.time(function(n)
    for _ = 1, n do f(w) end
  end, 0.3)
end)

row("a + b, length 10", "a_plus_b", function()
  local a, b = lariat.randn(10), lariat.randn(10)
  return peer.time(function(n)
    for _ = 1, n do local _ = a + b end
  end, 0.3)
end)

-- A step of gradient descent with L2, as the textbook writes it: the parameters after it, and
-- the objective before.
local function descend(x, y, theta)
  local r = x:matmul(theta) - y
  local J = r:square():sum() * (1 / 200) + theta:square():sum() * (0.1 / 200)
  return theta - (x:t():matmul(r) / 100 + theta * 0.001) * 0.01, J
end

local function textbook(step)
  return function()
    local options = { dtype = "float64" }
    local x = lariat.rand(100, 10, options)
    local y = x:sum(2, { keepdim = true })
    return peer.time(function(n)
      for _ = 1, n do
        local theta = lariat.rand(10, 1, options)
        for _ = 1, 1000 do theta = step(x, y, theta) end
      end
    end, 0.3)
  end
end

row("textbook descent, 1000 steps (NumPy)", "textbook", textbook(descend))
row("the same, compiled", "textbook_compiled", textbook(lariat.compile(descend)))

local theirs, why = peer.python((SOURCE:gsub("PATTERN", { PATTERN = only })), "torch")
if not theirs then print(why) end
for _, r in ipairs(rows) do r[3] = theirs and theirs[r[3]] end
peer.report("Training steps, float32.", "PyTorch", rows)
