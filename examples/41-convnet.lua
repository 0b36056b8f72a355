-- A convolutional network on MNIST: four epochs of one cycle of the learning rate give 99.3 %
-- of the test set.
--
-- The four IDX files are read from the folder that is named, or that the environment variable
-- LARIAT_DATA names. Where there are none the small digits inside the program stand in, which
-- are another problem: 1797 pictures of 8 x 8 pixels.
--
-- Usage: lariat examples/41-convnet.lua [folder [epochs]]

local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

local function data()
  local train, test = lariat.data.mnist { path = arg and arg[1], images = true }
  if train then return train, test end
  print(test) -- why not
  print "Going on with the digits inside: small pictures, another problem.\n"
  local d = lariat.data.digits()
  d.x = d.x:div(16):view(-1, 1, 8, 8)
  return lariat.data.split(d, { 0.75, 0.25 }, { seed = 1, stratify = true })
end

local train, test = data()
local large = #train > 10000

lariat.seed(3)
local net
if large then
  net = nn.sequential {
    nn.conv2d(1, 32, 3), nn.batch_norm(32), nn.relu(), nn.max_pool2d(2),
    nn.conv2d(32, 64, 3), nn.batch_norm(64), nn.relu(), nn.max_pool2d(2), nn.flatten(),
    nn.dropout(0.25), nn.linear(64 * 5 * 5, 128), nn.relu(), nn.dropout(0.25),
    nn.linear(128, 10),
  }
else
  net = nn.sequential {
    nn.conv2d(1, 16, 3, { padding = "same" }), nn.batch_norm(16), nn.relu(),
    nn.conv2d(16, 32, 3, { padding = "same" }), nn.batch_norm(32), nn.relu(),
    nn.max_pool2d(2), nn.spatial_dropout(0.1), nn.flatten(), nn.linear(32 * 4 * 4, 10),
  }
end
local sample = train.x[1].shape
print(net:describe(sample))

local epochs = tonumber(arg and arg[2]) or (large and 4 or 10)
local history = lariat.fit(net, train, {
  loss = "cross_entropy", penalty = 1e-4 * P.l2(), epochs = epochs,
  batch_size = large and 128 or 64, optimizer = lariat.optim.adam { lr = 4e-3 },
  schedule = { lr = lariat.schedule.one_cycle {} },
  validation = test, metrics = { "accuracy" }, seed = 4, progress = large,
})

local seconds = 0
for _, epoch in ipairs(history) do seconds = seconds + epoch.seconds end
local accuracy = 100 * lariat.metric.accuracy(net:predict(test.x), test.y)
print(("%d epochs in %.1f s"):format(#history, seconds))
print(("test accuracy  %.2f %%"):format(accuracy))
assert(accuracy > (large and 99 or 97) or epochs < 4)
