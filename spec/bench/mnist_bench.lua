-- The networks of examples 40 and 41 on MNIST, in float32, beside PyTorch's of the same layers,
-- rule, schedule and number of epochs: seconds of training and share of the test set. The first
-- argument is the folder with the four IDX files (.gz or not); a second is a pattern: networks
-- whose names it matches are trained.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local nn, P = lariat.nn, lariat.penalty
local folder, only = arg and arg[1], arg and arg[2] or ""

local SOURCE = [[
import gzip, os, sys, time
import numpy as np
import torch
from torch import nn

FOLDER, ONLY = "FOLDER_IS", "PATTERN_IS"

def read(name):
    path = os.path.join(FOLDER, name)
    with (open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz")) as f:
        raw = f.read()
    dims = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * k : 8 + 4 * k], "big") for k in range(dims)]
    a = np.frombuffer(raw, np.uint8, offset=4 + 4 * dims)
    return torch.from_numpy(a.reshape(shape).copy())

def pictures(part):
    x = read(part + "-images-idx3-ubyte").float().view(-1, 1, 28, 28) / 255
    return x, read(part + "-labels-idx1-ubyte").long()

def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.3),
                         nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 10))

def convnet():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.25), nn.Linear(1600, 128), nn.ReLU(), nn.Dropout(0.25), nn.Linear(128, 10))

def weights(net):
    return [p for name, p in net.named_parameters() if p.dim() > 1]

def train(make, epochs, batch, lr, cycle, l1, l2):
    torch.manual_seed(0)
    net, loss = make(), nn.CrossEntropyLoss()
    opt = torch.optim.Adam(net.parameters(), lr=lr)
    steps = (len(x) + batch - 1) // batch
    plan = torch.optim.lr_scheduler.OneCycleLR(
        opt, lr, total_steps=epochs * steps, cycle_momentum=False) if cycle else None
    start = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for k in range(0, len(x), batch):
            rows = order[k : k + batch]
            opt.zero_grad(set_to_none=True)
            f = loss(net(x[rows]), y[rows])
            if l1:
                f = f + l1 * sum(w.abs().sum() for w in weights(net))
            if l2:
                f = f + l2 / 2 * sum((w * w).sum() for w in weights(net))
            f.backward()
            opt.step()
            if plan:
                plan.step()
    seconds = time.perf_counter() - start
    net.eval()
    with torch.no_grad():
        right = sum((net(tx[k : k + 1000]).argmax(1) == ty[k : k + 1000]).sum().item()
                    for k in range(0, len(tx), 1000))
    return seconds, 100 * right / len(tx)

torch.set_num_threads(os.cpu_count())
x, y = pictures("train")
tx, ty = pictures("t10k")
for name, args in dict(mlp=(mlp, 5, 128, 1e-3, False, 1e-5, 0),
                       convnet=(convnet, 4, 128, 4e-3, True, 0, 1e-4)).items():
    if ONLY in name:
        seconds, accuracy = train(*args)
        print(name + "_seconds", seconds, flush=True)
        print(name + "_accuracy", accuracy, flush=True)
]]

local networks = {
  mlp = {
    epochs = 5, lr = 1e-3, penalty = P.l1(1e-5),
    make = function()
      return nn.sequential {
        nn.flatten(), nn.linear(784, 512), nn.relu(), nn.dropout(0.3), nn.linear(512, 256),
        nn.relu(), nn.dropout(0.3), nn.linear(256, 10),
      }
    end,
  },
  convnet = {
    epochs = 4, lr = 4e-3, penalty = P.l2(1e-4), schedule = true,
    make = function()
      return nn.sequential {
        nn.conv2d(1, 32, 3), nn.batch_norm(32), nn.relu(), nn.max_pool2d(2),
        nn.conv2d(32, 64, 3), nn.batch_norm(64), nn.relu(), nn.max_pool2d(2), nn.flatten(),
        nn.dropout(0.25), nn.linear(1600, 128), nn.relu(), nn.dropout(0.25), nn.linear(128, 10),
      }
    end,
  },
}

local train, test = lariat.data.mnist { path = folder, images = true }
if not train then
  print(test) -- why not
  return
end

local source = SOURCE:gsub("PATTERN_IS", only)
local theirs, why = peer.python((source:gsub("FOLDER_IS", function()
  return folder or os.getenv "LARIAT_DATA"
end)), "torch")
if not theirs then print(why) end

local function measure(name, n)
  lariat.seed(0)
  local net = n.make()
  local start = peer.clock()
  lariat.fit(net, train, {
    loss = "cross_entropy", penalty = n.penalty, epochs = n.epochs, batch_size = 128,
    optimizer = lariat.optim.adam { lr = n.lr }, progress = false,
    schedule = n.schedule and { lr = lariat.schedule.one_cycle {} } or nil,
  })
  local figures = { seconds = peer.clock() - start }
  figures.accuracy = 100 * lariat.metric.accuracy(net:predict(test.x), test.y)
  for _, key in ipairs { "seconds", "accuracy" } do
    local other = theirs and theirs[name .. "_" .. key]
    local title = ("%s, %d epochs: %s"):format(name, n.epochs, key)
    print(("%-34s %7.2f   %s"):format(title, figures[key], other and ("%7.2f"):format(other)))
  end
end

print "MNIST, float32.                     lariat    PyTorch"
for name, n in pairs(networks) do
  if name:find(only, 1, true) then measure(name, n) end
end
