-- lambda and lr as functions of the training state: a learning rate that warms up and falls
-- by a cosine, and an L1 that sets in late, when the network has found its features.

local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

local EPOCHS = 30
local train, test = lariat.data.split(lariat.data.digits(), { 1000, 797 },
  { seed = 1, stratify = true })
train, test = lariat.data.standardize(train, test)

local strength = 2e-3
local function late(state) -- nothing for ten epochs, then a ramp
  return strength * math.min(math.max((state.epoch - 10) / 10, 0), 1)
end

for _, case in ipairs { { "constant", strength }, { "late", late } } do
  lariat.seed(1)
  local net = nn.sequential { nn.linear(64, 64), nn.relu(), nn.linear(64, 10) }
  local history = lariat.fit(net, train, {
    loss = "cross_entropy", penalty = P.l1 { lambda = case[2] },
    optimizer = lariat.optim.adam { lr = 5e-3 }, epochs = EPOCHS, batch_size = 50, seed = 1,
    validation = test, metrics = { "accuracy" }, progress = false,
    schedule = { lr = lariat.schedule.cosine { warmup = 50 } },
  })
  print("\nlambda " .. case[1])
  print("epoch       lr    loss  penalty  val_accuracy")
  for _, i in ipairs { 1, 5, 10, 15, 20, 30 } do
    local h = history[i]
    print(("%5d  %.5f  %.4f  %7.4f  %12.4f"):format(
      h.epoch, h.lr, h.loss, h.penalty, h.val_accuracy))
  end
  local w = net:parameter "1.weight"
  print(("exact zeros in the first layer: %.1f %%"):format(
    100 * w:eq(0):count_nonzero():item() / w.numel))
end
