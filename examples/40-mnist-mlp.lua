-- A network on MNIST with L1, dropout and early stopping: over 98 % of the test set, with most
-- of its weights exactly zero.
--
-- The four IDX files are read from the folder that is named, or that the environment variable
-- LARIAT_DATA names. Where there are none the small digits inside the program stand in, which
-- are another problem: 1797 pictures of 8 x 8 pixels.
--
-- Usage: lariat examples/40-mnist-mlp.lua [folder]

local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

local function data()
  local train, test = lariat.data.mnist { path = arg and arg[1] }
  if train then return train, test end
  print(test) -- why not
  print "Going on with the digits inside: small pictures, another problem.\n"
  local d = lariat.data.digits()
  d.x:div_(16)
  return lariat.data.split(d, { 0.75, 0.25 }, { seed = 1, stratify = true })
end

local train, test = data()
local of_mnist = { sizes = { 512, 256 }, l1 = 1e-5, epochs = 30, batch = 128, wanted = 98 }
local of_digits = { sizes = { 128, 64 }, l1 = 1e-4, epochs = 60, batch = 32, wanted = 95 }
local large = #train > 10000
local o = large and of_mnist or of_digits
local train_part, validation = lariat.data.split(train, { 0.9, 0.1 }, { seed = 2 })

lariat.seed(3)
local net = nn.sequential {
  nn.linear(train.x.shape[2], o.sizes[1]), nn.relu(), nn.dropout(0.3),
  nn.linear(o.sizes[1], o.sizes[2]), nn.relu(), nn.dropout(0.3),
  nn.linear(o.sizes[2], 10),
}
local history = lariat.fit(net, train_part, {
  loss = "cross_entropy", penalty = P.l1(o.l1), optimizer = lariat.optim.adam { lr = 1e-3 },
  epochs = o.epochs, batch_size = o.batch, validation = validation, metrics = { "accuracy" },
  early_stop = { monitor = "val_accuracy", mode = "max", patience = 6, restore_best = true },
  seed = 4, progress = large,
})

local seconds, zeros, weights = 0, 0, 0
for _, epoch in ipairs(history) do seconds = seconds + epoch.seconds end
for name, p in net:parameters() do
  if name:find "weight" then
    zeros, weights = zeros + p:eq(0):count_nonzero():item(), weights + p.numel
  end
end
local accuracy = 100 * lariat.metric.accuracy(net:predict(test.x), test.y)
print(net)
print(("%d epochs in %.1f s, ended by %s"):format(#history, seconds, history.status))
print(("weights that are zero    %.1f %%"):format(100 * zeros / weights))
print(("test accuracy            %.2f %%"):format(accuracy))
assert(accuracy > o.wanted)
